"""Events change the state, and what was written survives every way a run can end."""

from __future__ import annotations

from sinc_tui import events
from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.sinc.draft import Draft
from sinc_tui.tui.state import Phase, RunState
from sinc_tui.tui.widgets.bands import lengths_of
from sinc_tui.tui.widgets.status_bar import figures, phase_words
from tests.support.fake_engine import INFO, STATS


def running() -> RunState:
    """A state in the middle of a run: one band finished, one under way."""
    state = RunState()
    state.apply(events.ModelReady(INFO))
    state.begin("fix line 3")
    state.apply(events.BandDelta(Band.PERSONA, "You are "))
    state.apply(events.BandDelta(Band.PERSONA, "careful"))
    state.apply(events.BandDone(Band.PERSONA, "You are careful."))
    state.apply(events.BandDelta(Band.CONTEXT, "The user"))
    return state


def test_deltas_are_appended_and_the_end_replaces_them() -> None:
    state = running()
    assert state.phase is Phase.WRITING
    assert state.draft.texts[Band.PERSONA] == "You are careful."
    assert state.draft.texts[Band.CONTEXT] == "The user"
    assert state.draft.done == {Band.PERSONA}
    assert state.writing == {Band.CONTEXT}


def test_failure_keeps_what_was_written() -> None:
    state = running()
    error = SincError("The engine ended.", hint="Run again.")
    state.apply(events.Failed(error, state.draft))
    assert state.phase is Phase.FAILED
    assert state.error is error
    assert state.draft.texts[Band.PERSONA] == "You are careful."
    assert not state.writing
    assert not state.running


def test_engine_that_starts_again_within_a_run() -> None:
    state = running()
    state.apply(events.Failed(SincError("The engine ended."), state.draft))
    state.begin("fix line 3")
    assert state.error is None
    state.apply(events.Loading("model", 0.5))
    assert phase_words(state) == "loading 50%, then runs"
    state.apply(events.ModelReady(INFO))
    assert state.phase is Phase.WRITING


def test_stopped_says_how_far_it_came() -> None:
    state = running()
    state.apply(events.Stopped(state.draft))
    assert phase_words(state) == "stopped, 1 of 6 bands finished"


def test_clock_runs_with_the_run() -> None:
    state = running()
    assert state.seconds > 0
    state.apply(events.Stopped(Draft()))
    assert state.seconds == state.seconds
    assert RunState().seconds == 0


def test_figures() -> None:
    state = running()
    state.result.stats = STATS
    assert figures(state) == ["test-model", "untrained", "CPU", "111 tok/s", "2.0 s"]


def test_figures_of_a_result_that_another_model_wrote() -> None:
    state = running()
    document = SincDocument.from_bands(dict.fromkeys(Band, "Text."))
    state.apply(events.Finished(document, STATS))
    before = figures(state)
    state.unload()
    state.apply(events.ModelReady(INFO.model_copy(update={"name": "larger"})))
    assert before[0] == "test-model"
    assert before[3] == "111 tok/s"
    assert figures(state)[0] == "larger"
    assert figures(state)[3] == "test-model: 111 tok/s"


def test_a_long_prompt_is_read_before_it_is_written() -> None:
    state = running()
    state.apply(events.Reading(0.25))
    assert phase_words(state) == "reading 25%"
    state.apply(events.BandDelta(Band.PERSONA, "You"))
    assert phase_words(state) == "writing PERSONA CONTEXT"
    state.apply(events.Reading(0.5))
    state.begin("another")
    assert phase_words(state) == "writing"


def test_writing_many_bands_gives_their_number() -> None:
    state = running()
    state.writing = set(Band)
    assert phase_words(state) == "writing 6 bands"


def test_a_band_is_too_long_only_when_constraints_is_finished() -> None:
    state = RunState()
    state.draft.texts |= {Band.FORMAT: "x" * 10, Band.CONSTRAINTS: "y" * 9}
    assert not any(length.too_long for length in lengths_of(state).values())
    state.draft.done.add(Band.CONSTRAINTS)
    lengths = lengths_of(state)
    assert [band for band, length in lengths.items() if length.too_long] == [Band.FORMAT]
    assert lengths[Band.CONSTRAINTS].share == 0.9
