"""The only writer of stdout: what it writes is data, in UTF-8 whatever the locale."""

from __future__ import annotations

import os
import sys

from sinc_tui.cli.diagnostics import PIPE_CLOSED
from sinc_tui.errors import SincError


def write(text: str) -> None:
    """Write `text` and a newline, at once.

    Raises `SystemExit` when the reader of a pipe is gone, and `SincError` for any other failure.
    """
    if sys.stdout is None:
        raise SincError("There is no standard output to write to.")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode(errors="backslashreplace") + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        abandon()
        raise SystemExit(PIPE_CLOSED) from None
    except OSError as error:
        abandon()
        raise SincError(f"Standard output cannot be written: {error.strerror}.") from None


def abandon() -> None:
    """Let the interpreter's own flush at exit go nowhere, for it would fail again, and loudly."""
    if sys.stdout is None:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
