"""The app in a real terminal: keys in, screen and clipboard out, at three sizes."""

from __future__ import annotations

import json
import re
import shutil
import stat
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
FIRST_WORDS = [" ".join(text.split()[:2]) for text in TEXTS.values()]


@pytest.fixture(params=[(200, 50), (120, 35), (80, 24)], ids=lambda size: f"{size[0]}x{size[1]}")
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path, *request.param)
    yield terminal
    terminal.close()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """State in a folder of the test, the repository importable."""
    return {
        "TERM": "tmux-256color",
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "PYTHONPATH": ":".join(filter(None, sys.path)),
        "SSH_TTY": "",
        "SSH_CONNECTION": "",
        "SSH_CLIENT": "",
    }


def test_prompt_to_clipboard(
    terminal: Terminal, environment: dict[str, str], tmp_path: Path
) -> None:
    """Type, Enter, one key: the document is in tmux's buffer, and in the file."""
    terminal.start(APP, environment)
    terminal.wait_for("CONSTRAINTS", "ready", "untrained")
    terminal.type("fix line 3")
    terminal.keys("Enter")
    screen = terminal.wait_for("finished", "tok/s", *FIRST_WORDS)
    for band in Band:
        assert band.value in screen
    assert screen.count("✓ ") >= 12  # five badges, six bands, the status
    assert "NOISE" not in screen
    terminal.keys("C-y")
    terminal.wait_for("JSON: copied to tmux")
    document = json.loads(terminal.buffer())
    assert [fragment["x"] for fragment in document["fragments"]] == list(TEXTS.values())
    saved = (tmp_path / "state" / "sinc-tui" / "clipboard.txt").read_text()
    assert json.loads(saved) == document
    terminal.keys("C-q")
    terminal.wait_until(terminal.dead, "end of the app")


def test_outside_tmux_a_helper_gets_it(
    terminal: Terminal, environment: dict[str, str], tmp_path: Path
) -> None:
    """The same with TMUX taken away and an xclip on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    xclip = programs / "xclip"
    xclip.write_text(f"#!/bin/sh\nexec cat > {tmp_path}/taken\n")
    xclip.chmod(xclip.stat().st_mode | stat.S_IXUSR)
    path = f"{programs}:/usr/bin:/bin"
    terminal.start(APP, environment | {"PATH": path, "DISPLAY": ":99", "TMUX": ""})
    terminal.wait_for("ready")
    terminal.type("fix line 3")
    terminal.keys("Enter")
    terminal.wait_for("finished")
    terminal.keys("C-y")
    terminal.wait_for("JSON: copied to the clipboard")
    document = json.loads((tmp_path / "taken").read_text())
    assert document["fragments"][5]["x"] == TEXTS[Band.TASK]
    assert terminal.buffer() == ""


def test_new_lines_and_paste(terminal: Terminal, environment: dict[str, str]) -> None:
    """Ctrl+J puts in a line, a paste keeps its lines, and neither runs."""
    terminal.start(APP, environment)
    terminal.wait_for("ready")
    terminal.type("one")
    terminal.keys("C-j")
    terminal.paste("two\nthree\nfour")
    terminal.wait_for("four")
    typed = re.findall(r"│ (\w+)", terminal.screen())
    assert typed[-3:] == ["two", "three", "four"]
    assert "ready" in terminal.screen()
    terminal.keys("Enter")
    terminal.wait_for("finished")


def test_resizing_in_mid_run(terminal: Terminal, environment: dict[str, str]) -> None:
    """Through every layout and below the smallest, while the bands fill."""
    terminal.start([*APP, "--delay", "0.02"], environment)
    terminal.wait_for("ready")
    terminal.type("fix line 3")
    terminal.keys("Enter")
    terminal.wait_for("writing")
    terminal.resize(59, 19)
    terminal.wait_for("window is too small")
    for columns, rows in [(80, 24), (120, 35), (200, 50)]:
        terminal.resize(columns, rows)
        terminal.wait_for("fix line 3", "PERSONA", r"New prompt")
    terminal.wait_for("finished", *FIRST_WORDS, seconds=60)


def test_stop_and_quit_in_mid_run(terminal: Terminal, environment: dict[str, str]) -> None:
    """Esc keeps what is there; a copy of it says that it is not complete; quitting works."""
    terminal.start([*APP, "--script", "stuck"], environment)
    terminal.wait_for("ready")
    terminal.type("x")
    terminal.keys("Enter")
    terminal.wait_for("writing", FIRST_WORDS[1])
    terminal.keys("Escape")
    terminal.wait_for("stopped, 2 of 6 bands finished", FIRST_WORDS[1])
    terminal.keys("C-y")
    terminal.wait_for("Not complete, 2 of 6 bands")
    assert terminal.buffer().startswith("Unfinished sinc document")
    terminal.keys("Enter")
    terminal.wait_for("writing")
    terminal.keys("C-q")
    terminal.wait_until(terminal.dead, "end of the app")


def test_hostile_texts_do_not_act(terminal: Terminal, environment: dict[str, str]) -> None:
    """Escape sequences, markup and bidi controls of a model are shown, not obeyed."""
    terminal.start([*APP, "--script", "hostile"], environment)
    terminal.wait_for("ready")
    terminal.type("x")
    terminal.keys("Enter")
    screen = terminal.wait_for("finished|failed")
    assert "[bold red]not" in screen
    assert "␛[31mred" in screen
    assert "\N{REPLACEMENT CHARACTER}gnihton" in " ".join(screen.split())
    assert not {"\x1b", "\x07", "\u202e"} & set(screen)


def test_edit_lock_rewrite_and_copy(terminal: Terminal, environment: dict[str, str]) -> None:
    """A band is edited and locked, another rewritten; the first result is kept, the copy has all."""
    terminal.start(APP, environment)
    terminal.wait_for("ready")
    terminal.type("fix line 3")
    terminal.keys("Enter")
    terminal.wait_for("finished", FIRST_WORDS[5])
    terminal.keys("Tab", "C-l")
    terminal.wait_for("PERSONA is locked")
    terminal.type("Now: ")
    terminal.wait_for("Now: You are", "finished, edited")
    terminal.keys("Tab", "C-g")
    terminal.wait_for("result 2/2", "finished", "Now: You are")
    terminal.keys("C-e")
    terminal.wait_for("Copy as", "system part")
    terminal.keys("Down", "Enter")
    terminal.wait_for("Compact JSON: copied to tmux")
    document = json.loads(terminal.buffer())
    assert document["fragments"][0]["x"] == f"Now: {TEXTS[Band.PERSONA]}"
    terminal.keys("F3")
    terminal.wait_for("result 1/2", "Result 1 of 2")
    terminal.keys("C-y")
    terminal.wait_for("Compact JSON: copied to tmux")


def test_mend_vary_compare_reset_and_back(terminal: Terminal, environment: dict[str, str]) -> None:
    """A second sentence in TASK is told and mended; what was typed is taken back; Esc goes home."""
    terminal.start(APP, environment)
    terminal.wait_for("ready")
    terminal.type("fix line 3")
    terminal.keys("Enter")
    terminal.wait_for("finished", FIRST_WORDS[5])
    terminal.keys("BTab")
    terminal.wait_for("esc Prompt")
    terminal.keys("C-End")
    terminal.type(" Then explain it.")
    terminal.wait_for("TASK has 2 sentences", "F2 moves the rest")
    terminal.keys("F2")
    terminal.wait_for("Mended: TASK, CONSTRAINTS", "✓ (TASK one )?sentence")
    terminal.keys("C-z")
    terminal.wait_for("TASK has 2 sentences")
    terminal.keys("F8")
    terminal.wait_for("TASK is as the model wrote it", "✓ (TASK one )?sentence")
    terminal.keys("C-t")
    terminal.wait_for("result 2/2", "finished")
    terminal.keys("F9")
    terminal.wait_for("Compare", "other result")
    terminal.keys("Right")
    terminal.wait_for("Result 1 +struck through", "TASK =|PERSONA =")
    terminal.keys("Escape")
    terminal.wait_for("esc Prompt")
    terminal.keys("Escape")
    terminal.wait_for("⏎ Run")
    terminal.type("now ")
    terminal.wait_for("now fix line 3|fix line 3now ")
