"""The whole app on the scripted worker: `python scripted_app.py [ARGUMENT OF THE WORKER]...`."""

from __future__ import annotations

import sys
from pathlib import Path

from sinc_tui.rewriter import ModelFile
from sinc_tui.tui.app import run_app

WORKER = Path(__file__).with_name("scripted_worker.py")

if __name__ == "__main__":
    model = ModelFile(Path("scripted.gguf"), "scripted-model")
    sys.exit(run_app(model, worker=[sys.executable, str(WORKER), *sys.argv[1:]]))
