"""Words of English: a small model now and then spells one that is none ('swottows', 'bulbullying')."""

from __future__ import annotations

import lzma
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache

from sinc_tui import paths

_RUN = re.compile(r"\w+")
_WORD = re.compile(r"[a-z]{2,}")
_ENDINGS = ("st", "nd", "rd", "th")
"""Of ordinal numbers."""
_ENGLISH = 0.6
"""Share of a prompt that must be English for its bands to be held to English."""
_WAYS = 32
"""How many of the words that a begun one can become are offered; the model picks among their beginnings."""


class WordGuard:
    """Only words of the raw prompt or of English (`engine.guards.Guard`).

    A word is two or more letters of `a` to `z` in any case, and known when the prompt holds it, however
    it is spelt, or it without an `s` at its end, or the dictionary, `assets/words.txt.xz`. Of another
    script only letters that the prompt holds will do.

    Args:
        prompt: what the user typed.
    """

    name = "word_guard"

    def __init__(self, prompt: str) -> None:
        typed = _WORD.findall(prompt.lower())
        self._typed = sorted({*typed, *(f"{word}s" for word in typed), *_ENDINGS})
        self._letters = frozenset(filter(_is_foreign, prompt))
        self._known: dict[tuple[str, bool], bool] = {}

    def allows(self, text: str) -> bool:
        """Whether every word is known, and one at the end can become one."""
        return self._holds(text) and all(
            self._has(word, whole=at < len(text)) for word, at in _words(text)
        )

    def closes(self, text: str) -> bool:
        """Whether every word is known, whole."""
        return self._holds(text) and all(self._has(word, whole=True) for word, _ in _words(text))

    def ways_on(self, text: str) -> list[str]:
        """How a word at the end is finished, with the prompt's words first."""
        begun = next((word for word, at in _words(text) if at == len(text)), None)
        if begun is None:
            return []
        found = [w for words in (self._typed, _dictionary()) for w in _beginning(words, begun)]
        return [word[len(begun) :] for word in found if word != begun][:_WAYS]

    def begun(self, text: str) -> int | None:
        """Where a word begins that ends the text, None where none does; a letter may become one."""
        start = len(text)
        while start and text[start - 1].isascii() and text[start - 1].isalpha():
            start -= 1
        return start if start < len(text) else None

    def _holds(self, text: str) -> bool:
        return text.isascii() or all(char in self._letters for char in filter(_is_foreign, text))

    def _has(self, word: str, *, whole: bool) -> bool:
        """Whether a word is known, or without `whole` one that begins so."""
        key = (word, whole)
        if key not in self._known:
            self._known[key] = any(
                _is_in(words, word) if whole else any(True for _ in _beginning(words, word))
                for words in (self._typed, _dictionary())
            )
        return self._known[key]


def is_english(text: str) -> bool:
    """Whether most letters of a text stand in English words; short words are alike in many languages."""
    words = [run for run in _RUN.findall(text.lower()) if len(run) > 1 and not run.isdigit()]
    known = sum(len(word) for word in words if _is_in(_dictionary(), word))
    return known >= _ENGLISH * sum(map(len, words))


@cache
def _dictionary() -> list[str]:
    """Small letters only, sorted."""
    packed = (paths.assets() / "words.txt.xz").read_bytes()
    return lzma.decompress(packed).decode("ascii").split()


def _words(text: str) -> Iterator[tuple[str, int]]:
    """The words of a text in small letters, and where each ends."""
    for word in _WORD.finditer(text.lower()):
        yield word[0], word.end()


def _is_in(words: list[str], word: str) -> bool:
    """Whether sorted words hold one."""
    return next(_beginning(words, word), None) == word


def _beginning(words: list[str], start: str) -> Iterator[str]:
    """Those of sorted words that begin so; the very word comes first."""
    for at in range(bisect_left(words, start), len(words)):
        if not words[at].startswith(start):
            return
        yield words[at]


def _is_foreign(char: str) -> bool:
    """Whether a character is a letter, or a mark on one, of another script than English is written in."""
    lettered = not char.isascii() and unicodedata.category(char)[0] in "LM"
    return lettered and "LATIN" not in unicodedata.name(char, "")
