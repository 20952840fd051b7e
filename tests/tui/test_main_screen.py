"""The screen's flows, driven by keys, with an engine whose events the test hands out."""

from __future__ import annotations

import pytest
from textual import events as textual_events
from textual.widgets import Static
from textual.widgets._footer import FooterKey

from sinc_tui import events
from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.sinc.invariants import Status, Verdict
from sinc_tui.tui.state import Phase
from sinc_tui.tui.widgets.badges import Badge
from sinc_tui.tui.widgets.band_editor import BandEditor
from sinc_tui.tui.widgets.bands import Bands
from sinc_tui.tui.widgets.notice import Notice
from sinc_tui.tui.widgets.safe_area import SafeArea
from tests.support.fake_engine import INFO, STATS
from tests.support.screen import Driver, running
from tests.support.scripted_worker import HOSTILE, TEXTS
from tests.support.waiting import until


async def test_takes_typing_and_enter_while_the_model_loads() -> None:
    async with running(loads=False) as driver:
        await driver.type("fix line 3")
        await until(lambda: "loading 40%" in driver.status())
        await driver.pilot.press("enter")
        await until(lambda: "loading 40%, then runs" in driver.status())
        assert driver.engine.prompts == []
        driver.engine.may_load.set()
        await until(lambda: driver.engine.prompts == ["fix line 3"])
        assert driver.editor.text == "fix line 3"


async def test_a_run_that_waits_can_be_taken_back() -> None:
    async with running(loads=False) as driver:
        await driver.type("x")
        await driver.pilot.press("enter")
        await until(lambda: "then runs" in driver.status())
        await driver.pilot.press("escape")
        driver.engine.may_load.set()
        await until(lambda: "ready" in driver.status())
        assert driver.engine.prompts == []


async def test_bands_fill_and_finish() -> None:
    async with running() as driver:
        await driver.run("fix")
        driver.engine.write({Band.PERSONA: TEXTS[Band.PERSONA]})
        driver.engine.say(events.BandDelta(Band.CONTEXT, "The user"))
        await until(lambda: driver.band(Band.CONTEXT).startswith("The user"))
        assert driver.band(Band.PERSONA) == TEXTS[Band.PERSONA]
        assert "writing CONTEXT" in driver.status()
        assert "test-model · untrained · CPU" in driver.status()


async def test_a_fast_stream_is_drawn_at_most_twenty_times_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[int] = []
    show = Bands.show

    def counting(self: Bands, state: object) -> None:
        drawn.append(1)
        show(self, state)  # type: ignore[arg-type]

    monkeypatch.setattr(Bands, "show", counting)
    async with running() as driver:
        await driver.run("fix")
        drawn.clear()
        for _ in range(500):
            driver.engine.say(events.BandDelta(Band.DATA, "x"))
        await until(lambda: driver.band(Band.DATA).startswith("x" * 500))
        assert len(drawn) <= 3


async def test_stop_keeps_what_is_there() -> None:
    async with running() as driver:
        await driver.run("fix")
        driver.engine.write({Band.PERSONA: "You.", Band.CONTEXT: "Half"}, unfinished=Band.CONTEXT)
        await until(lambda: driver.band(Band.CONTEXT).startswith("Half"))
        await driver.pilot.press("escape")
        await until(lambda: "stopped, 1 of 6 bands finished" in driver.status())
        assert driver.band(Band.CONTEXT) == "Half"
        assert driver.editor.text == "fix"


async def test_failure_stands_where_it_happened_and_buries_nothing() -> None:
    async with running() as driver:
        await driver.run("fix")
        driver.engine.write({Band.PERSONA: "You."})
        await until(lambda: driver.band(Band.PERSONA) == "You.")
        draft = driver.screen.state.draft
        driver.engine.say(events.Failed(SincError("It broke.", hint="Run again."), draft))
        await until(lambda: driver.notice("error") == "It broke. Run again.")
        assert "failed" in driver.status()
        assert driver.band(Band.PERSONA) == "You."
        assert driver.editor.text == "fix"
        assert driver.editor.has_focus
        await driver.pilot.press("enter")
        await until(lambda: driver.engine.prompts == ["fix", "fix"])
        await until(lambda: driver.notice("error") == "")


@pytest.mark.parametrize("error", [SincError("Told.", hint="Do."), RuntimeError("untold")])
async def test_errors_raised_by_the_engine_are_shown(error: Exception) -> None:
    async with running() as driver:
        await driver.run("fix")
        driver.engine.say(error)
        await until(lambda: str(error).split(maxsplit=1)[0] in driver.notice("error"))
        assert driver.screen.state.phase is Phase.FAILED
        await driver.pilot.press("enter")
        await until(lambda: len(driver.engine.prompts) == 2)


async def test_running_again_stops_the_run_under_way() -> None:
    async with running() as driver:
        await driver.run("a")
        driver.engine.write({Band.PERSONA: "old"})
        await until(lambda: driver.band(Band.PERSONA) == "old")
        await driver.type("b")
        await driver.pilot.press("enter")
        await until(lambda: driver.engine.prompts == ["a", "ab"])
        driver.engine.write({Band.PERSONA: "new"})
        await until(lambda: driver.band(Band.PERSONA) == "new")


async def test_badges_turn_and_a_failing_one_says_why() -> None:
    async with running() as driver:
        await driver.run("fix")
        badge = driver.screen.query_one("#badge-task_one_sentence", Badge)
        assert str(badge.content) == "… TASK one sentence"
        driver.engine.say(
            events.InvariantChanged(Verdict("json", Status.PASS, "")),
            events.InvariantChanged(
                Verdict("task_one_sentence", Status.FAIL, "TASK has 2 sentences")
            ),
        )
        await until(lambda: str(badge.content) == "✗ TASK one sentence")
        assert str(badge.tooltip) == "TASK has 2 sentences"
        reasons = driver.screen.query_one("Reasons", Static)
        assert reasons.display
        assert "TASK has 2 sentences" in str(reasons.content)
        assert str(driver.screen.query_one("#badge-json", Badge).content) == "✓ JSON"


async def test_texts_are_shown_literally() -> None:
    async with running((200, 50)) as driver:
        await driver.run("[bold]x[/]")
        driver.engine.write(HOSTILE)
        await until(lambda: driver.band(Band.TASK) == HOSTILE[Band.TASK])
        assert "[bold red]not markup[/]" in driver.band(Band.PERSONA)
        context = drawn(driver.screen.query_one("#text-context", BandEditor))
        assert "␛[31mred" in context
        assert "bidi �gnihton" in context
        assert "bell ␇," in context
        assert "\x1b" not in context
        driver.app.post_message(textual_events.Paste("\x1b[2J\u202e"))
        await until(lambda: "\x1b[2J\u202e" in driver.editor.text)
        await driver.pilot.pause()
        prompt = drawn(driver.editor)
        assert "␛[2J" in prompt
        assert "\x1b" not in prompt
        assert "\u202e" not in prompt


def drawn(editor: SafeArea) -> str:
    """What an editor puts on the screen."""
    rows = (editor.render_line(y) for y in range(editor.size.height))
    return " ".join("".join(segment.text for segment in row).strip() for row in rows)


async def test_errors_are_shown_literally() -> None:
    async with running() as driver:
        await driver.run("x")
        error = SincError("No file [red]a.gguf[/red] \x1b[2J")
        driver.engine.say(events.Failed(error, driver.screen.state.draft))
        await until(lambda: driver.notice("error"))
        shown = str(driver.screen.query_one("#error", Notice).content)
        assert "[red]a.gguf[/red] ␛[2J" in shown


async def test_commands_are_in_the_palette() -> None:
    async with running() as driver:
        await driver.type("hi")
        await driver.pilot.press("ctrl+p")
        await until(lambda: len(driver.app.screen_stack) == 2)
        await driver.type("write the six")
        await driver.pilot.pause(0.5)
        await driver.pilot.press("enter")
        await until(lambda: driver.engine.prompts == ["hi"])


async def test_help_lists_the_keys_and_closes() -> None:
    async with running() as driver:
        await driver.pilot.press("f1")
        await until(lambda: len(driver.app.screen_stack) == 2)
        shown = [str(static.content) for static in driver.app.screen.query(Static)]
        assert shown[0] == "Prompt and results"
        for word in (
            "^y",
            "^r f5",
            "Copy as last time; at first as JSON",
            "New line in the prompt",
        ):
            assert word in shown
        await driver.pilot.press("escape")
        await until(lambda: driver.editor.has_focus)


async def test_how_the_model_runs_is_told_when_there_is_something_to_tell() -> None:
    """Once, at the first sight of it."""
    note = "12 of 29 layers fit on CUDA; the CPU does the others."
    async with running() as driver:
        await driver.run("fix line 3")
        assert driver.notice("notice") == ""
        told = INFO.model_copy(update={"notes": [note], "backend": "CUDA"})
        driver.engine.say(events.ModelReady(told))
        await until(lambda: driver.notice("notice") == note)
        await until(lambda: "CUDA" in driver.status())


async def test_what_the_decoder_had_to_do_is_told() -> None:
    async with running() as driver:
        await driver.run("x")
        driver.engine.write(TEXTS)
        stats = STATS.model_copy(update={"notes": ["FORMAT was cut."]})
        driver.engine.finish(SincDocument.from_bands(TEXTS), stats)
        await until(lambda: driver.notice("notice") == "FORMAT was cut.")


async def test_quits_in_mid_run() -> None:
    async with running() as driver:
        await driver.run("x")
        driver.engine.write({Band.PERSONA: "You."}, unfinished=Band.PERSONA)
        await driver.pilot.press("ctrl+q")
        await until(lambda: driver.app.return_code == 0)


async def test_help_in_a_band_begins_with_the_keys_of_a_band() -> None:
    async with running() as driver:
        await driver.pilot.press("tab", "f1")
        await until(lambda: len(driver.app.screen_stack) == 2)
        assert str(driver.app.screen.query(Static).first().content) == "In a band"


async def test_escape_goes_from_a_band_to_the_prompt() -> None:
    async with running() as driver:
        await driver.pilot.press("tab")
        await until(lambda: not driver.editor.has_focus)
        await until(lambda: ("esc", "Prompt") in footer(driver))
        assert ("^r", "Run") in footer(driver), "Enter is a new line here"
        await driver.pilot.press("escape")
        await until(lambda: driver.editor.has_focus)
        await until(lambda: ("⏎", "Run") in footer(driver))
        assert "Prompt" not in [words for _, words in footer(driver)]


async def test_escape_takes_a_message_away() -> None:
    async with running() as driver:
        await until(lambda: driver.editor.has_focus)
        await driver.pilot.press("enter")
        await until(lambda: "empty" in driver.notice("notice"))
        assert "Stop" not in [words for _, words in footer(driver)], "nothing runs"
        await driver.pilot.press("escape")
        await until(lambda: not driver.notice("notice"))


def footer(driver: Driver) -> list[tuple[str, str]]:
    """Keys and words of the bottom line."""
    return [(key.key_display, key.description) for key in driver.screen.query(FooterKey)]
