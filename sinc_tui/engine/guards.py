"""Guards: rules beyond JSON on what a band may hold, asked before a token is taken."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Protocol

from sinc_tui.engine.names import without_names
from sinc_tui.sinc.grounding import plain

_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_JOINED = re.compile(r"(?<!\d)(\d+[.,:/-])(?=(\d+))")
"""Two runs of digits with one mark between them: `12.5`, `1,000`, `9:30`, `22/23`, `2024-02`."""
_BEGUN = re.compile(r"(?:(?<!\d)(?P<before>\d+[.,:/-]))?(?P<run>\d+)\Z")
_LEAD = re.compile(r"(?<!\d)(?P<before>\d+[.,:/-])(?P<run>\d*)\Z")
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

    Two runs with a mark and no blank between them (`1,000`, `12.5`, `9:30`) must stand so in the prompt.
    Digits of any script count, and a number sign that is no digit (`½`, `²`) must stand in the prompt.

    Args:
        prompt: the raw prompt.
        sparing: whether a sentence may hold a number only as often as the prompt does. A small model
            that lists facts says some of them again ('Keep 30%, 19 an hour and 19 an hour').
            Only a number whose first digit begins no other is counted: models write digit by digit,
            and one that is stopped behind the first would go on with the other number. Those within
            a name (`report_2024.csv`) do not count.
    """

    name = "number_guard"

    def __init__(self, prompt: str, *, sparing: bool = False) -> None:
        self._runs = sorted(set(_DIGITS.findall(prompt)))
        self._known = frozenset(self._runs)
        self._joined = frozenset(_JOINED.findall(prompt) + _JOINED.findall(plain(prompt)))
        self._signs = frozenset(filter(_is_sign, prompt))
        numbers = Counter(_NUMBER.findall(without_names(prompt)) if sparing else ())
        firsts = Counter(number[0] for number in numbers)
        self._most = {number[0]: n for number, n in numbers.items() if firsts[number[0]] == 1}
        """By first digit, how many such numbers a sentence may hold."""

    def allows(self, text: str) -> bool:
        """Whether `text` may close but for a run at its end, and that one can become the prompt's."""
        begun = _BEGUN.search(text)
        finished = text[: begun.start("run")] if begun else text
        return (
            self._holds(finished)
            and self._spares(text)
            and (begun is None or next(self._endings(**begun.groupdict()), None) is not None)
        )

    def closes(self, text: str) -> bool:
        """Whether all numbers are the prompt's, and no sentence has more of one than it may."""
        return self._holds(text) and self._spares(text)

    def ways_on(self, text: str) -> list[str]:
        """How a number at the end is finished."""
        begun = _BEGUN.search(text)
        return list(filter(None, self._endings(**begun.groupdict()))) if begun else []

    def rest_of_joined(self, text: str) -> str:
        """How the prompt finishes `790.` or `790.0` at the end, empty where it is not plain.

        Behind a comma alone it never is, for a list has commas too.
        """
        begun = None if text.endswith(",") else _LEAD.search(text)
        endings = set(self._endings(**begun.groupdict())) if begun else set()
        return endings.pop() if len(endings) == 1 else ""

    def lists(self, text: str) -> bool:
        """Whether a whole number and a comma end the text, with which no number of the prompt begins."""
        begun = _LEAD.search(text)
        if begun is None or not text.endswith(","):
            return False
        return not any(self._endings(**begun.groupdict()))

    def _endings(self, before: str | None, run: str) -> Iterator[str]:
        """What makes a begun run of digits one of the prompt's, behind another one where there is one."""
        runs = self._runs if before is None else [b for a, b in self._joined if a == before]
        return (known[len(run) :] for known in runs if known.startswith(run))

    def _holds(self, text: str) -> bool:
        if not all(run in self._known for run in _DIGITS.findall(text)):
            return False
        if not self._joined.issuperset(_JOINED.findall(text)):
            return False
        return text.isascii() or all(char in self._signs for char in text if _is_sign(char))

    def _spares(self, text: str) -> bool:
        if not self._most:
            return True
        for sentence in _SENTENCE_END.split(without_names(text)):
            for digit, n in Counter(number[0] for number in _NUMBER.findall(sentence)).items():
                if n > self._most.get(digit, n):
                    return False
        return True


def _is_sign(char: str) -> bool:
    return not char.isdecimal() and is_number(char)


def allow_all(guards: Iterable[Guard], text: str) -> Guard | None:
    """The first guard that forbids going on from `text`, None when none does."""
    return next((guard for guard in guards if not guard.allows(text)), None)
