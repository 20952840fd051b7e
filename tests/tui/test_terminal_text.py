"""Texts of every kind in a real terminal: nothing pasted acts, nothing wide moves a column."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.scripted_app import WORKER
from tests.support.tmux import Terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

APP = [sys.executable, str(WORKER.with_name("scripted_app.py"))]
ACTING = (
    b"one\x1b[A\x1b[2J\x1b]52;c;b3duZWQ=\x07\x1b]0;owned\x07\x1bOP\x1b[21~\x1b[200~\x11\x00 "
    b"two \xe2\x80\xaekcab \xff\xfe three\x1b"
)
"""Keys, a clearing of the screen, the clipboard, the title, F1, F10, Ctrl+Q, NUL, bidi, no UTF-8."""

Open = Callable[..., Terminal]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens the app in a terminal of a size."""
    terminals: list[Terminal] = []

    def open_app(size: tuple[int, int], *arguments: str) -> Terminal:
        terminal = Terminal(tmp_path, *size)
        terminals.append(terminal)
        environment = {
            "TERM": "tmux-256color",
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": ":".join(filter(None, sys.path)),
            **{f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("STATE", "DATA", "CONFIG")},
        }
        terminal.start([*APP, *arguments], environment)
        terminal.wait_for("ready")
        return terminal

    yield open_app
    for terminal in terminals:
        terminal.close()


@pytest.mark.parametrize("where", ["prompt", "band"])
def test_a_paste_that_would_act_is_text(opened: Open, tmp_path: Path, where: str) -> None:
    """It stands where it was pasted, and pressed no key; what is typed behind it follows it."""
    terminal = opened((120, 35))
    if where == "band":
        terminal.keys("Tab")
        terminal.wait_for("esc Prompt")
    pasted = tmp_path / "pasted"
    pasted.write_bytes(ACTING)
    terminal.paste_file(pasted)
    terminal.wait_for("three␛")
    terminal.type("!")
    screen = terminal.wait_for("three␛!")
    own = [row[:39] if where == "band" else row for row in screen.splitlines()]
    shown = re.sub(r"[\s▌]", "", "".join(own))
    assert "one␛[A␛[2J␛]52;c;b3duZWQ=␇␛]0;owned␇␛OP␛[21~␛[200~␑two�kcab��three␛!" in shown
    assert "Keys" not in screen
    assert "Settings" not in screen
    assert "ready" in screen
    assert terminal.buffer() == ""
    terminal.keys("C-q")
    terminal.wait_until(terminal.dead, "end of the app")


@pytest.mark.parametrize("where", ["prompt", "band"])
def test_a_megabyte_is_refused_and_the_app_goes_on(
    opened: Open, tmp_path: Path, where: str
) -> None:
    terminal = opened((80, 24))
    if where == "band":
        terminal.keys("Tab")
        terminal.wait_for("esc Prompt")
    terminal.type("before")
    pasted = tmp_path / "pasted"
    pasted.write_bytes(b"word\x1b[A\n" * 125_000)
    terminal.paste_file(pasted)
    terminal.wait_for("The paste has 1,000,000 characters", r"Nothing\s+was pasted", seconds=60)
    terminal.type(" after")
    terminal.wait_for("before after")


def test_the_terminals_cursor_is_where_one_types(opened: Open) -> None:
    """An input method draws what it composes at the terminal's cursor."""
    terminal = opened((80, 24))
    terminal.type("日本")
    terminal.wait_for("日本")
    terminal.wait_until(lambda: terminal.cursor() == (2 + 4, 1), "cursor behind the prompt")
    terminal.keys("Tab")
    terminal.wait_for("esc Prompt")
    terminal.type("語")
    terminal.wait_for("▌ 語")
    terminal.wait_until(lambda: terminal.cursor() == (2 + 2, 5), "cursor in the band")
