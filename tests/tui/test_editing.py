"""Bands edited in place: badges follow, mends mend, undo takes them back, nothing typed is lost."""

from __future__ import annotations

import json

import pytest
from textual import events as textual_events

from sinc_tui import events
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.tui.state import Phase
from sinc_tui.tui.widgets.badges import Badge
from sinc_tui.tui.widgets.band_editor import BandEditor
from sinc_tui.tui.widgets.band_header import BandHeader
from sinc_tui.tui.widgets.reasons import Reasons
from tests.support.screen import Driver, running
from tests.support.scripted_worker import TEXTS
from tests.support.waiting import until
from tests.tui.test_main_screen import drawn

PROMPT = "fix line 3"


async def finish(driver: Driver, texts: dict[Band, str] = TEXTS) -> None:
    """Let the run under way end."""
    given = driver.engine.given[-1]
    driver.engine.write({band: text for band, text in texts.items() if band not in given})
    driver.engine.finish(SincDocument.from_bands(texts | given))
    await until(lambda: driver.screen.state.phase is Phase.FINISHED)
    await until(lambda: not any(e.read_only for e in driver.screen.query(BandEditor)))


async def finished(driver: Driver, prompt: str = PROMPT) -> None:
    """Run a prompt to the end."""
    await driver.run(prompt)
    await finish(driver)


def editor(driver: Driver, band: Band) -> BandEditor:
    return driver.screen.query_one(f"#text-{band.value.lower()}", BandEditor)


async def enter(driver: Driver, band: Band) -> BandEditor:
    """Put the cursor behind the last character of a band."""
    found = editor(driver, band)
    found.focus()
    await until(lambda: found.has_focus)
    found.move_cursor(found.document.end)
    return found


def badge(driver: Driver, name: str) -> str:
    return str(driver.screen.query_one(f"#badge-{name}", Badge).content)


def reasons(driver: Driver) -> str:
    shown = driver.screen.query_one(Reasons)
    return " ".join(f"{reason.text} {reason.advice}" for reason in shown.reasons)


async def test_badges_and_bars_follow_at_every_key() -> None:
    async with running() as driver:
        await finished(driver)
        await enter(driver, Band.TASK)
        await driver.type(" T")
        await until(lambda: badge(driver, "task_one_sentence") == "✗ TASK one sentence")
        assert "TASK has 2 sentences" in reasons(driver)
        assert "F2 moves the rest to CONSTRAINTS." in reasons(driver)
        header = driver.screen.query_one("#band-task BandHeader", BandHeader)
        assert header.length.characters == len(TEXTS[Band.TASK]) + 2
        assert header.note == "edited"
        await driver.pilot.press("backspace", "backspace")
        await until(lambda: badge(driver, "task_one_sentence") == "✓ TASK one sentence")
        assert not reasons(driver)
        assert header.note == ""


async def test_mend_moves_the_second_sentence_and_one_undo_takes_it_back() -> None:
    async with running() as driver:
        await finished(driver)
        task = await enter(driver, Band.TASK)
        await driver.type(" Then test it.")
        await until(lambda: "2 sentences" in reasons(driver))
        await driver.pilot.press("f2")
        await until(lambda: driver.band(Band.TASK) == TEXTS[Band.TASK])
        assert driver.band(Band.CONSTRAINTS) == TEXTS[Band.CONSTRAINTS] + " Then test it."
        assert driver.screen.state.document is not None
        assert task.has_focus
        await driver.pilot.press("ctrl+z")
        await until(lambda: driver.band(Band.TASK) == TEXTS[Band.TASK] + " Then test it.")
        assert driver.band(Band.CONSTRAINTS) == TEXTS[Band.CONSTRAINTS]
        await until(lambda: "2 sentences" in reasons(driver))
        task.redo()
        await until(lambda: driver.band(Band.TASK) == TEXTS[Band.TASK])
        assert driver.band(Band.CONSTRAINTS) == TEXTS[Band.CONSTRAINTS] + " Then test it."


async def test_mend_shortens_the_band_that_is_too_long() -> None:
    async with running() as driver:
        await finished(driver)
        await enter(driver, Band.FORMAT)
        driver.app.post_message(textual_events.Paste(" One more sentence that is long." * 9))
        await until(lambda: badge(driver, "constraints_longest").startswith("✗"))
        assert "F2 shortens FORMAT." in reasons(driver)
        await driver.pilot.press("f2")
        await until(lambda: badge(driver, "constraints_longest").startswith("✓"))
        assert driver.band(Band.FORMAT).endswith("One more sentence that is long.")
        await driver.pilot.press("ctrl+z")
        await until(lambda: badge(driver, "constraints_longest").startswith("✗"))


async def test_mend_lets_the_model_write_what_is_missing() -> None:
    async with running() as driver:
        await finished(driver)
        data = await enter(driver, Band.DATA)
        data.select_all()
        await driver.pilot.press("delete")
        await until(lambda: "DATA is blank" in reasons(driver))
        await driver.pilot.press("f2")
        await until(lambda: len(driver.engine.prompts) == 2)
        assert driver.engine.given[-1] == {b: t for b, t in TEXTS.items() if b is not Band.DATA}
        await finish(driver)
        await until(lambda: driver.band(Band.DATA) == TEXTS[Band.DATA])


async def test_lost_facts_are_told_marked_and_added() -> None:
    async with running((200, 50)) as driver:
        await finished(driver, "fix line 3 of app.py")
        await until(lambda: badge(driver, "facts") == "! facts 1/2")
        assert "“app.py”" in reasons(driver)
        row = driver.editor.render_line(0)
        struck = [s.text for s in row if s.style and s.style.strike]
        under = [s.text for s in row if s.style and s.style.underline]
        assert (struck, under) == (["app.py"], ["3"])
        await driver.pilot.press("f2")
        await until(lambda: badge(driver, "facts") == "✓ facts 2/2")
        assert driver.band(Band.DATA) == "fix line 3. app.py"
        assert not reasons(driver)
        driver.editor.focus()
        await driver.type("!")
        await until(
            lambda: not any(s.style and s.style.underline for s in driver.editor.render_line(0))
        )


async def test_invented_facts_are_told_and_marked() -> None:
    async with running((200, 50)) as driver:
        await finished(driver)
        await enter(driver, Band.DATA)
        await driver.type(" by 18:45")
        await until(lambda: badge(driver, "facts") == "! facts 1/1")
        assert "Not in the prompt: “18:45” in DATA." in reasons(driver)
        row = editor(driver, Band.DATA).render_line(0)
        assert [s.text for s in row if s.style and s.style.italic] == ["18:45"]


async def test_rewriting_one_band_keeps_the_others() -> None:
    async with running() as driver:
        await finished(driver)
        await enter(driver, Band.FORMAT)
        await driver.pilot.press("ctrl+g")
        await until(lambda: len(driver.engine.prompts) == 2)
        assert driver.engine.given[-1] == {b: t for b, t in TEXTS.items() if b is not Band.FORMAT}
        assert driver.engine.seeds == [0, 1]
        await finish(driver, TEXTS | {Band.FORMAT: "A table."})
        await until(lambda: driver.band(Band.FORMAT) == "A table.")
        await driver.pilot.press("f3")
        await until(lambda: driver.band(Band.FORMAT) == TEXTS[Band.FORMAT])


async def test_locked_bands_are_given_to_the_next_run() -> None:
    async with running() as driver:
        await finished(driver)
        await enter(driver, Band.DATA)
        await driver.type(" mine")
        await driver.pilot.press("ctrl+l")
        await until(lambda: "DATA is locked" in driver.notice("notice"))
        header = driver.screen.query_one("#band-data BandHeader", BandHeader)
        assert header.note == "locked"
        driver.editor.focus()
        await driver.pilot.press("enter")
        await until(lambda: len(driver.engine.prompts) == 2)
        assert driver.engine.given[-1] == {Band.DATA: TEXTS[Band.DATA] + " mine"}
        await until(lambda: driver.band(Band.DATA) == TEXTS[Band.DATA] + " mine")
        await finish(driver)
        await enter(driver, Band.DATA)
        await driver.pilot.press("ctrl+g")
        await until(lambda: "Unlock it first" in driver.notice("notice"))
        await driver.pilot.press("ctrl+l", "ctrl+g")
        await until(lambda: len(driver.engine.prompts) == 3)


async def test_reset_brings_back_what_the_model_wrote_and_undo_the_edit() -> None:
    async with running() as driver:
        await finished(driver)
        await enter(driver, Band.PERSONA)
        await driver.type(" Me.")
        await driver.pilot.press("f8")
        await until(lambda: driver.band(Band.PERSONA) == TEXTS[Band.PERSONA])
        assert driver.screen.state.result.edits == set()
        await driver.pilot.press("ctrl+z")
        await until(lambda: driver.screen.state.result.edits == {Band.PERSONA})
        assert driver.band(Band.PERSONA) == TEXTS[Band.PERSONA] + " Me."


async def test_variations_are_kept_with_their_edits() -> None:
    async with running() as driver:
        await finished(driver)
        await enter(driver, Band.TASK)
        await driver.type("!")
        await driver.pilot.press("ctrl+t")
        await until(lambda: driver.engine.seeds == [0, 1])
        await finish(driver, TEXTS | {Band.TASK: "Other."})
        await until(lambda: "result 2/2" in driver.status())
        await driver.pilot.press("f3")
        await until(lambda: "result 1/2" in driver.status())
        assert driver.band(Band.TASK) == TEXTS[Band.TASK] + "!"
        await driver.pilot.press("f3")
        assert "result 1/2" in driver.status()
        await driver.pilot.press("f4")
        await until(lambda: driver.band(Band.TASK) == "Other.")
        await driver.pilot.press("ctrl+t")
        await until(lambda: driver.engine.seeds == [0, 1, 2])


async def test_keys_typed_right_before_a_step_go_into_the_result_they_were_typed_into() -> None:
    async with running() as driver:
        await finished(driver)
        await driver.pilot.press("ctrl+t")
        await until(lambda: driver.engine.seeds == [0, 1])
        await finish(driver)
        await enter(driver, Band.TASK)
        await driver.pilot.press("x", "f3", "f4")
        await until(lambda: driver.band(Band.TASK).endswith("x"))
        results = driver.screen.state.results.all()
        assert [r.draft.texts[Band.TASK].endswith("x") for r in results] == [False, True]


async def test_no_typing_into_bands_while_the_model_writes() -> None:
    async with running() as driver:
        await driver.run(PROMPT)
        driver.engine.write({Band.PERSONA: "You."})
        await until(lambda: driver.band(Band.PERSONA) == "You.")
        await enter(driver, Band.PERSONA)
        await driver.type("abc")
        driver.engine.say(events.BandDelta(Band.CONTEXT, "Half"))
        await until(lambda: driver.band(Band.CONTEXT) == "Half")
        assert driver.band(Band.PERSONA) == "You."
        assert "Half▍" in drawn(editor(driver, Band.CONTEXT))


async def test_copy_of_an_edited_document_has_the_edits() -> None:
    async with running() as driver:
        await finished(driver)
        await enter(driver, Band.PERSONA)
        await driver.type(" Me.")
        await driver.pilot.press("ctrl+y")
        await until(lambda: driver.app.clipboard)
        document = json.loads(driver.app.clipboard)
        assert document["fragments"][0]["x"] == TEXTS[Band.PERSONA] + " Me."


async def test_copy_of_an_invalid_document_says_so() -> None:
    async with running() as driver:
        await finished(driver)
        await enter(driver, Band.TASK)
        await driver.type(" Test it.")
        await driver.pilot.press("ctrl+y")
        await until(lambda: driver.notice("notice").startswith("Not valid, so as text"))
        assert driver.app.clipboard.startswith("Invalid sinc document. TASK has 2 sentences")


@pytest.mark.parametrize("where", ["prompt", "band"])
async def test_a_paste_that_is_too_long_is_refused(where: str) -> None:
    async with running() as driver:
        await finished(driver)
        target = driver.editor if where == "prompt" else await enter(driver, Band.DATA)
        before = target.text
        driver.app.post_message(textual_events.Paste("x" * 1_000_000))
        await until(lambda: "The paste has 1,000,000 characters" in driver.notice("notice"))
        assert target.text == before


async def test_hostile_pastes_into_a_band_are_shown_safely() -> None:
    async with running() as driver:
        await finished(driver)
        data = await enter(driver, Band.DATA)
        driver.app.post_message(textual_events.Paste(" a\x00b\x1b[2Jc\u202ed\x07e"))
        await until(lambda: data.text.endswith("d\x07e"))
        await driver.pilot.pause()
        shown = drawn(data)
        assert "a␀b␛[2Jc�d␇e" in shown
        await driver.pilot.press("ctrl+y")
        await until(lambda: driver.app.clipboard)
        assert "\x1b" not in driver.app.clipboard
        document = json.loads(driver.app.clipboard)
        assert document["fragments"][2]["x"] == data.text


async def test_bands_typed_by_hand_without_a_run() -> None:
    async with running() as driver:
        await until(lambda: "ready" in driver.status())
        await enter(driver, Band.TASK)
        await driver.type("Do it.")
        await until(lambda: badge(driver, "formula").startswith("✓"))
        assert "5 bands are missing." in reasons(driver)


async def test_nothing_vanishes_behind_the_edge() -> None:
    """A control character has no width and its picture has one: lines wrap by what is shown."""
    text = "".join(f"\x1b[{number}m\u202e" for number in range(20))
    async with running() as driver:
        editor = driver.screen.query_one("#text-persona", BandEditor)
        editor.focus()
        await driver.pilot.pause()
        driver.app.post_message(textual_events.Paste(text))
        await until(lambda: editor.text == text)
        await driver.pilot.pause()
        width = editor.wrap_width
        rows = ["".join(s.text for s in editor.render_line(y)) for y in range(editor.size.height)]
        shown = "".join(row[:width].strip() for row in rows)
        assert shown == "".join(f"␛[{number}m�" for number in range(20))
        await driver.pilot.press("home", "right", "delete")
        await until(lambda: driver.screen.state.draft.texts[Band.PERSONA] != text)
        editor.select_all()
        assert editor.selected_text == editor.text, "what is copied is the real text"
        assert "\x1b" in editor.selected_text
