"""Cutting a band so that what is left reads well."""

from __future__ import annotations

import re

from sinc_tui.sinc.sentences import split_sentences

_KEPT = 0.5
"""A cut at a sentence, list or word end must keep this share of the room; else the next best is taken."""


def trim(text: str, limit: int, *, end: str = ".") -> str:
    """`text` in at most `limit` code points (1 at least), cut at a sentence end if possible.

    Next best is the end of a `; ` item, then the last whole word, then anywhere but within a number (in
    scripts that set no blanks, or within a long address).
    The cut closes with `end` where it is not a sentence end and there is room.
    """
    text = text.strip()
    if len(text) <= limit:
        return text
    sentences = _whole_sentences(text, limit)
    if len(sentences) >= limit * _KEPT:
        return sentences
    room = _whole_numbers(text, max(1, limit - len(end)))
    if not room:
        return "…"
    item = room.rfind("; ")
    words = _whole_words(room, text)
    cut = room[:item] if item >= limit * _KEPT else words if len(words) >= limit * _KEPT else room
    cut = cut.rstrip(" ,;:-–—，、；：") or room.strip() or text[:1]
    return (cut + end)[:limit] if cut[-1] not in ".!?。！？" else cut


def _whole_sentences(text: str, limit: int) -> str:
    kept = 0
    position = 0
    for sentence in split_sentences(text):
        position = text.index(sentence, position) + len(sentence)
        if position > limit or not re.search(r"[.!?。！？][\"'”’)\]]*\Z", sentence):
            break
        kept = position
    return text[:kept]


def _whole_numbers(text: str, length: int) -> str:
    """The first `length` code points, less the digits of a number that goes on behind them."""
    if not text[length].isdecimal():
        return text[:length]
    while length and text[length - 1].isdecimal():
        length -= 1
    return text[:length]


def _whole_words(room: str, text: str) -> str:
    if text[len(room) : len(room) + 1].isspace():
        return room
    return room.rsplit(maxsplit=1)[0] if len(room.split()) > 1 else room
