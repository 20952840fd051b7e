"""Several runs become one: the mean of their adapters, as a folder like that of any run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("safetensors", reason="training needs the extra `distill`")

import numpy as np
from safetensors.numpy import load_file, save_file

from sinc_tui.cli.main import main
from sinc_tui.distill.averaging import average_runs
from sinc_tui.distill.export import trained_layout
from sinc_tui.distill.profiles import ADAPTER_FILE
from sinc_tui.errors import SincError

A = "base_model.model.model.layers.0.mlp.down_proj.lora_A.weight"
B = A.replace("lora_A", "lora_B")


def run(
    folder: Path,
    value: float,
    *,
    rank: int = 2,
    alpha: int = 4,
    base: str = "aa",
    layout: str = "lines",
) -> Path:
    """The folder of a run whose weights are all one value."""
    adapter = folder / "adapter"
    adapter.mkdir(parents=True)
    weights = {
        A: np.full((rank, 6), value, np.float32),
        B: np.full((4, rank), -value, np.float32),
    }
    save_file(weights, adapter / ADAPTER_FILE)
    config = json.dumps({"lora_alpha": alpha})
    (adapter / "adapter_config.json").write_text(config, encoding="utf-8")
    card = {"profile": {"name": "tiny", "layout": layout}, "base_sha256": base}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


def test_the_mean_is_a_run_that_names_those_it_is_made_of(tmp_path: Path) -> None:
    one, two, three = (run(tmp_path / str(value), value) for value in (1.0, 2.0, 6.0))
    average_runs([one, two, three], tmp_path / "new" / "mean")
    mean = tmp_path / "new" / "mean"
    weights = load_file(mean / "adapter" / ADAPTER_FILE)
    assert (weights[A] == 3.0).all()
    assert (weights[B] == -3.0).all()
    assert trained_layout(mean) == "lines"
    assert (mean / "adapter" / "adapter_config.json").is_file()
    card = json.loads((mean / "card.json").read_text(encoding="utf-8"))
    files = [folder / "adapter" / ADAPTER_FILE for folder in (one, two, three)]
    assert card["averaged"] == [hashlib.sha256(f.read_bytes()).hexdigest() for f in files]
    assert (load_file(files[2])[A] == 6.0).all(), "the runs stay as they are"
    assert [path.name for path in mean.parent.iterdir()] == ["mean"]


def damaged(folder: Path) -> Path:
    run(folder, 2.0)
    (folder / "adapter" / ADAPTER_FILE).write_bytes(b"nothing")
    return folder


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: run(folder, 2.0, rank=3), "differ in layers, rank or alpha"),
        (lambda folder: run(folder, 2.0, alpha=8), "differ in layers, rank or alpha"),
        (lambda folder: run(folder, 2.0, base="bb"), "different base models"),
        (lambda folder: run(folder, 2.0, layout="chatml"), "different base models or layouts"),
        (lambda folder: run(folder, -1.0), "began apart"),
        (damaged, "holds no adapter that can be read"),
        (lambda folder: folder, "holds no adapter that can be read"),
    ],
)
def test_runs_that_do_not_belong_together_are_refused(
    tmp_path: Path, make: Callable[[Path], Path], words: str
) -> None:
    one, two = run(tmp_path / "one", 1.0), make(tmp_path / "two")
    with pytest.raises(SincError, match=words):
        average_runs([one, two], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_a_folder_without_a_card_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = run(tmp_path / "one", 1.0), run(tmp_path / "two", 2.0)
    (two / "card.json").unlink()
    arguments = ["distill", "average", str(one), str(two), "--out", str(tmp_path / "mean")]
    assert main(arguments) == 1
    assert "holds no card of a training run" in capsys.readouterr().err


def test_one_run_is_no_mean(tmp_path: Path) -> None:
    with pytest.raises(SincError, match="two runs"):
        average_runs([run(tmp_path / "one", 1.0)], tmp_path / "mean")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    one, two = run(tmp_path / "one", 1.0), run(tmp_path / "two", 2.0)
    with pytest.raises(SincError, match="is there already"):
        average_runs([one, two], two)
    assert (load_file(two / "adapter" / ADAPTER_FILE)[A] == 2.0).all()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    one, two = run(tmp_path / "one", 1.0), run(tmp_path / "two", 2.0)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SincError, match="cannot be written"):
        average_runs([one, two], tmp_path / "file" / "mean")
