"""Guards: rules beyond JSON on what a band may hold, asked before a token is taken."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Protocol

_DIGITS = re.compile(r"\d+")
_BEGUN = re.compile(r"\d+\Z")
_SENTENCE_END = re.compile(r"(?<=[.!?…؟۔।]) |(?<=[。！？])")


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
            Only a number whose first digit begins no other is counted: models write digit by digit,
            and one that is stopped behind the first would go on with the other number.
    """

    name = "number_guard"

    def __init__(self, prompt: str, *, sparing: bool = False) -> None:
        runs = Counter(_DIGITS.findall(prompt))
        firsts = Counter(run[0] for run in runs)
        self._most = {
            run: runs[run] if sparing and firsts[run[0]] == 1 else math.inf for run in sorted(runs)
        }
        """How often a sentence may hold each of the prompt's runs."""
        self._signs = frozenset(filter(_is_sign, prompt))

    def allows(self, text: str) -> bool:
        """Whether `text` may close but for a run at its end, and that one can become the prompt's."""
        begun = _BEGUN.search(text)
        if begun is None:
            return self.closes(text)
        return self.closes(text[: begun.start()]) and any(True for _ in self._ways(text, begun))

    def closes(self, text: str) -> bool:
        """Whether all runs are the prompt's, in each sentence as often as allowed."""
        if not all(char in self._signs for char in text if _is_sign(char)):
            return False
        counts = (Counter(_DIGITS.findall(sentence)) for sentence in _SENTENCE_END.split(text))
        return all(n <= self._most.get(run, 0) for found in counts for run, n in found.items())

    def ways_on(self, text: str) -> list[str]:
        """How a number at the end is finished."""
        begun = _BEGUN.search(text)
        return list(self._ways(text, begun)) if begun else []

    def _ways(self, text: str, begun: re.Match[str]) -> Iterator[str]:
        sentence = _SENTENCE_END.split(text[: begun.start()])[-1]
        used = Counter(_DIGITS.findall(sentence))
        for run, most in self._most.items():
            if run.startswith(begun[0]) and used[run] < most:
                yield run[len(begun[0]) :]


def _is_sign(char: str) -> bool:
    return not char.isdecimal() and is_number(char)


def allow_all(guards: Iterable[Guard], text: str) -> Guard | None:
    """The first guard that forbids going on from `text`, None when none does."""
    return next((guard for guard in guards if not guard.allows(text)), None)
