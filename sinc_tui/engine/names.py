"""Names that must be right to the letter: addresses, paths, file names, identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterator

UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\U0010ffff"
"""Scripts that do not set words apart: Thai, Lao, Burmese, Khmer, and those of East Asia."""

_LETTER = rf"[^\W_{UNSPACED}]"
_NAME = re.compile(rf"(?<!{_LETTER}){_LETTER}++(?:(?:[._@/\\]+{_LETTER}++)+[_@\\]*|[_@\\]+)")
_REST = re.compile(rf"{_LETTER}*(?:[._@/\\]+{_LETTER}+)*")
_COMMON = "e.g. i.e. a.m. p.m. U.S. U.K. and/or he/she his/her yes/no n/a w/o"
"""What looks like a name and is none."""


class NameGuard:
    """Only names of the raw prompt (`engine.guards.Guard`).

    A name is words with one of the marks `. _ @ / \\` and no blank between them (`me@a.org`,
    `old_rows.csv`). A stretch of one of the prompt's will do, whole words long, as typed but for the case
    of its first letter. A name without a letter is a number, and not looked at.
    """

    name = "name_guard"

    def __init__(self, prompt: str) -> None:
        self._prompt = f"{prompt}\n{_COMMON}"
        self._known: dict[tuple[str, bool], bool] = {}

    def allows(self, text: str) -> bool:
        """Whether every name is the prompt's, and one at the end can become one."""
        return all(self._has(name, whole=at < len(text)) for name, at in _names(text))

    def closes(self, text: str) -> bool:
        """Whether every name is the prompt's, whole."""
        return all(self._has(name, whole=True) for name, _ in _names(text))

    def ways_on(self, text: str) -> list[str]:
        """How the prompt finishes a name at the end, wherever it begins so."""
        begun = next((name for name, at in _names(text) if at == len(text)), None)
        if begun is None:
            return []
        places = _pattern(begun, whole=False).finditer(self._prompt)
        rests = (_REST.match(self._prompt, place.end()) for place in places)
        return list(dict.fromkeys(rest[0] for rest in rests if rest and rest[0]))

    def _has(self, name: str, *, whole: bool) -> bool:
        """Whether the prompt has a name, or without `whole` one that begins so."""
        key = (name, whole)
        if key not in self._known:
            self._known[key] = _pattern(name, whole=whole).search(self._prompt) is not None
        return self._known[key]


def without_names(text: str) -> str:
    """A text with a blank for each name, so that what is left are words and numbers."""
    return _NAME.sub(lambda match: " " if _lettered(match) else match[0], text)


def _names(text: str) -> Iterator[tuple[str, int]]:
    """The names of a text, one that is being written included, and where each ends."""
    for match in _NAME.finditer(text):
        if _lettered(match):
            yield match[0], match.end()


def _lettered(match: re.Match[str]) -> bool:
    return any(map(str.isalpha, match[0]))


def _pattern(name: str, *, whole: bool) -> re.Pattern[str]:
    first, rest = re.escape(name[0]), re.escape(name[1:])
    end = rf"(?!{_LETTER})" if whole else ""
    return re.compile(rf"(?<!{_LETTER})(?i:{first}){rest}{end}")
