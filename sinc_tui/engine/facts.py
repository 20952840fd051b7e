"""The fact keeper: facts of the prompt that DATA does not hold are added to it when it closes."""

from __future__ import annotations

import re

from sinc_tui.engine.vocabulary import is_forbidden
from sinc_tui.sinc.grounding import extract_facts, holds

_NONE_GIVEN = re.compile(r"No data (?:is |was )?given[.;:]?\s*", re.IGNORECASE)


def keep_facts(prompt: str, data: str, limit: int) -> str:
    """`data` with the prompt's missing facts, verbatim but for blanks, in at most `limit` code points.

    Facts that do not fit are left out; grounding reports them as lost.
    """
    lost = [fact for fact in extract_facts(prompt) if not holds(data, fact)]
    rest = _NONE_GIVEN.sub("", data) if lost else data
    kept: list[str] = []
    for fact in lost:
        text = " ".join(fact.text.split())
        if any(map(is_forbidden, text)) or any(text in other for other in kept):
            continue
        if len(_joined(rest, [*kept, text], was_empty=rest != data)) <= limit:
            kept.append(text)
    return _joined(rest, kept, was_empty=rest != data) if kept else data


def _joined(data: str, facts: list[str], *, was_empty: bool) -> str:
    """Facts after the data, or before what is left of a text that said there was no data."""
    items = "; ".join(facts)
    if was_empty:
        return f"{items}. {data}".strip()
    return f"{data.rstrip(' .;')}; {items}."
