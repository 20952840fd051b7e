"""The clipboard with real helper programs: a fake xclip on PATH, a real tmux, helpers that fail."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinc_tui.tui.clipboard import CopyResult, Route, copy, plan

WEB = {"TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"}
TEXT = 'Zeile 1\n"quoted" – naïve 日本語\n'


class Terminal:
    """Takes what would be sent to the terminal as OSC 52."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def __call__(self, text: str) -> None:
        self.sent.append(text)


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


@pytest.fixture
def desk(tmp_path: Path) -> dict[str, str]:
    """An environment with an X display, and no program on PATH but Python's and the tests' own."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for needed in ("sh", "cat", "sleep"):
        (programs / needed).symlink_to(shutil.which(needed) or needed)
    return {"PATH": str(programs), "DISPLAY": ":99", "PYTHONPATH": os.pathsep.join(sys.path)}


def put_xclip(desk: dict[str, str], script: str) -> None:
    """Put a shell script on PATH under the name of the helper that pyperclip looks for."""
    program = Path(desk["PATH"]) / "xclip"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("environment", "routes"),
    [
        ({}, (Route.NATIVE, Route.OSC52)),
        ({"TMUX": "/tmp/s,1,0"}, (Route.TMUX, Route.NATIVE, Route.OSC52)),
        ({"SSH_TTY": "/dev/pts/1"}, (Route.OSC52,)),
        ({"SSH_CONNECTION": "::1 1 ::1 22"}, (Route.OSC52,)),
        ({"SSH_CONNECTION": "::1 1 ::1 22", "TMUX": "/tmp/s,1,0"}, (Route.TMUX, Route.OSC52)),
        ({"SSH_TTY": "", "TMUX": ""}, (Route.NATIVE, Route.OSC52)),
        (WEB | {"TMUX": "/tmp/s,1,0", "SSH_TTY": "/dev/pts/1"}, (Route.BROWSER,)),
    ],
)
def test_plan(environment: dict[str, str], routes: tuple[Route, ...]) -> None:
    assert plan(environment) == routes


async def test_helper_gets_the_text(
    desk: dict[str, str], terminal: Terminal, tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    put_xclip(desk, f'echo "$@" > {taken}.args; cat > {taken}')
    result = await copy(TEXT, send_osc52=terminal, environment=desk, file=tmp_path / "copy")
    assert result == CopyResult(Route.NATIVE, tmp_path / "copy")
    assert taken.read_text() == TEXT
    assert "-selection c" in Path(f"{taken}.args").read_text()
    assert terminal.sent == []
    assert "clipboard" in result.message


async def test_helper_that_leaves_a_child_behind_does_not_hold_the_app(
    desk: dict[str, str], terminal: Terminal, tmp_path: Path
) -> None:
    """xclip forks and serves the selection; its child keeps stdout and stderr open."""
    put_xclip(desk, f"cat > {tmp_path}/taken; sleep 30 & echo $! > {tmp_path}/pid")
    begun = time.monotonic()
    result = await copy(TEXT, send_osc52=terminal, environment=desk, file=tmp_path / "copy")
    assert result.route is Route.NATIVE
    assert time.monotonic() - begun < 10
    child = int((tmp_path / "pid").read_text())
    os.kill(
        child, 9
    )  # raises when the child, which serves the selection, was ended with its parent


async def test_locked_clipboard_falls_through(
    desk: dict[str, str], terminal: Terminal, tmp_path: Path
) -> None:
    put_xclip(desk, "cat > /dev/null; exit 7")
    result = await copy(TEXT, send_osc52=terminal, environment=desk, file=tmp_path / "copy")
    assert result.route is Route.OSC52
    assert terminal.sent == [TEXT]
    assert "exit code 7" in result.hint
    assert str(tmp_path / "copy") in result.hint
    assert not result.confirmed


async def test_hanging_helper_is_ended_with_its_children(
    desk: dict[str, str], terminal: Terminal, tmp_path: Path
) -> None:
    put_xclip(desk, f"echo $$ > {tmp_path}/pid; cat > /dev/null; sleep 60; exit 0")
    result = await copy(
        TEXT, send_osc52=terminal, environment=desk, file=tmp_path / "copy", seconds=1.5
    )
    assert result.route is Route.OSC52
    assert "did not answer within 1.5 s" in result.hint
    helper = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 5
    while _alive(helper):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_no_helper_at_all(desk: dict[str, str], terminal: Terminal, tmp_path: Path) -> None:
    result = await copy(TEXT, send_osc52=terminal, environment=desk, file=tmp_path / "copy")
    assert result.route is Route.OSC52
    assert terminal.sent == [TEXT]
    assert "install xclip or wl-clipboard" in result.hint
    assert "sent to the terminal" in result.message


async def test_a_page_gets_the_sequence_and_no_helper(
    desk: dict[str, str], terminal: Terminal, tmp_path: Path
) -> None:
    put_xclip(desk, f"cat > {tmp_path}/taken")
    result = await copy(TEXT, send_osc52=terminal, environment=desk | WEB, file=tmp_path / "copy")
    assert (result.route, result.confirmed, terminal.sent) == (Route.BROWSER, False, [TEXT])
    assert "browser" in result.message
    assert str(tmp_path / "copy") in result.hint
    assert not (tmp_path / "taken").exists()


async def test_file_is_private_and_replaced_whole(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "copy"
    file.write_text("an older and much longer text than the new one")
    await copy("new", send_osc52=terminal, environment={"SSH_TTY": "x"}, file=file)
    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


async def test_file_that_cannot_be_written_is_told(terminal: Terminal, tmp_path: Path) -> None:
    environment = {"SSH_TTY": "x"}
    file = tmp_path / "missing" / "copy"
    result = await copy(TEXT, send_osc52=terminal, environment=environment, file=file)
    assert terminal.sent == [TEXT]
    assert result.file is None
    assert "copy on disk failed" in result.hint


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A real tmux server of its own; yields the environment of a program inside it."""
    program = shutil.which("tmux")
    if program is None:
        pytest.skip("tmux is not installed")
    socket = tmp_path / "socket"
    base = [program, "-S", str(socket), "-f", "/dev/null"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "xterm"}
    subprocess.run([*base, "new-session", "-d", "cat"], check=True, env=environment)
    yield environment | {"TMUX": f"{socket},0,0"}
    subprocess.run([*base, "kill-server"], check=False)


async def test_tmux_buffer(tmux: dict[str, str], terminal: Terminal, tmp_path: Path) -> None:
    result = await copy(TEXT, send_osc52=terminal, environment=tmux, file=tmp_path / "copy")
    shown = subprocess.run(["tmux", "show-buffer"], env=tmux, check=True, capture_output=True)
    assert shown.stdout.decode() == TEXT
    assert result.route is Route.TMUX
    assert terminal.sent == []


async def test_tmux_that_is_gone_falls_through(
    desk: dict[str, str], terminal: Terminal, tmp_path: Path
) -> None:
    tmux = shutil.which("tmux")
    if tmux is None:
        pytest.skip("tmux is not installed")
    (Path(desk["PATH"]) / "tmux").symlink_to(tmux)
    put_xclip(desk, f"cat > {tmp_path}/taken")
    environment = desk | {"TMUX": f"{tmp_path}/no-such-socket,1,0"}
    result = await copy(TEXT, send_osc52=terminal, environment=environment, file=tmp_path / "copy")
    assert result.route is Route.NATIVE
    assert (tmp_path / "taken").read_text() == TEXT
    assert "tmux cannot be used" in result.hint


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
