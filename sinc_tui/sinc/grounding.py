"""Facts of a raw prompt, and what became of them in the six bands.

A fact is a piece of the prompt that a rewriting must not lose and must not alter: a number with its
unit, a quoted text, an identifier, a path, an address, a version, a date, a time, a name. It is
found by rule, and it counts as kept when some band holds it as typed. Three things may differ: runs
of blanks (also between a number and its unit), typographic quotes and dashes, and upper and lower
case where it carries no meaning (not in identifiers with an underscore or a hump, paths and URLs).
A number is found only as a whole number: `5` is not kept by `15` or by `5.2`.

Of pasted matter (code, logs, long quotations) a band is to hold the decisive pieces and not all of
it: there only numbers, versions, dates, times and addresses are facts.

An invented fact stands in a band and not in the prompt. Names don't count there, for a band may say
`SQL` where the prompt says `select`; nor does a unit that the band adds to a number of the prompt.
CONSTRAINTS and FORMAT may bring facts along, for a rule may set a limit and name a function, but no
URL and no e-mail address. A quoted text counts in DATA only; elsewhere quotation marks set off words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.fact_patterns import PATTERNS, Kind, is_shouted, pasted_spans

__all__ = [
    "Fact",
    "Grounding",
    "Invention",
    "Kind",
    "extract_facts",
    "ground",
    "holds",
    "numbers",
    "plain",
]

_INVENTABLE = frozenset(Kind) - {Kind.NAME}
_ANYWHERE = frozenset({Kind.URL, Kind.EMAIL})
_RULE_BANDS = frozenset({Band.CONSTRAINTS, Band.FORMAT})
_OUTSIDE_PASTES = frozenset({Kind.IDENTIFIER, Kind.PATH, Kind.QUOTED, Kind.NAME})
_FOLDED = str.maketrans(
    dict.fromkeys("‘’‚‛′`´", "'") | dict.fromkeys("“”„‟″«»", '"') | dict.fromkeys("‐‑‒–—−", "-")
)
_DIGITS = re.compile(r"\d+")
_BARE = re.compile(r"\d+(?:[.,'’]\d+)*")
_RUNS_INTO = re.compile(r"(?:\d\.?|(?<!\w)\d+,)\Z")
_POINTS_INTO = re.compile(r"\d\.?\Z")
_RUNS_ON = re.compile(r"[.,]?\d")
_POINTS_ON = re.compile(r"\.?\d")
_WINDOW = 24
"""Characters before a fact that are looked at for a number which runs into it."""
_ELLIPSIS = re.compile(r"\.\.\.|…")
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of a text: what it is, and where it stands (`text[start:end]`, code points)."""

    text: str
    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Invention:
    """A fact that a band holds and the prompt does not."""

    fact: Fact
    band: Band


@dataclass(frozen=True, slots=True)
class Grounding:
    """What became of a prompt's facts.

    Attributes:
        kept: facts of the prompt that some band holds, in the prompt's order.
        lost: facts of the prompt that no band holds.
        invented: facts of the bands that the prompt lacks.
    """

    kept: list[Fact] = field(default_factory=list)
    lost: list[Fact] = field(default_factory=list)
    invented: list[Invention] = field(default_factory=list)

    @property
    def badge(self) -> str:
        """How many of the prompt's facts are kept: `facts 7/7`."""
        return f"facts {len(self.kept)}/{len(self.kept) + len(self.lost)}"


def extract_facts(prompt: str) -> list[Fact]:
    """The facts of a text in the order in which they stand, each once; no two overlap."""
    pasted = pasted_spans(prompt)
    facts = [
        fact
        for fact in _matches(prompt)
        if fact.kind not in _OUTSIDE_PASTES or not any(s <= fact.start < e for s, e in pasted)
    ]
    return _once(sorted(facts, key=lambda fact: fact.start))


def _matches(text: str) -> list[Fact]:
    """Everything that looks like a fact; where two overlap, the surer pattern's."""
    shouted = is_shouted(text)
    free = bytearray(b"\1") * len(text)
    found: list[Fact] = []
    for kind, pattern, accepts in PATTERNS:
        if kind is Kind.NAME and shouted:
            continue
        for match in pattern.finditer(text):
            start, end = match.span("fact")
            if all(free[start:end]) and accepts(match):
                free[start:end] = bytes(end - start)
                found.append(Fact(text[start:end], kind, start, end))
    return found


def ground(prompt: str, bands: Mapping[Band, str]) -> Grounding:
    """Which facts of the prompt the bands keep and lose, and which facts the bands invent."""
    grounding = Grounding()
    for fact in extract_facts(prompt):
        kept = any(holds(text, fact) for text in bands.values())
        (grounding.kept if kept else grounding.lost).append(fact)
    grounding.invented.extend(
        Invention(fact, band)
        for band, text in bands.items()
        for fact in extract_facts(text)
        if _may_be_invented(fact.kind, band) and not _is_given(prompt, fact)
    )
    return grounding


def _may_be_invented(kind: Kind, band: Band) -> bool:
    if kind is Kind.QUOTED:
        return band is Band.DATA
    return kind in (_ANYWHERE if band in _RULE_BANDS else _INVENTABLE)


def _is_given(prompt: str, fact: Fact) -> bool:
    """Whether the prompt holds a band's fact; a number without its unit, a quotation in parts."""
    if fact.kind is Kind.NUMBER and (bare := _BARE.search(fact.text)):
        return holds(prompt, Fact(bare[0], Kind.NUMBER, 0, len(bare[0])))
    if fact.kind is Kind.QUOTED:
        parts = [part.strip() for part in _ELLIPSIS.split(fact.text)]
        return all(holds(prompt, Fact(p, Kind.QUOTED, 0, len(p))) for p in parts if p)
    return holds(prompt, fact)


def holds(text: str, fact: Fact) -> bool:
    """Whether a text holds a fact as typed, but for blanks, typography and case (see the module)."""
    cased = _is_cased(fact)
    sought = fact.text.rstrip(".,;:!?… ") if fact.kind is Kind.QUOTED else fact.text
    needle, haystack = (_normal(t, fact.kind, cased=cased) for t in (sought or fact.text, text))
    at = haystack.find(needle)
    while at >= 0:
        if _is_whole(haystack, at, at + len(needle), fact.kind):
            return True
        at = haystack.find(needle, at + 1)
    return False


def plain(text: str) -> str:
    """A text without what may differ in a fact as typed: runs of blanks, typographic quotes and dashes."""
    return _BLANKS.sub(" ", text.translate(_FOLDED))


def numbers(text: str) -> list[str]:
    """The runs of digits of a text, of any script, in order: what the number guard goes by."""
    return _DIGITS.findall(text)


def _once(facts: list[Fact]) -> list[Fact]:
    seen: dict[str, Fact] = {}
    for fact in facts:
        seen.setdefault(_normal(fact.text, fact.kind), fact)
    return list(seen.values())


def _normal(text: str, kind: Kind, *, cased: bool = False) -> str:
    text = plain(text)
    if kind is Kind.NUMBER:
        text = re.sub(r"(?<=\d) (?=[^\W\d_]|[%‰°€£¥])|(?<=[$€£¥₹]) (?=\d)", "", text)
    return text if cased else text.casefold()


def _is_cased(fact: Fact) -> bool:
    """Whether the fact's case carries meaning."""
    if fact.kind is Kind.IDENTIFIER:
        return "_" in fact.text or bool(re.search(r"[a-z][A-Z]", fact.text))
    return fact.kind in {Kind.PATH, Kind.URL}


def _is_whole(text: str, start: int, end: int, kind: Kind) -> bool:
    """Whether no letter or digit at an edge goes on outside, nor a number behind its point or comma.

    Behind other facts, and behind a name that ends in a digit, a comma parts the values of a table.
    """
    before, after = text[max(0, start - _WINDOW) : start], text[end : end + 2]
    first, last = text[start], text[end - 1]
    number = kind is Kind.NUMBER
    if first.isdigit() and (_RUNS_INTO if number else _POINTS_INTO).search(before):
        return False
    if last.isdigit() and (_RUNS_ON if number else _POINTS_ON).match(after):
        return False
    return not (first.isalpha() and before[-1:].isalpha()) and not (
        last.isalpha() and after[:1].isalpha()
    )
