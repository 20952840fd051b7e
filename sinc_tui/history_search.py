"""What was typed into the search field, as a condition on runs."""

from __future__ import annotations

import re
import unicodedata

from sinc_tui.sinc.bands import Band

_WORD = re.compile(r"[^\W_]+")
_TEXTS = ("prompt", *(band.value.lower() for band in Band))
_ALL = " || char(10) || ".join(_TEXTS)


def condition(query: str, *, indexed: bool) -> tuple[str, list[str]]:
    """SQL behind `FROM runs`, and its values. Every word must be found, as the beginning of a word.

    Scripts that put no spaces between words are found anywhere, and so is everything without index.
    """
    parts = query.split()
    if not parts:
        return "", []
    words = [word for part in parts for word in _WORD.findall(part)]
    if indexed and words and not any(_unspaced(word) for word in words):
        match = " ".join(f'"{word}"*' for word in words)
        return "WHERE id IN (SELECT rowid FROM found WHERE found MATCH ?)", [match]
    parts = words or parts
    each = " AND ".join([f"{_ALL} LIKE ? ESCAPE '\\'"] * len(parts))
    return f"WHERE {each}", [f"%{_literal(part)}%" for part in parts]


def _unspaced(word: str) -> bool:
    return any(unicodedata.category(character) == "Lo" for character in word)


def _literal(part: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", part)
