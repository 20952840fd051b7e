"""Earlier results are kept with their edits, and a run that brings nothing leaves them in view."""

from __future__ import annotations

from sinc_tui import events
from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.sinc.draft import Draft
from sinc_tui.tui.results import MOST, Result, Results
from sinc_tui.tui.state import Phase, RunState
from tests.support.fake_engine import INFO, STATS
from tests.support.scripted_worker import TEXTS


def ready() -> RunState:
    state = RunState()
    state.apply(events.ModelReady(INFO))
    return state


def finish(state: RunState, **changes: str) -> None:
    """Let the run under way end with the scripted texts, some of them changed."""
    texts = TEXTS | {Band(name): text for name, text in changes.items()}
    for band, text in texts.items():
        state.apply(events.BandDone(band, text))
    state.apply(events.Finished(SincDocument.from_bands(texts), STATS))


def test_results_are_stepped_through_with_their_edits() -> None:
    state = ready()
    state.begin("a")
    finish(state)
    state.result.edit(Band.TASK, "Edited.")
    state.begin("a", seed=1)
    finish(state, TASK="Other.")
    assert state.results.place == (2, 2)
    assert state.step(-1)
    assert state.draft.texts[Band.TASK] == "Edited."
    assert state.result.edits == {Band.TASK}
    assert not state.step(-1)
    assert state.step(1)
    assert state.draft.texts[Band.TASK] == "Other."
    assert state.results.next_seed("a") == 2
    assert state.results.next_seed("b") == 1


def test_no_stepping_while_a_run_is_under_way() -> None:
    state = ready()
    state.begin("a")
    finish(state)
    state.begin("a")
    state.apply(events.BandDelta(Band.PERSONA, "You"))
    assert not state.step(-1)


def test_clearing_keeps_the_results_and_unlocks() -> None:
    state = ready()
    state.begin("a")
    finish(state)
    state.locked.add(Band.DATA)
    state.clear()
    assert state.empty
    assert not state.locked
    assert state.results.place == (0, 1)
    assert state.step(-1)
    assert state.phase is Phase.FINISHED
    assert state.document is not None


def test_a_run_that_wrote_nothing_leaves_the_result_before_it() -> None:
    for end in (events.Failed(SincError("No."), Draft()), events.Stopped(Draft())):
        state = ready()
        state.begin("a")
        finish(state)
        before = state.result
        state.begin("a", seed=1, given={Band.DATA: "locked"})
        state.apply(end)
        assert state.result is before
        assert state.results.place == (1, 1)
        assert not state.running
        assert bool(state.error) == isinstance(end, events.Failed)


def test_what_a_stopped_run_wrote_is_a_result() -> None:
    state = ready()
    state.begin("a")
    finish(state)
    state.begin("a", seed=1)
    state.apply(events.BandDone(Band.PERSONA, "New."))
    state.apply(events.Stopped(state.draft))
    assert state.results.place == (2, 2)
    assert state.result.missing == list(Band)[1:]
    for band, text in TEXTS.items():
        state.result.edit(band, text)
    assert state.document is not None


def test_given_bands_remember_what_the_model_wrote() -> None:
    state = ready()
    state.begin("a")
    finish(state)
    state.result.edit(Band.DATA, "mine")
    state.locked = {Band.DATA, Band.FORMAT}
    given = state.locked_texts()
    assert given == {Band.DATA: "mine", Band.FORMAT: TEXTS[Band.FORMAT]}
    state.begin("a", seed=1, given=given)
    assert state.draft.done == given.keys()
    state.apply(events.BandDone(Band.TASK, "Do."))
    state.apply(events.Stopped(state.draft))
    assert state.result.written[Band.DATA] == TEXTS[Band.DATA]
    assert state.result.edits == {Band.DATA}


def test_the_oldest_result_goes_first() -> None:
    results = Results()
    for number in range(MOST + 5):
        result = Result(str(number))
        results.open(result)
        result.edit(Band.TASK, "x")
    assert results.place == (MOST + 1, MOST + 1)
    assert results.all()[0].prompt == "4"
