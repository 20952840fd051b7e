"""Running the command line as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLI = [sys.executable, "-m", "sinc_tui.cli.main"]
SCRIPTED = [sys.executable, str(Path(__file__).with_name("scripted_main.py"))]


def environment(home: Path) -> dict[str, str]:
    """An environment whose files stay in `home`."""
    return os.environ | {
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "PYTHONPATH": str(ROOT),
    }


def run(
    command: list[str], home: Path, *, stdin: bytes = b"", **changes: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end, in `home`, with bytes in its pipe."""
    return subprocess.run(
        command, input=stdin, capture_output=True, cwd=home,
        env=environment(home) | changes, check=False, timeout=300,
    )  # fmt: skip
