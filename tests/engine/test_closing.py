"""The end of a run: lost clauses are put in, and CONSTRAINTS stays the longest band."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sinc_tui.engine.answers import Finish
from sinc_tui.engine.closing import close
from sinc_tui.engine.job import Job, Request
from sinc_tui.engine.protocol import SamplerOptions
from sinc_tui.sinc.bands import Band

PROMPT = "count the boxes, rent stays the same anyway, nobody works sundays"
RULES = "Count the boxes. Show each step. Keep it short. Use only what is given. Mark every guess."


class Heard:
    """A listener that remembers the last text of each band."""

    def __init__(self) -> None:
        self.ends: dict[Band, str] = {}

    def delta(self, band: Band, text: str) -> None:
        raise AssertionError("all is written")

    def band_end(self, band: Band, text: str) -> None:
        self.ends[band] = text


def closed(
    data: str,
    rules: str = RULES,
    *,
    given: Mapping[Band, str] | None = None,
    sampler: SamplerOptions = SamplerOptions(),
) -> tuple[Job, Heard]:
    """A job whose bands are all written, closed, and what was heard of that."""
    heard = Heard()
    job = Job(Request(PROMPT, sampler, given or {}), heard, lambda: False)
    for band in Band:
        job.texts.setdefault(band, "Count the boxes.")
    for band, text in ((Band.DATA, data), (Band.CONSTRAINTS, rules)):
        if band not in job.request.given:
            job.texts[band] = text
    close(job)
    return job, heard


def test_lost_clauses_go_into_data() -> None:
    job, heard = closed("the boxes.")
    wanted = "the boxes; rent stays the same anyway; nobody works sundays."
    assert heard.ends == {Band.DATA: wanted}
    assert job.texts[Band.DATA] == wanted
    assert job.masks == {"clause_keeper": 1}


def test_a_piece_that_the_clause_holds_goes() -> None:
    _, heard = closed("the boxes; the same anyway. Most useful: the count.")
    assert heard.ends[Band.DATA] == (
        "the boxes; rent stays the same anyway; nobody works sundays. Most useful: the count."
    )


def test_what_would_make_data_the_longest_is_a_rule() -> None:
    rules = "Count the boxes. Show each step. Keep it short. Be kind."
    _, heard = closed("the boxes.", rules)
    assert heard.ends[Band.CONSTRAINTS] == (
        f"{rules} Keep in mind these words of the prompt: nobody works sundays."
    )
    assert heard.ends[Band.DATA].endswith("rent stays the same anyway.")


@pytest.mark.parametrize(
    ("given", "ended"),
    [
        ({Band.DATA: "kept"}, {Band.CONSTRAINTS}),
        ({Band.CONSTRAINTS: RULES}, {Band.DATA}),
        ({Band.DATA: "kept", Band.CONSTRAINTS: RULES}, set()),
    ],
)
def test_given_bands_stay(given: dict[Band, str], ended: set[Band]) -> None:
    job, heard = closed("the boxes.", given=given)
    assert set(heard.ends) == ended
    assert {band: job.texts[band] for band in given} == given


def test_nothing_is_kept_where_facts_are_not() -> None:
    job, heard = closed("the boxes.", sampler=SamplerOptions(fact_keeper=False))
    assert (heard.ends, +job.masks) == ({}, {})


def test_a_band_that_outgrew_the_rules_is_cut() -> None:
    heard = Heard()
    job = Job(Request("count"), heard, lambda: False)
    for band in Band:
        job.finish(band, Finish("Count them. " * (9 if band is Band.CONTEXT else 5)))
    close(job)
    longest = len(job.texts[Band.CONSTRAINTS])
    assert all(
        len(text) < longest for band, text in heard.ends.items() if band is not Band.CONSTRAINTS
    )
    assert job.stats(1).notes == [
        f"{band} was cut to stay under CONSTRAINTS."
        for band in Band
        if band is not Band.CONSTRAINTS
    ]
