"""The fact keeper: what the model left out of the prompt's facts and clauses is put in, verbatim."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from sinc_tui.engine.vocabulary import is_forbidden
from sinc_tui.sinc.clauses import clause_around, lost_clauses, missing_clauses
from sinc_tui.sinc.fact_patterns import pasted_spans
from sinc_tui.sinc.grounding import Fact, extract_facts, holds

_ENDS = (".", "!", "?", "…", "。", "！", "？", "؟", "।")
_REMARK = re.compile(r"(?:(?<=[.;]) |\A)(?=Most useful: )")
_NONE_GIVEN = re.compile(
    r"(?:\A|(?<=[.;] ))(?:No data (?:is |was )?|Not )given[.;:]?\s*", re.IGNORECASE
)


class FactKeeper:
    """The facts of one prompt, and the bands that have to hold them.

    A fact that is put in comes with the clause or the pasted line that it stands in, if that is short:
    'calls between 6-8pm' tells more than '6'.
    """

    def __init__(self, prompt: str) -> None:
        self._prompt = prompt
        facts = extract_facts(prompt)
        facts = [fact for fact in facts if not any(map(is_forbidden, _plain(fact)))]
        self._facts = sorted(facts, key=lambda fact: fact.start)
        self._starts = [fact.start for fact in self._facts]

    def data(self, text: str, limit: int) -> str:
        """DATA with the facts that it does not hold at its end, in at most `limit` code points.

        A text that says there is no data says so no more. What does not fit is left out.
        """
        return with_data(
            text, self._pieces(text, lambda items: len(with_data(text, items)) <= limit)
        )

    def constraints(self, text: str, others: str, longer_than: int, limit: int) -> str:
        """CONSTRAINTS with one more rule that names the facts which no band holds, up to `limit`.

        `others` are the finished other bands in one text. Where CONSTRAINTS is not longer than
        `longer_than` code points, the rule goes on with facts that other bands hold until it is, even
        past `limit`: a rule that is true is better than one that the model is forced to make up.
        """
        items = self._pieces(
            f"{text}\n{others}", lambda items: len(with_rule(text, items)) <= limit
        )
        for fact in self._missing(text):
            if len(with_rule(text, items)) > longer_than:
                break
            known = "\n".join([text, *items])
            if not holds(known, fact):
                told = self._told(fact, known)
                fits = told and len(with_rule(text, [*items, told])) <= limit
                items.append(told if fits else _plain(fact))
        return with_rule(text, items)

    def _pieces(self, text: str, fits: Callable[[list[str]], bool]) -> list[str]:
        """Pieces of the prompt with the facts that a text lacks: as many facts as fit, and with what they
        stand in as far as there is room left."""
        pieces: dict[Fact, str] = {}
        for fact in self._missing(text):
            if _plain(fact) not in pieces.values() and fits([*pieces.values(), _plain(fact)]):
                pieces[fact] = _plain(fact)
        for fact in list(pieces):
            if fact in pieces and (told := self._told(fact, text)):
                fuller = {
                    one: told if one is fact else piece
                    for one, piece in pieces.items()
                    if one is fact or not holds(told, one)
                }
                if fits(list(fuller.values())):
                    pieces = fuller
        return list(pieces.values())

    def _told(self, fact: Fact, text: str) -> str:
        """What a fact stands in, where that is short and repeats no fact of a text; else empty."""
        pasted = any(start <= fact.start < end for start, end in self._pasted)
        span = clause_around(self._prompt, fact.start, fact.end, pasted=pasted)
        if span is None:
            return ""
        around = " ".join(self._prompt[slice(*span)].split())
        within = self._facts[
            bisect_left(self._starts, span[0]) : bisect_left(self._starts, span[1])
        ]
        sound = holds(around, fact) and not any(map(is_forbidden, around))
        return around if sound and not any(holds(text, one) for one in within) else ""

    def untold(self, texts: Iterable[str]) -> set[str]:
        """Facts and clauses of the prompt that none of all bands' `texts` tells."""
        bands = list(texts)
        facts = map(_plain, self._missing("\n".join(bands)))
        return {*facts, *missing_clauses(self._prompt, bands)}

    def lost_clauses(self, texts: Iterable[str]) -> list[str]:
        """Clauses of the prompt that none of all bands' `texts` tells."""
        lost = lost_clauses(self._prompt, texts)
        return [clause for clause in lost if not any(map(is_forbidden, clause))]

    @cached_property
    def _pasted(self) -> list[tuple[int, int]]:
        return pasted_spans(self._prompt)

    def _missing(self, text: str) -> list[Fact]:
        return [fact for fact in self._facts if not holds(text, fact)]


def _plain(fact: Fact) -> str:
    return " ".join(fact.text.split())


def with_data(data: str, items: Sequence[str]) -> str:
    """DATA with more items, before a remark on what would be useful to know."""
    if not items:
        return data
    listed = "; ".join(items)
    rest = _NONE_GIVEN.sub("", data)
    if rest != data:
        return f"{listed}. {rest}".strip()
    body, *remark = _REMARK.split(data, maxsplit=1)
    before = f"{body.rstrip(' .;')}; " if body.strip(" .;") else ""
    return " ".join([f"{before}{listed}.", *remark])


def with_rule(constraints: str, items: Sequence[str], lead: str = "Keep as typed") -> str:
    """CONSTRAINTS with one more rule that lists items."""
    if not items:
        return constraints
    end = "" if constraints.endswith(_ENDS) else "."
    return f"{constraints}{end} {lead}: {'; '.join(items)}."
