"""Several runs become one: the mean of their adapters, as a run like any other."""

from __future__ import annotations

import hashlib
import json
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


def run(folder: Path, value: float, *, rank: int = 2, base: str = "aa") -> Path:
    """The folder of a run whose weights are all one value."""
    adapter = folder / "adapter"
    adapter.mkdir(parents=True)
    weights = {
        A: np.full((rank, 6), value, np.float32),
        B: np.full((4, rank), -value, np.float32),
    }
    save_file(weights, adapter / ADAPTER_FILE)
    (adapter / "adapter_config.json").write_text('{"lora_alpha": 4}', encoding="utf-8")
    card = {"profile": {"name": "tiny", "layout": "lines"}, "base_sha256": base}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


def test_the_mean_is_a_run_that_names_those_it_is_made_of(tmp_path: Path) -> None:
    one, two, three = (run(tmp_path / str(value), value) for value in (1.0, 2.0, 6.0))
    average_runs([one, two, three], tmp_path / "mean")
    weights = load_file(tmp_path / "mean" / "adapter" / ADAPTER_FILE)
    assert (weights[A] == 3.0).all()
    assert (weights[B] == -3.0).all()
    assert trained_layout(tmp_path / "mean") == "lines"
    assert (tmp_path / "mean" / "adapter" / "adapter_config.json").is_file()
    card = json.loads((tmp_path / "mean" / "card.json").read_text(encoding="utf-8"))
    files = [folder / "adapter" / ADAPTER_FILE for folder in (one, two, three)]
    assert card["averaged"] == [hashlib.sha256(f.read_bytes()).hexdigest() for f in files]
    assert (load_file(files[2])[A] == 6.0).all(), "the runs stay as they are"


@pytest.mark.parametrize(
    ("other", "words"),
    [({"rank": 3}, "different layers or ranks"), ({"base": "bb"}, "different base models")],
)
def test_runs_that_do_not_belong_together_are_refused(
    tmp_path: Path, other: dict[str, object], words: str
) -> None:
    one, two = run(tmp_path / "one", 1.0), run(tmp_path / "two", 2.0, **other)  # type: ignore[arg-type]
    with pytest.raises(SincError, match=words):
        average_runs([one, two], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_what_is_no_run_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = run(tmp_path / "one", 1.0)
    arguments = ["distill", "average", str(one), str(tmp_path), "--out", str(tmp_path / "mean")]
    assert main(arguments) == 1
    assert "holds no card of a training run" in capsys.readouterr().err


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    one, two = run(tmp_path / "one", 1.0), run(tmp_path / "two", 2.0)
    with pytest.raises(SincError, match="is there already"):
        average_runs([one, two], two)
    assert (load_file(two / "adapter" / ADAPTER_FILE)[A] == 2.0).all()
