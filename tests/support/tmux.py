"""A real terminal for the tests: a tmux server of their own, driven by keys and read as text."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class Terminal:
    """One tmux window on a private socket.

    Waits by polling the screen; the deadline is generous because the machine may be busy.
    """

    def __init__(self, folder: Path, columns: int, rows: int) -> None:
        self._base = ["tmux", "-S", str(folder / "tmux.sock"), "-f", "/dev/null"]
        self._size = ["-x", str(columns), "-y", str(rows)]

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a program; the window stays when it ends, so that its last words can be read.

        COLUMNS and LINES, which some shells and readline export, would hide the window's real size.
        """
        assignments = [f"{name}={value}" for name, value in environment.items()]
        line = shlex.join(["env", "-u", "COLUMNS", "-u", "LINES", *assignments, *command])
        keep = ["set", "-g", "remain-on-exit", "on"]
        self._tmux("start-server", ";", *keep, ";", "new-session", "-d", *self._size, line)
        self._tmux("set", "-g", "window-size", "manual")

    def close(self) -> None:
        """End the server and what runs in it."""
        subprocess.run([*self._base, "kill-server"], check=False, capture_output=True)

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names."""
        self._tmux("send-keys", *names)

    def type(self, text: str) -> None:
        """Press the keys of a text."""
        self._tmux("send-keys", "-l", text)

    def paste(self, text: str) -> None:
        """Paste as a terminal does, between the marks of a bracketed paste."""
        self._tmux("set-buffer", "-b", "pasted", text)
        self._tmux("paste-buffer", "-p", "-d", "-b", "pasted")

    def paste_file(self, path: Path) -> None:
        """The same with the bytes of a file, whatever they are."""
        self._tmux("load-buffer", "-b", "pasted", str(path))
        self._tmux("paste-buffer", "-p", "-r", "-d", "-b", "pasted")

    def cursor(self) -> tuple[int, int]:
        """Column and row of the terminal's own cursor, from 0."""
        column, row = self._tmux("display-message", "-p", "#{cursor_x} #{cursor_y}").split()
        return int(column), int(row)

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def buffer(self) -> str:
        """Tmux's newest paste buffer; empty when there is none."""
        return subprocess.run(
            [*self._base, "show-buffer"], check=False, capture_output=True, text=True
        ).stdout

    def screen(self) -> str:
        """What is on the screen."""
        return self._tmux("capture-pane", "-p")

    def dead(self) -> bool:
        """Whether the program has ended."""
        return self._tmux("display-message", "-p", "#{pane_dead}").strip() == "1"

    def wait_for(self, *words: str, seconds: float = 20.0) -> str:
        """The screen as soon as it holds all words, wrapped or not."""

        def seen() -> bool:
            return all(re.search(word, self.screen()) for word in words)

        self.wait_until(seen, f"{words} on the screen", seconds)
        return self.screen()

    def wait_until(self, condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
        """Return when a condition holds; fail with the screen when it does not in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"no {what}:\n{self.screen()}"
            time.sleep(0.02)

    def _tmux(self, *arguments: str) -> str:
        return subprocess.run(
            [*self._base, *arguments], check=True, capture_output=True, text=True
        ).stdout
