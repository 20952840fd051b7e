"""Training in two processes, as on two GPUs: one run, one folder, gradients averaged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs the extra `distill`")

STEPS = 2
SCRIPT = """
import sys
from sinc_tui.distill import training
from sinc_tui.cli.main import main

run = training.Trainer.run
def watched(self):
    progress = run(self)
    weights = sum(float(w.detach().double().sum()) for w in self._weights)
    print("weights", self._processes.process_index, repr(weights), flush=True)
    return progress
training.Trainer.run = watched
sys.exit(main())
"""


def test_two_processes_train_one_adapter(tmp_path: Path) -> None:
    script, out = tmp_path / "watched.py", tmp_path / "run"
    script.write_text(SCRIPT)
    launch = "-m torch.distributed.run --standalone --nproc_per_node 2"
    options = f"distill train tiny --examples {STEPS * 2 * 2} --batch 2 --epochs 1 --dev 1"
    done = subprocess.run(
        [sys.executable, *launch.split(), str(script), *options.split(), "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    sums = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("weights")]
    assert sorted(process for process, _ in sums) == ["0", "1"]
    assert len({total for _, total in sums}) == 1, "both hold the same weights"
    assert done.stdout.count("written:") == 1
    card = json.loads((out / "card.json").read_text())
    assert (card["processes"], card["step"], card["examples"]) == (2, STEPS, STEPS * 2 * 2)
    assert (out / "adapter" / "adapter_model.safetensors").is_file()
