"""One student of several runs: the mean of their adapters.

Of runs that go on from one another, the mean of the weights can do better than each of them
(https://arxiv.org/abs/1803.05407), and takes no more time to run.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from sinc_tui.distill.export import run_card, trained_layout
from sinc_tui.distill.profiles import ADAPTER_FILE
from sinc_tui.errors import SincError
from sinc_tui.models.gguf_io import Floats

_HINT = "Average runs that go on from one another: sinc-tui distill train --from."
_RELATED = 0.5
"""Least cosine of two adapters' A matrices; of two that began apart it is near 0."""


def average_runs(folders: Sequence[Path], out: Path) -> None:
    """Write the mean of the adapters of two runs or more (folders of `distill train`) as one more folder.

    A and B are averaged apart. Between two adapters, B A of the means is less than the mean of the two B A
    by a quarter of the product of their differences, which is little where one was trained from the other.
    Raises `SincError` where a folder holds no run, where the runs do not belong together, and where `out`
    is there already or cannot be written.
    """
    if len(folders) < 2:
        raise SincError("A mean takes two runs at least.", hint=_HINT)
    if out.exists():
        raise SincError(f"{out} is there already.", hint="Name another folder.")
    adapters = [_weights(folder) for folder in folders]
    _check_related(folders, adapters)
    mean = {
        key: np.stack([weights[key] for weights in adapters]).mean(axis=0, dtype=np.float32)
        for key in adapters[0]
    }
    card = run_card(folders[-1])
    made = {
        "profile": card["profile"],
        "base_sha256": card["base_sha256"],
        "averaged": [_digest(folder) for folder in folders],
    }
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out.parent) as work:
            shutil.copytree(folders[-1] / "adapter", Path(work) / "run" / "adapter")
            save_file(mean, Path(work) / "run" / "adapter" / ADAPTER_FILE, {"format": "pt"})
            text = json.dumps(made, indent=2) + "\n"
            (Path(work) / "run" / "card.json").write_text(text, encoding="utf-8")
            (Path(work) / "run").rename(out)
    except (OSError, SafetensorError) as error:
        raise SincError(f"{out} cannot be written: {error}.") from error


def _check_related(folders: Sequence[Path], adapters: Sequence[dict[str, Floats]]) -> None:
    kinds = {(run_card(folder)["base_sha256"], trained_layout(folder)) for folder in folders}
    if len(kinds) > 1:
        raise SincError("These runs are of different base models or layouts.", hint=_HINT)
    shapes = {frozenset((key, matrix.shape) for key, matrix in w.items()) for w in adapters}
    if len(shapes) > 1 or len({_alpha(folder) for folder in folders}) > 1:
        raise SincError("The adapters of these runs differ in layers, rank or alpha.", hint=_HINT)
    first = _downward(adapters[0])
    for folder, weights in zip(folders[1:], adapters[1:], strict=True):
        other = _downward(weights)
        cosine = first @ other / (np.linalg.norm(first) * np.linalg.norm(other))
        if cosine < _RELATED:
            raise SincError(f"{folder} and {folders[0]} began apart.", hint=_HINT)


def _downward(weights: dict[str, Floats]) -> Floats:
    """The A matrices as one vector: they stay close to where a run began."""
    return np.concatenate([weights[key].ravel() for key in sorted(weights) if ".lora_A." in key])


def _weights(folder: Path) -> dict[str, Floats]:
    path = folder / "adapter" / ADAPTER_FILE
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise SincError(
            f"{folder} holds no adapter that can be read: {error}.",
            hint="Train one with: sinc-tui distill train",
        ) from error


def _alpha(folder: Path) -> float:
    config = folder / "adapter" / "adapter_config.json"
    return float(json.loads(config.read_text(encoding="utf-8"))["lora_alpha"])


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / "adapter" / ADAPTER_FILE).read_bytes()).hexdigest()
