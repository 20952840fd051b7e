"""The invariants of a sinc document, as one registry of checks.

Each check takes a draft that may still be growing: it says `pending` while the text to come can
still decide, and `fail` only for what no further text can mend.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.sentences import split_sentences
from sinc_tui.sinc.strict_json import has_lone_surrogate


class Status(StrEnum):
    """How an invariant stands."""

    PENDING = "pending"
    PASS = "pass"
    FAIL = "fail"


Finding = tuple[Status, str]
"""A status and its reason, a sentence."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one invariant stands in a draft.

    Attributes:
        id: `json`, `bands`, `constraints_longest`, `task_one_sentence` or `formula`.
        reason: a sentence with the numbers that decide.
    """

    id: str
    status: Status
    reason: str


@dataclass(frozen=True, slots=True)
class Invariant:
    """One rule that every finished document keeps.

    Attributes:
        title: a few words for a badge.
        examine: the check itself.
    """

    id: str
    title: str
    examine: Callable[[Draft], Finding]

    def verdict(self, draft: Draft) -> Verdict:
        """How the draft stands to this rule."""
        return Verdict(self.id, *self.examine(draft))


def check(draft: Draft) -> list[Verdict]:
    """One verdict for each invariant, in the order of the registry. Lengths are code points."""
    return [invariant.verdict(draft) for invariant in INVARIANTS]


def _text(draft: Draft, band: Band) -> str:
    return draft.texts.get(band, "")


def _json(draft: Draft) -> Finding:
    broken = [band for band in Band if has_lone_surrogate(_text(draft, band))]
    if broken:
        return Status.FAIL, f"{_listed(broken)}: half of a surrogate pair cannot be written."
    if not draft.complete:
        return Status.PENDING, f"{len(draft.done)} of {len(Band)} strings are closed."
    texts = [_text(draft, band) for band in Band]
    if json.loads(json.dumps(texts, ensure_ascii=False)) != texts:
        return Status.FAIL, "The bands do not survive being written as JSON."
    return Status.PASS, "It is valid JSON."


def _bands(draft: Draft) -> Finding:
    blank = [band for band in Band if band in draft.done and not _text(draft, band).strip()]
    if blank:
        return Status.FAIL, f"{_listed(blank)} {'is' if len(blank) == 1 else 'are'} blank."
    if not draft.complete:
        return Status.PENDING, f"{len(draft.done)} of {len(Band)} bands are finished."
    return Status.PASS, "All six bands are there, in order."


def _constraints_longest(draft: Draft) -> Finding:
    own = len(_text(draft, Band.CONSTRAINTS))
    rival, length = _longest_other(draft, set(Band))
    if Band.CONSTRAINTS in draft.done:
        finished, settled = _longest_other(draft, draft.done)
        if finished is not None and settled >= own:
            return Status.FAIL, (
                f"CONSTRAINTS has {_characters(own)}, {finished} {settled}; it must have more."
            )
    reason = f"CONSTRAINTS has {_characters(own)}, the next longest, {rival}, {length}."
    return (Status.PASS if draft.complete else Status.PENDING), reason


def _longest_other(draft: Draft, among: set[Band]) -> tuple[Band | None, int]:
    others = [band for band in Band if band in among and band is not Band.CONSTRAINTS]
    longest = max(others, key=lambda band: len(_text(draft, band)), default=None)
    return longest, len(_text(draft, longest)) if longest is not None else 0


def _task_one_sentence(draft: Draft) -> Finding:
    count = len(split_sentences(_text(draft, Band.TASK)))
    done = Band.TASK in draft.done
    if count > 1:
        return Status.FAIL, f"TASK has {count} sentences; it must have one."
    if count == 0:
        reason = "TASK is blank." if done else "TASK is not written yet."
        return (Status.FAIL if done else Status.PENDING), reason
    if not done:
        return Status.PENDING, "TASK has one sentence so far."
    return Status.PASS, "TASK has one sentence."


def _formula(draft: Draft) -> Finding:
    """The frame writes the formula, so it stands from the first character on."""
    if draft.done or any(draft.texts.values()):
        return Status.PASS, "The formula is in the frame."
    return Status.PENDING, "Nothing is written yet."


def _characters(count: int) -> str:
    return f"{count} character{'' if count == 1 else 's'}"


def _listed(bands: list[Band]) -> str:
    return ", ".join(bands)


INVARIANTS = (
    Invariant("json", "JSON", _json),
    Invariant("bands", "six bands", _bands),
    Invariant("constraints_longest", "CONSTRAINTS longest", _constraints_longest),
    Invariant("task_one_sentence", "TASK one sentence", _task_one_sentence),
    Invariant("formula", "formula", _formula),
)
"""Every invariant, in the order in which they are shown."""
