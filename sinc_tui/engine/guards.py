"""Guards: rules beyond JSON on what a band may hold, asked before a token is taken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Protocol

_DIGITS = re.compile(r"\d+")


def is_number(char: str) -> bool:
    """Whether a character is a number of any script: digits, `½`, `²`, `Ⅳ`, `①`; no CJK numerals."""
    return unicodedata.category(char).startswith("N")


class Guard(Protocol):
    """A rule on a band's text.

    A text is allowed when every text that starts with it could still be mended by more text; it may
    close when it obeys the rule as it stands.
    """

    name: str

    def allows(self, text: str) -> bool:
        """Whether the band may read `text` now and go on."""

    def closes(self, text: str) -> bool:
        """Whether the band may end as `text`."""

    def ways_on(self, text: str) -> Iterable[str]:
        """What may follow an allowed text, where the model knows no way on; may be empty."""


class NumberGuard:
    """Only numbers of the raw prompt: every run of digits is one of the prompt's, whole.

    Digits of any script count; `12C`, `v2.3.1` and `1,000` are judged run by run, and a number sign
    that is no digit (`½`, `²`) must stand in the prompt.
    """

    name = "number_guard"

    def __init__(self, prompt: str) -> None:
        self._runs = frozenset(_DIGITS.findall(prompt))
        self._signs = frozenset(filter(_is_sign, prompt))
        self._prefixes = frozenset(run[:n] for run in self._runs for n in range(1, len(run) + 1))

    def allows(self, text: str) -> bool:
        """Whether all finished runs are the prompt's and an unfinished one can still become so."""
        runs = _DIGITS.findall(text)
        if not self._signs_hold(text):
            return False
        if not runs:
            return True
        open_end = text[-1].isdecimal()
        finished = runs[:-1] if open_end else runs
        return all(run in self._runs for run in finished) and (
            not open_end or runs[-1] in self._prefixes
        )

    def closes(self, text: str) -> bool:
        """Whether all runs are the prompt's."""
        return self._signs_hold(text) and all(run in self._runs for run in _DIGITS.findall(text))

    def ways_on(self, text: str) -> list[str]:
        """How a number at the end is finished."""
        begun = _DIGITS.findall(text)[-1] if text[-1:].isdecimal() else ""
        return [run[len(begun) :] for run in sorted(self._runs) if begun and run.startswith(begun)]

    def _signs_hold(self, text: str) -> bool:
        return all(char in self._signs for char in text if _is_sign(char))


def _is_sign(char: str) -> bool:
    return not char.isdecimal() and is_number(char)


def allow_all(guards: Iterable[Guard], text: str) -> Guard | None:
    """The first guard that forbids going on from `text`, None when none does."""
    return next((guard for guard in guards if not guard.allows(text)), None)
