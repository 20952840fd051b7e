"""The owner of stderr and of the exit codes."""

from __future__ import annotations

import contextlib
import sys

from sinc_tui.errors import InputError, SincError
from sinc_tui.sinc.controls import one_line

DONE = 0
FAILED = 1
"""The work failed, or a document is invalid."""
UNUSABLE = 2
"""The command line is wrong, or an input cannot be read."""
INTERRUPTED = 130
"""Ended by Ctrl-C, as shells count it."""
PIPE_CLOSED = 141
"""The reader of stdout went away, as shells count it."""

_CLEAR_LINE = "\r\x1b[2K"


def report(error: SincError) -> int:
    """Say what went wrong on stderr; the exit code for it."""
    complain(str(error))
    return UNUSABLE if isinstance(error, InputError) else FAILED


def complain(message: str) -> None:
    """One line on stderr, with the program's name before it."""
    _say(f"sinc-tui: {one_line(message)}\n")


class Narrator:
    """Tells a person how the work goes: on a terminal, and elsewhere only when asked to."""

    def __init__(self, *, verbose: bool) -> None:
        self._terminal = sys.stderr is not None and sys.stderr.isatty()
        self._on = verbose or self._terminal
        self._last = ""

    def step(self, text: str, detail: str = "") -> None:
        """What is being done; on a terminal one line that changes, elsewhere a line for each step.

        `detail` is what moves within a step; it is for terminals only.
        """
        if self._terminal:
            _say(f"{_CLEAR_LINE}{one_line(text)} {one_line(detail)}".rstrip())
        elif self._on and text != self._last:
            _say(one_line(text) + "\n")
        self._last = text

    def note(self, text: str) -> None:
        """Something that stays on the screen."""
        self.clear()
        if self._on:
            _say(one_line(text) + "\n")

    def clear(self) -> None:
        """Take the changing line away."""
        if self._terminal and self._last:
            _say(_CLEAR_LINE)
        self._last = ""


def _say(text: str) -> None:
    """Write to stderr; a stderr that is closed loses the message and stops nothing."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()
