"""What the app keeps, in a real terminal: quit, kill, come back, reopen, save."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinc_tui.sinc.bands import Band
from tests.support.scripted_app import WORKER
from tests.support.scripted_worker import TEXTS
from tests.support.tmux import Terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

APP = [sys.executable, str(WORKER.with_name("scripted_app.py"))]
STUCK = [*APP, "--script", "stuck"]


class Desk:
    """Terminals one after the other, on the same folders."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._terminals: list[Terminal] = []
        self._environment = {
            "TERM": "tmux-256color",
            "PYTHONPATH": ":".join(filter(None, sys.path)),
            **{f"XDG_{kind}_HOME": str(folder / kind) for kind in ("STATE", "DATA", "CONFIG")},
        }

    def open(self, command: list[str]) -> Terminal:
        folder = self._folder / f"terminal{len(self._terminals)}"
        folder.mkdir()
        terminal = Terminal(folder, 120, 35)
        self._terminals.append(terminal)
        terminal.start(command, self._environment)
        terminal.wait_for("ready")
        return terminal

    def pid(self) -> int:
        """The process of the app, after which its draft is named."""
        (draft,) = (self._folder / "STATE" / "sinc-tui" / "drafts").glob("*.prompt")
        return int(draft.stem)

    def stored(self) -> str:
        """PERSONA of the first run, as far as it is committed."""
        path = self._folder / "DATA" / "sinc-tui" / "history.sqlite3"
        if not path.exists():
            return ""
        with contextlib.closing(sqlite3.connect(path)) as connection:
            try:
                row = connection.execute("SELECT persona FROM runs").fetchone()
            except sqlite3.OperationalError:  # the tables are being made
                return ""
        return row[0] if row else ""

    def close(self) -> None:
        for terminal in self._terminals:
            terminal.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


@pytest.mark.parametrize("end", ["quit", "kill", "hangup"])
def test_leave_in_mid_run_and_come_back(desk: Desk, end: str) -> None:
    """The prompt is in its place, and what was written of the bands is in the history."""
    terminal = desk.open(STUCK)
    terminal.type("fix line 3")
    terminal.keys("Enter")
    terminal.wait_for("writing", "You are a careful", "The user")
    terminal.wait_until(lambda: "careful" in desk.stored(), "band in the history")
    if end == "quit":
        terminal.keys("C-q")
    else:
        os.kill(desk.pid(), signal.SIGKILL if end == "kill" else signal.SIGHUP)
    terminal.wait_until(terminal.dead, "end of the app")
    again = desk.open(APP)
    again.wait_for("fix line 3", "the prompt you left")
    again.keys("F7")
    again.wait_for("History · 1 run", "You are a careful programmer")
    again.keys("Enter")
    again.wait_for("Reopened", "You are a careful")
    again.keys("Enter")
    again.wait_for("finished", "Fix line 3 of the code")


def test_a_terminal_that_vanishes_without_a_word(tmp_path: Path) -> None:
    """One that does not control the app, so that no signal tells of its end."""
    ours, its = pty.openpty()
    folders = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("STATE", "DATA", "CONFIG")}
    app = subprocess.Popen(
        APP, stdin=its, stdout=its, stderr=its, env=os.environ | {"TERM": "xterm"} | folders
    )
    os.close(its)
    try:
        seen = b""
        while b"ready" not in seen:
            seen += os.read(ours, 1 << 16)
        os.close(ours)
        assert app.wait(timeout=30) == -signal.SIGHUP
    finally:
        app.kill()
        app.wait()


def test_save_and_open(desk: Desk, tmp_path: Path) -> None:
    terminal = desk.open(APP)
    terminal.type("fix line 3")
    terminal.keys("Enter")
    terminal.wait_for("finished")
    terminal.keys("C-s")
    terminal.wait_for("Save", r"fix-line-3\.sinc\.json")
    terminal.keys("C-u")
    terminal.wait_for("Path of a file")
    terminal.type(str(tmp_path / "mine.sinc.json"))
    terminal.keys("Enter")
    terminal.wait_for("Saved as")
    document = json.loads((tmp_path / "mine.sinc.json").read_text(encoding="utf-8"))
    assert document["fragments"][5]["x"] == TEXTS[Band.TASK]
    terminal.keys("C-n")
    terminal.wait_for("Prompt cleared")
    terminal.keys("C-o")
    terminal.wait_for("Tab completes")
    terminal.keys("C-u")
    terminal.wait_for("Path of a file")
    terminal.type(str(tmp_path / "mine.sinc.json"))
    terminal.keys("Enter")
    terminal.wait_for("mine.sinc.json is open", "Fix line 3 of the code")


def test_the_editor_has_the_terminal(desk: Desk, tmp_path: Path) -> None:
    """The editor draws on the terminal and reads from it; afterwards the app is back."""
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\necho EDITOR HERE\nread word\necho "$word" > "$1"\n')
    editor.chmod(0o755)
    desk._environment["EDITOR"] = str(editor)
    desk._environment["VISUAL"] = ""
    terminal = desk.open(APP)
    terminal.type("before")
    terminal.keys("F12")
    terminal.wait_for("EDITOR HERE")
    terminal.type("after")
    terminal.keys("Enter")
    terminal.wait_for("│ after", "ready")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("#!/bin/sh\nexit 1\n", "editor.sh ended with 1; the text stays as it was"),
        ("#!/bin/sh\nprintf '\\377' > \"$1\"\n", "editor.sh left nothing to read"),
        ("#!/no/such/shell\n", "editor.sh left nothing to read"),
    ],
    ids=["error", "no UTF-8", "does not start"],
)
def test_an_editor_that_fails_gives_the_terminal_back(
    desk: Desk, tmp_path: Path, script: str, said: str
) -> None:
    editor = tmp_path / "editor.sh"
    editor.write_text(script)
    editor.chmod(0o755)
    desk._environment |= {"EDITOR": str(editor), "VISUAL": ""}
    terminal = desk.open(APP)
    terminal.type("before")
    terminal.wait_for("before")
    terminal.keys("F12")
    terminal.wait_for(said)
    terminal.type(" and after")
    terminal.wait_for("before and after")
