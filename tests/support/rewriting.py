"""Runs of a rewriter, collected and judged."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import TypeVar

import sinc_prompt

from sinc_tui.events import (
    BandDelta,
    BandDone,
    Event,
    Failed,
    Finished,
    InvariantChanged,
    Stopped,
)
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.invariants import INVARIANTS, Status, check
from sinc_tui.sinc.rulesets import RULESETS, problems

Last = TypeVar("Last", Finished, Stopped, Failed)


async def collect(stream: AsyncIterator[Event]) -> list[Event]:
    """All events of a stream."""
    return [event async for event in stream]


def last(events: list[Event], kind: type[Last]) -> Last:
    """The last event, which must be of a kind; no other event may be a last one."""
    ends = [event for event in events if isinstance(event, Finished | Stopped | Failed)]
    assert ends == events[-1:], "a stream has one last event"
    assert isinstance(ends[0], kind), ends[0]
    return ends[0]


def replay(events: list[Event]) -> Draft:
    """The draft as a front end puts it together."""
    draft = Draft()
    for event in events:
        match event:
            case BandDelta(band=band, text=text):
                assert band not in draft.done, "nothing is added to a band that is finished"
                draft.texts[band] += text
            case BandDone(band=band, text=text):
                draft.texts[band] = text
                draft.done.add(band)
    return draft


def judge(prompt: str, events: list[Event]) -> dict[Band, str]:
    """The texts of a run that went well, judged by everybody's rules."""
    document = last(events, Finished).document
    draft = replay(events)
    assert draft.texts == document.bands
    assert draft.complete
    assert [v for v in check(draft) if v.status is not Status.PASS] == []
    shown = {e.verdict.id: e.verdict.status for e in events if isinstance(e, InvariantChanged)}
    assert shown == {invariant.id: Status.PASS for invariant in INVARIANTS}
    text = document.model_dump_json()
    assert {rules: problems(text, rules) for rules in RULESETS} == {rules: [] for rules in RULESETS}
    assert sinc_prompt.validate(json.loads(text)) == (True, [])
    assert article_accepts(json.loads(text))
    allowed = set(re.findall(r"\d+", prompt))
    assert set(re.findall(r"\d+", document.bands[Band.DATA])) <= allowed
    return document.bands


def article_accepts(root: dict[str, object]) -> bool:
    """The article's validator, written down once more and not taken from the program."""
    fragments = root.get("fragments")
    assert isinstance(fragments, list)
    names = [fragment.get("t") for fragment in fragments]
    lengths = {fragment["t"]: len(fragment["x"]) for fragment in fragments}
    rules = lengths.pop("CONSTRAINTS")
    return (
        names == ["PERSONA", "CONTEXT", "DATA", "CONSTRAINTS", "FORMAT", "TASK"]
        and rules > max(lengths.values())
        and bool(root.get("formula"))
    )
