"""The one error that every front end knows how to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class SincError(Exception):
    """Something went wrong that a person can act on.

    Attributes:
        message: what happened, one sentence.
        hint: what to do about it, one sentence; empty when there is nothing to do.
        retryable: whether the same call may succeed when it is made again.
    """

    def __init__(self, message: str, *, hint: str = "", retryable: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.retryable = retryable

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class InputError(SincError):
    """An input cannot be read; the exit code tells it from a failure of the work."""


class NoFolder(SincError):
    """A folder of the program's own cannot be made.

    Attributes:
        path: that folder, or the one above it which cannot be made.
        reason: why, in the system's words.
    """

    def __init__(self, path: Path, reason: str) -> None:
        hint = "`sinc-tui doctor` says how to mend it."
        super().__init__(f"The folder {path} cannot be made: {reason}.", hint=hint)
        self.path = path
        self.reason = reason


class NoModel(SincError):
    """There is no model to run: none is installed, or the chosen one is not on this machine."""
