"""The whole app on the scripted worker: `python scripted_app.py [--tour] [ARGUMENT OF THE WORKER]...`.

Newcomers are shown around with `--tour` only.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sinc_tui.rewriter import ModelFile
from sinc_tui.tui.app import run_app

WORKER = Path(__file__).with_name("scripted_worker.py")

if __name__ == "__main__":
    model = ModelFile(Path("scripted.gguf"), "scripted-model")
    arguments = [argument for argument in sys.argv[1:] if argument != "--tour"]
    worker = [sys.executable, str(WORKER), *arguments]
    sys.exit(run_app(model, worker=worker, tour=len(arguments) < len(sys.argv) - 1))
