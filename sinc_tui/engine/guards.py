"""Guards: rules beyond JSON on what a band may hold, asked before a token is taken."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Protocol

_DIGITS = re.compile(r"\d+")
_BEGUN = re.compile(r"\d+\Z")
_SENTENCE_END = ". "


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

    Args:
        prompt: the raw prompt.
        sparing: whether a sentence may hold a number only as often as the prompt does. A small model
            that lists facts says some of them again ('Keep 30%, 19 an hour and 19 an hour').
    """

    name = "number_guard"

    def __init__(self, prompt: str, *, sparing: bool = False) -> None:
        self._runs = Counter(_DIGITS.findall(prompt))
        self._signs = frozenset(filter(_is_sign, prompt))
        self._sparing = sparing

    def allows(self, text: str) -> bool:
        """Whether all finished runs are the prompt's and an unfinished one can still become so."""
        begun = _BEGUN.search(text)
        finished = text[: begun.start()] if begun else text
        return self.closes(finished) and (begun is None or bool(self.ways_on(text)))

    def closes(self, text: str) -> bool:
        """Whether all runs are the prompt's."""
        if not all(char in self._signs for char in text if _is_sign(char)):
            return False
        sentences = text.split(_SENTENCE_END) if self._sparing else [text]
        return all(self._holds(Counter(_DIGITS.findall(sentence))) for sentence in sentences)

    def ways_on(self, text: str) -> list[str]:
        """How a number at the end is finished."""
        begun = _BEGUN.search(text)
        if begun is None:
            return []
        sentence = text[: begun.start()].rpartition(_SENTENCE_END)[2]
        used = Counter(_DIGITS.findall(sentence)) if self._sparing else Counter[str]()
        left = sorted(self._runs - used)
        return [run[len(begun[0]) :] for run in left if run.startswith(begun[0])]

    def _holds(self, runs: Counter[str]) -> bool:
        return runs <= self._runs if self._sparing else runs.keys() <= self._runs.keys()


def _is_sign(char: str) -> bool:
    return not char.isdecimal() and is_number(char)


def allow_all(guards: Iterable[Guard], text: str) -> Guard | None:
    """The first guard that forbids going on from `text`, None when none does."""
    return next((guard for guard in guards if not guard.allows(text)), None)
