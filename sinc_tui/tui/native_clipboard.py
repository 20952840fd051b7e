"""Run as a program: standard input into this machine's clipboard, by way of pyperclip.

A program of its own, because pyperclip waits for its helper for ever. And pyperclip ignores the
helper's exit code, which is looked at here: a locked clipboard must not be taken for a filled one.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any


def main() -> int:
    """Copy; the exit code says whether that worked, stderr says why not."""
    import pyperclip

    helpers = _remember_helpers()
    try:
        pyperclip.copy(sys.stdin.buffer.read().decode("utf-8"))
    except pyperclip.PyperclipException as error:
        return _fail(_reason(str(error)))
    for helper in helpers:
        if helper.returncode:
            return _fail(f"{helper.args[0]} failed with exit code {helper.returncode}")
    return 0


def _remember_helpers() -> list[Any]:
    """The list of helper programs, filled as pyperclip talks to them."""
    helpers: list[Any] = []
    communicate = subprocess.Popen.communicate

    def remembering(self: Any, *args: Any, **options: Any) -> Any:
        helpers.append(self)
        return communicate(self, *args, **options)

    subprocess.Popen.communicate = remembering  # type: ignore[method-assign]
    return helpers


def _reason(complaint: str) -> str:
    """Pyperclip's complaint on one line; the most common one in words that help."""
    if "could not find a copy/paste mechanism" in complaint:
        return "no helper program: install xclip or wl-clipboard"
    return " ".join(complaint.split())


def _fail(reason: str) -> int:
    print(reason, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
