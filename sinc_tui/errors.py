"""The one error that every front end knows how to show."""

from __future__ import annotations


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


class NoModel(SincError):
    """There is no model to run: none is installed, or the chosen one is not on this machine."""
