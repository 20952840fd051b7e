"""One student of several runs: the mean of their adapters.

Of runs that go on from one another, the mean of the weights often does better than each of them
(https://arxiv.org/abs/1803.05407, https://arxiv.org/abs/2203.05482), and takes no more time to run.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from sinc_tui.distill.export import run_card
from sinc_tui.distill.profiles import ADAPTER_FILE
from sinc_tui.errors import SincError
from sinc_tui.models.gguf_io import Floats


def average_runs(folders: Sequence[Path], out: Path) -> None:
    """Write the mean of the adapters of runs (folders of `distill train`) as a run of its own.

    A and B are averaged apart. Between two adapters, B A of the means is less than the mean of the two B A
    by a quarter of the product of their differences, which is little where one was trained from the other.
    Raises `SincError` where a folder holds no run, where the runs are of different bases, layouts or
    shapes, and where `out` is there already.
    """
    cards = [run_card(folder) for folder in folders]
    adapters = [_weights(folder) for folder in folders]
    kinds = {(card["base_sha256"], card["profile"].get("layout", "chatml")) for card in cards}
    if len(kinds) > 1:
        raise SincError("These runs are of different base models or layouts.", hint=_HINT)
    if len({_shapes(weights) for weights in adapters}) > 1:
        raise SincError("The adapters of these runs have different layers or ranks.", hint=_HINT)
    if out.exists():
        raise SincError(f"{out} is there already.", hint="Name another folder.")
    shutil.copytree(folders[-1] / "adapter", out / "adapter")
    mean = {
        key: np.stack([weights[key] for weights in adapters]).mean(axis=0, dtype=np.float32)
        for key in adapters[0]
    }
    save_file(mean, out / "adapter" / ADAPTER_FILE, metadata={"format": "pt"})
    card = {
        "profile": cards[-1]["profile"],
        "base_sha256": cards[-1]["base_sha256"],
        "averaged": [_digest(folder) for folder in folders],
    }
    (out / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


_HINT = "Average runs that go on from one another: sinc-tui distill train --from."


def _weights(folder: Path) -> dict[str, Floats]:
    path = folder / "adapter" / ADAPTER_FILE
    if not path.is_file():
        raise SincError(
            f"{folder} holds no adapter.", hint="Train one with: sinc-tui distill train"
        )
    return load_file(path)


def _shapes(weights: dict[str, Floats]) -> frozenset[tuple[str, tuple[int, ...]]]:
    return frozenset((key, matrix.shape) for key, matrix in weights.items())


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / "adapter" / ADAPTER_FILE).read_bytes()).hexdigest()
