"""Mends: what is offered for each broken rule, and that it mends."""

from __future__ import annotations

import pytest

from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.grounding import ground
from sinc_tui.tui.mending import mend_of, mend_of_facts, no_room_for_facts
from sinc_tui.tui.results import Result
from tests.support.scripted_worker import TEXTS


def result_of(**changes: str) -> Result:
    """A finished, edited result."""
    texts = TEXTS | {Band(name): text for name, text in changes.items()}
    result = Result("fix line 3", draft=Draft.finished(texts), written=dict(TEXTS))
    result.judge()
    return result


def mended(result: Result) -> Result:
    """The result with its mend applied."""
    mend = mend_of(result)
    assert mend is not None
    for band, text in mend.texts.items():
        result.edit(band, text)
    return result


def test_a_valid_result_needs_none() -> None:
    assert mend_of(result_of()) is None
    assert result_of().document is not None


def test_nothing_is_offered_before_there_is_anything() -> None:
    assert mend_of(Result()) is None


def test_second_sentence_of_task_goes_to_constraints() -> None:
    result = result_of(TASK="Fix line 3. Then test it.\nSay what was wrong.")
    assert result.document is None
    mended(result)
    assert result.draft.texts[Band.TASK] == "Fix line 3."
    assert result.draft.texts[Band.CONSTRAINTS].endswith(" Then test it. Say what was wrong.")
    assert result.document is not None


@pytest.mark.parametrize("band", [Band.PERSONA, Band.DATA, Band.FORMAT])
def test_a_band_that_is_too_long_is_cut_at_a_sentence_end(band: Band) -> None:
    sentence = "This sentence is one of many and has an end. "
    result = result_of(**{band.value: sentence * 12})
    assert result.document is None
    mended(result)
    assert result.document is not None
    assert result.draft.texts[band].endswith("has an end.")
    assert len(result.draft.texts[band]) < len(TEXTS[Band.CONSTRAINTS])


def test_rules_that_were_cut_to_nothing_are_written_anew() -> None:
    mend = mend_of(result_of(CONSTRAINTS="No."))
    assert mend is not None
    assert mend.write == (Band.CONSTRAINTS,)
    assert mend.texts == {}


def test_blank_bands_are_written_anew() -> None:
    mend = mend_of(result_of(DATA=" ", TASK=""))
    assert mend is not None
    assert mend.write == (Band.DATA, Band.TASK)


def test_bands_that_a_stopped_run_did_not_reach_are_written() -> None:
    result = Result("x", draft=Draft({**dict.fromkeys(Band, ""), Band.PERSONA: "You."}))
    result.draft.done.add(Band.PERSONA)
    mend = mend_of(result)
    assert mend is not None
    assert mend.write == tuple(Band)[1:]


def test_half_a_surrogate_pair_is_taken_out() -> None:
    result = result_of(DATA="a\ud83d b")
    assert result.document is None
    assert mended(result).document is not None


def test_lost_facts_go_to_data() -> None:
    prompt = "fix line 3 in app.py by 14:30 for Berlin"
    result = result_of()
    lost = ground(prompt, result.draft.texts).lost
    assert len(lost) == 3
    mend = mend_of_facts(result, lost)
    assert mend is not None
    result.edit(Band.DATA, mend.texts[Band.DATA])
    assert ground(prompt, result.draft.texts).lost == []
    assert result.document is not None


def test_as_many_facts_as_leave_constraints_the_longest() -> None:
    prompt = "call " + ", ".join(f"host-{n}.example.org" for n in range(40))
    result = result_of()
    lost = ground(prompt, result.draft.texts).lost
    mend = mend_of_facts(result, lost)
    assert mend is not None
    assert "would make DATA too long" in mend.words
    result.edit(Band.DATA, mend.texts[Band.DATA])
    assert result.document is not None
    left = ground(prompt, result.draft.texts).lost
    assert 0 < len(left) < len(lost)
    assert mend_of_facts(result, left) is None
    assert "no room" in no_room_for_facts(result, left)
