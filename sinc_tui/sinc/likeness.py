"""How much two bands say the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import combinations, pairwise

from sinc_tui.sinc.bands import Band

SAME_BAND = 0.75
"""Likeness of two bands of a document from which one repeats the other."""

_PIECE = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def likeness(one: str, other: str) -> float:
    """How much two texts say the same, 0 to 1: Jaccard index of their word pairs (and single words).

    0 where either has fewer than three words, for then a likeness says nothing.
    """
    a, b = _shingles(one), _shingles(other)
    return len(a & b) / len(a | b) if min(len(a), len(b)) > 4 else 0.0


def repeats(prompt: str, bands: Mapping[Band, str]) -> list[tuple[Band, Band]]:
    """Pairs of bands of a document of which one says what the other says, each in the order of `bands`.

    DATA may copy a prompt that a later band repeats.
    """
    return [
        (one, other)
        for one, other in combinations(bands, 2)
        if likeness(bands[one], bands[other]) >= SAME_BAND
        and not (one is Band.DATA and _pieces(bands[one]) <= _pieces(prompt) | {".", ";"})
    ]


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    return {(word,) for word in words} | set(pairwise(words))


def _pieces(text: str) -> set[str]:
    """Words and marks."""
    return set(_PIECE.findall(text.lower()))
