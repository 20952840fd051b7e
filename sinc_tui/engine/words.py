"""Words of English: a small model now and then spells one that is none ('swottows', 'bulbullying')."""

from __future__ import annotations

import lzma
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise

from sinc_tui import paths

_WORD = re.compile(r"[^\W\d_]{2,}")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]")
"""Of camelCase; a letter of another script by itself."""
_FORMS = ("", "s", "es", "d", "ed", "r", "er", "ing")
_ORDINALS = ("st", "nd", "rd", "th")
_ENGLISH = 0.6
"""Share of a prompt that must be English for its bands to be held to English."""
_SCRIPTS = frozenset(
    ["LATIN", "COMBINING", "GREEK", "MICRO", "FEMININE", "MASCULINE", "VARIATION", "OHM"]
)
"""How the names of letters and marks begin that may stand in English: also of `µm`, `π`, `º`."""


class WordGuard:
    """Only words of the raw prompt or of English (`engine.guards.Guard`).

    A word is two or more letters in any case, accents not minded. It is known when the prompt holds it,
    however it is spelt, in some regular form (`overlockers` of `overlocker`) or in two words (`seqscan` of
    `seq scan`), or the dictionary (`assets/words.md`). Of another script only letters of the prompt will do.

    Args:
        prompt: what the user typed.
    """

    name = "word_guard"

    def __init__(self, prompt: str) -> None:
        self._typed = sorted(_forms(prompt))
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
        found = [w for words in (self._typed, dictionary()) for w in _beginning(words, begun)]
        return [word[len(begun) :] for word in found if word != begun]

    def begun(self, text: str) -> int | None:
        """Where a word begins that ends the text, None where none does; a letter may become one."""
        start = len(text)
        while start and text[start - 1].isalpha():
            start -= 1
        return start if start < len(text) else None

    def _holds(self, text: str) -> bool:
        return text.isascii() or all(char in self._letters for char in filter(_is_foreign, text))

    def _has(self, word: str, *, whole: bool) -> bool:
        """Whether a word is known, or without `whole` one that begins so."""
        key = (word, whole)
        if key not in self._known:
            self._known[key] = not word.isascii() or any(
                _is_in(words, word) if whole else any(True for _ in _beginning(words, word))
                for words in (self._typed, dictionary())
            )
        return self._known[key]


def is_english(text: str) -> bool:
    """Whether most letters of a text stand in English words; short words are alike in many languages.

    A letter of another script counts three times: such scripts say more with fewer.
    """
    parts = _PART.findall(text)
    english = [part for part in parts if len(part) > 1]
    known = sum(len(part) for part in english if _is_in(dictionary(), part.lower()))
    foreign = sum(map(_is_foreign, text))
    return known >= _ENGLISH * (sum(map(len, english)) + 3 * foreign)


@cache
def dictionary() -> list[str]:
    """Small letters only, sorted."""
    packed = (paths.assets() / "words.txt.xz").read_bytes()
    return lzma.decompress(packed).decode("ascii").split()


def _forms(prompt: str) -> Iterable[str]:
    """The prompt's words, what may be made of them, and the endings of ordinal numbers."""
    words = [word for word, _ in _words(prompt)]
    parts = [part.lower() for part in _PART.findall(prompt) if len(part) > 1]
    stems = {*words, *parts}
    stems |= {word[: -len(end)] for word in stems for end in _FORMS if end and word.endswith(end)}
    joined = {first + second for first, second in pairwise(words)}
    forms = {stem + end for stem in stems if len(stem) > 2 for end in _FORMS}
    return forms | joined | {*words, *parts, *_ORDINALS}


def _words(text: str) -> Iterator[tuple[str, int]]:
    """The words of a text, small and without accents, and where each ends in it."""
    for word in _WORD.finditer(text):
        yield _plain(word[0]), word.end()


def _plain(word: str) -> str:
    """A word in small letters without accents."""
    if word.isascii():
        return word.lower()
    parts = unicodedata.normalize("NFKD", word.lower())
    return "".join(char for char in parts if not unicodedata.combining(char))


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
    """Whether a character is a letter, or a mark on one, of a script that is not set in English."""
    lettered = not char.isascii() and unicodedata.category(char)[0] in "LM"
    return lettered and unicodedata.name(char, "").split(" ")[0] not in _SCRIPTS
