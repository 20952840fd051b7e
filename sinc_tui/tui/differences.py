"""Two texts word by word: what both have, what only one has."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Literal

Side = Literal["both", "left", "right"]
Piece = tuple[str, Side]

LONGEST = 4_000
"""Words beyond which two texts are not compared but shown as wholly different."""

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


def differences(left: str, right: str) -> tuple[list[Piece], list[Piece]]:
    """The pieces of the left text (both, left) and of the right text (both, right), in order."""
    if left == right:
        same: list[Piece] = [(left, "both")] if left else []
        return same, same
    a, b = _WORDS.findall(left), _WORDS.findall(right)
    if len(a) + len(b) > LONGEST:
        return [(left, "left")], [(right, "right")]
    lefts: list[Piece] = []
    rights: list[Piece] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        old, new = "".join(a[i1:i2]), "".join(b[j1:j2])
        if tag == "equal":
            lefts.append((old, "both"))
            rights.append((new, "both"))
            continue
        if old:
            lefts.append((old, "left"))
        if new:
            rights.append((new, "right"))
    return lefts, rights
