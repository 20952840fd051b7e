"""Clauses of a raw prompt that a document has lost.

A small model that lists what matters leaves out a wish or a condition now and then ("rent is the same
anyway so please don't count it against one day"), which holds no number and no name, and so no fact that
`sinc.grounding` knows. A clause counts as lost when at least two of its words, and half of them, stand in
no band. Words are compared by their first letters, for bands turn `sends` into `send`; those of fewer
than four letters and mere function words don't count. Of pasted matter a band is to hold the decisive
pieces and not all of it; so of a text of which more than `MOST` clauses are missing none is called lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sinc_tui.sinc.fact_patterns import pasted_spans

_PARTED = re.compile(r"[,;:.!?…]+(?=\s|\Z)|(?<!\w)[(\[]|[)\]](?!\w)|\n|<[^<>\n]*>|\Z")
_LINE_END = re.compile(r"\n|\Z")
_BULLET = re.compile(r"\A[-–—*•+]\s+")
_CODE = re.compile(r"[{}<>`]|\w\(")
_WORD = re.compile(r"[^\W\d_]{4,}")
MOST = 5
_STEM = 4
"""First letters by which words are compared."""
_WIDEST = 60
_EMPTY = frozenset(
    {
        "hello", "please", "thank", "thanks", "cheers", "regards", "sorry", "advance", "this", "that",
        "these", "those", "there", "they", "them", "their", "your", "with", "from", "into", "have",
        "been", "were", "will", "would", "should", "could", "shall", "what", "when", "where", "which",
        "then", "than",
    }
)  # fmt: skip
"""Courtesies, and words of four letters and more that tell nothing by themselves."""


def lost_clauses(prompt: str, texts: Iterable[str]) -> list[str]:
    """The clauses that count as lost from some bands' `texts`: none where more than `MOST` are missing."""
    missing = missing_clauses(prompt, texts)
    return missing if len(missing) <= MOST else []


def missing_clauses(prompt: str, texts: Iterable[str]) -> list[str]:
    """The clauses that none of some bands' `texts` tells, as typed but for runs of blanks, in order."""
    held = {stem for text in texts for stem in _stems(text)}
    missing = []
    for clause in _clauses(prompt):
        if _is_lost(clause, held):
            missing.append(clause)
            held.update(_stems(clause))
    return missing


def clause_around(prompt: str, start: int, end: int, *, pasted: bool) -> tuple[int, int] | None:
    """Where the clause that a stretch of a prompt stands in begins and ends; of pasted matter, the line.

    None where it goes on for more than `_WIDEST` characters to either side, breaks a quotation, a
    bracket or a line of code, or holds a semicolon, which parts the items of a list.
    """
    line = _between(_LINE_END, prompt, start, end)
    whole = pasted or (line is not None and _CODE.search(prompt[slice(*line)]))
    span = line if whole else _between(_PARTED, prompt, start, end)
    if span is None:
        return None
    clause = prompt[slice(*span)]
    broken = "; " in clause or (_CODE.search(clause) and not whole)
    return None if broken or not _is_balanced(clause) else span


def _between(mark: re.Pattern[str], prompt: str, start: int, end: int) -> tuple[int, int] | None:
    """What stands between two marks around a stretch; None where one of them is too far."""
    left, right = max(0, start - _WIDEST), min(len(prompt), end + _WIDEST)
    before = [m.end() for m in mark.finditer(prompt, left, end) if m[0] and m.end() <= start]
    after = mark.search(prompt, end, right)
    if (left and not before) or after is None or after.end() == right < len(prompt):
        return None
    found = before[-1] if before else 0
    bare = _BULLET.sub("", prompt[found : after.start()].lstrip()).rstrip(" \t\r,;")
    at = prompt.index(bare, found)
    return at, at + len(bare)


def _is_balanced(text: str) -> bool:
    """Whether what is opened in a text is closed."""
    pairs = [("(", ")"), ("[", "]"), ("{", "}"), ("“", "”"), ("«", "»")]
    even = all(text.count(mark) % 2 == 0 for mark in '"`')
    return even and all(text.count(one) == text.count(other) for one, other in pairs)


def _clauses(prompt: str) -> Iterator[str]:
    """What stands between punctuation, brackets, tags and line ends, outside of pasted matter."""
    pasted = pasted_spans(prompt)
    start = 0
    for mark in _PARTED.finditer(prompt):
        part = prompt[start : mark.start()]
        at = start + len(part) - len(part.lstrip())
        clause = _BULLET.sub("", " ".join(part.split()))
        if not _CODE.search(clause) and not any(s <= at < e for s, e in pasted):
            yield clause
        start = mark.end()


def _is_lost(clause: str, held: set[str]) -> bool:
    stems = _stems(clause)
    gone = [stem for stem in stems if stem not in held]
    return len(gone) >= 2 and 2 * len(gone) >= len(stems)


def _stems(text: str) -> list[str]:
    words = _WORD.findall(text.casefold())
    return [word[:_STEM] for word in words if word not in _EMPTY]
