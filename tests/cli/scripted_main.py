"""The command line with a scripted engine in the place of a model, as a process of its own.

python scripted_main.py SCRIPT ARGUMENTS...    (for SCRIPT see tests/support/scripted_worker.py)
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import sinc_tui.cli.main
from sinc_tui.engine.protocol import EngineOptions
from sinc_tui.models.default import ModelFile
from sinc_tui.rewriter import Rewriter

WORKER = Path(__file__).parents[1] / "support" / "scripted_worker.py"


def scripted_rewriter(model: ModelFile | None, options: EngineOptions) -> Rewriter:
    worker = [sys.executable, str(WORKER), "--script", sys.argv[1]]
    return Rewriter(
        model or ModelFile(Path("none.gguf"), "scripted"), options=options, worker=worker
    )


if __name__ == "__main__":
    # A shell's background job inherits an ignored Ctrl-C; a person's foreground process does not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.modules["sinc_tui.cli.rewrite"].new_rewriter = scripted_rewriter  # type: ignore[attr-defined]
    sys.exit(sinc_tui.cli.main.main(sys.argv[2:]))
