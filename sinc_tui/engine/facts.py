"""The fact keeper: what the model left out of the prompt's facts and clauses is put in, verbatim."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sinc_tui.engine.vocabulary import is_forbidden
from sinc_tui.sinc.clauses import lost_clauses, missing_clauses
from sinc_tui.sinc.grounding import Fact, extract_facts, holds

_ENDS = (".", "!", "?", "…", "。", "！", "？", "؟", "।")
_REMARK = re.compile(r"(?:(?<=[.;]) |\A)(?=Most useful: )")
_NONE_GIVEN = re.compile(
    r"(?:\A|(?<=[.;] ))(?:No data (?:is |was )?|Not )given[.;:]?\s*", re.IGNORECASE
)


class FactKeeper:
    """The facts of one prompt, and the bands that have to hold them."""

    def __init__(self, prompt: str) -> None:
        self._prompt = prompt
        facts = extract_facts(prompt)
        self._facts = [fact for fact in facts if not any(map(is_forbidden, _plain(fact)))]

    def data(self, text: str, limit: int) -> str:
        """DATA with the facts that it does not hold at its end, in at most `limit` code points.

        A text that says there is no data says so no more. What does not fit is left out.
        """
        items: list[str] = []
        for fact in self._missing(text):
            if len(with_data(text, [*items, fact])) <= limit:
                items.append(fact)
        return with_data(text, items)

    def constraints(self, text: str, others: str, longer_than: int, limit: int) -> str:
        """CONSTRAINTS with one more rule that names the facts which no band holds, up to `limit`.

        `others` are the finished other bands in one text. Where CONSTRAINTS is not longer than
        `longer_than` code points, the rule goes on with facts that other bands hold until it is, even
        past `limit`: a rule that is true is better than one that the model is forced to make up.
        """
        items: list[str] = []
        for fact in self._missing(f"{text}\n{others}"):
            if len(with_rule(text, [*items, fact])) <= limit:
                items.append(fact)
        for fact in self._missing(text):
            if len(with_rule(text, items)) > longer_than:
                break
            if fact not in items:
                items.append(fact)
        return with_rule(text, items)

    def untold(self, texts: Iterable[str]) -> set[str]:
        """Facts and clauses of the prompt that none of all bands' `texts` tells."""
        bands = list(texts)
        return {*self._missing("\n".join(bands)), *missing_clauses(self._prompt, bands)}

    def lost_clauses(self, texts: Iterable[str]) -> list[str]:
        """Clauses of the prompt that none of all bands' `texts` tells."""
        lost = lost_clauses(self._prompt, texts)
        return [clause for clause in lost if not any(map(is_forbidden, clause))]

    def _missing(self, text: str) -> list[str]:
        return list(dict.fromkeys(_plain(fact) for fact in self._facts if not holds(text, fact)))


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
