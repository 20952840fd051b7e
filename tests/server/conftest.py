"""Servers as processes of their own: the app for browsers, HTTP for programs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.processes import SCRIPTED as SCRIPTED_CLI

SCRIPTED = Path(__file__).with_name("scripted_web.py")
ROOT = Path(__file__).parents[2]


class Served:
    """A server that runs.

    Attributes:
        process: it.
        address: what it printed.
        home: the folder of all that it keeps.
    """

    def __init__(self, home: Path, command: Sequence[str]) -> None:
        self.home = home
        folders = {
            f"XDG_{name}_HOME": str(home / name) for name in ("STATE", "DATA", "CONFIG", "CACHE")
        }
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=home,
            env=os.environ | folders | {"PYTHONPATH": str(ROOT), "TMUX": "/tmp/none,1,0"},
        )  # fmt: skip
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()

    @property
    def origin(self) -> str:
        """The beginning of the address, without the key."""
        return self.address.rstrip("/").rpartition("/")[0]

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code and what it complained about."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        _, complaints = self.process.communicate(timeout=60)
        return self.process.returncode, complaints


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start servers for browsers on the scripted engine, with the arguments of its worker."""
    with ExitStack() as stack:

        def start(*arguments: str) -> Served:
            served = Served(tmp_path, [sys.executable, str(SCRIPTED), *arguments])
            stack.callback(served.end)
            return served

        yield start


@pytest.fixture
def serve_http(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start servers for programs: with a command line, or the scripted engine on a script."""
    with ExitStack() as stack:

        def start(script: str = "normal", command: Sequence[str] = ()) -> Served:
            line = [*(command or [*SCRIPTED_CLI, script]), "serve", "--port", "0"]
            served = Served(tmp_path, line)
            stack.callback(served.end)
            return served

        yield start
