"""What leaves by the clipboard: whole documents as such, parts never as whole ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.widgets import OptionList

from sinc_tui import events
from sinc_tui.errors import SincError
from sinc_tui.sinc import export
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.export import EXPORTERS
from sinc_tui.tui.copying import FORMATS, PARTS, WHOLE, CopyChoice, prepare
from sinc_tui.tui.screens.copy_as import CopyAsScreen
from sinc_tui.tui.state import RunState
from tests.support.screen import Driver, running
from tests.support.scripted_worker import TEXTS
from tests.support.waiting import until


async def finished(driver: Driver) -> None:
    """Run to the end."""
    await driver.run("fix line 3")
    driver.engine.write(TEXTS)
    driver.engine.finish(SincDocument.from_bands(TEXTS))
    await until(lambda: "finished" in driver.status())


def test_every_exporter_has_words_and_the_other_way_round() -> None:
    assert set(FORMATS) == set(EXPORTERS)


def test_nothing_to_copy() -> None:
    assert prepare(WHOLE, RunState()) is None
    state = RunState()
    state.draft.texts[Band.TASK] = "x"
    assert prepare(CopyChoice("band", "DATA"), state) is None


def test_unfinished_document_is_no_json_and_says_so() -> None:
    state = RunState()
    state.draft.texts |= {Band.PERSONA: "You.", Band.CONTEXT: "Half a"}
    state.draft.done.add(Band.PERSONA)
    prepared = prepare(WHOLE, state)
    assert prepared is not None
    assert not prepared.complete
    assert prepared.text == (
        "Unfinished sinc document, 1 of 6 bands.\n\nPERSONA\nYou.\n\nCONTEXT (unfinished)\nHalf a\n"
    )


async def test_one_key_copies_json(tmp_path: Path) -> None:
    async with running() as driver:
        await finished(driver)
        await driver.pilot.press("ctrl+y")
        await until(lambda: driver.app.clipboard)
        document = json.loads(driver.app.clipboard)
        assert [fragment["x"] for fragment in document["fragments"]] == list(TEXTS.values())
        await until(lambda: "sent to the terminal" in driver.notice("notice"))
        assert driver.notice("notice").startswith("JSON: ")
        file = tmp_path / "state" / "sinc-tui" / "clipboard.txt"
        assert file.read_text() == driver.app.clipboard


async def test_copy_before_the_end_says_that_it_is_not_complete() -> None:
    async with running() as driver:
        await driver.run("fix line 3")
        driver.engine.write({Band.PERSONA: "You.", Band.CONTEXT: "Half"}, unfinished=Band.CONTEXT)
        await until(lambda: driver.band(Band.CONTEXT).startswith("Half"))
        await driver.pilot.press("ctrl+y")
        await until(lambda: "Not complete, 1 of 6 bands" in driver.notice("notice"))
        assert driver.app.clipboard.startswith("Unfinished sinc document")


async def test_copy_as_markdown() -> None:
    async with running() as driver:
        await finished(driver)
        await driver.pilot.press("ctrl+e")
        await until(lambda: driver.app.screen.query(OptionList))
        await driver.pilot.press("down", "down", "down", "enter")
        await until(lambda: driver.notice("notice").startswith("Markdown: "))
        assert driver.app.clipboard == EXPORTERS["markdown"](SincDocument.from_bands(TEXTS))


async def test_copy_one_band_of_a_stopped_run() -> None:
    async with running() as driver:
        await driver.run("fix line 3")
        driver.engine.write({Band.PERSONA: "You.", Band.CONTEXT: "Half"}, unfinished=Band.CONTEXT)
        await until(lambda: driver.band(Band.CONTEXT).startswith("Half"))
        await driver.pilot.press("escape")
        await until(lambda: "stopped" in driver.status())
        await driver.pilot.press("ctrl+e")
        await until(lambda: driver.app.screen.query(OptionList))
        options = driver.app.screen.query_one(OptionList)
        assert options.get_option("json").disabled
        assert options.get_option("TASK").disabled
        assert not options.get_option("PERSONA").disabled
        await driver.pilot.press("enter")
        await until(lambda: driver.notice("notice").startswith("PERSONA: "))
        assert driver.app.clipboard == "You."


async def test_a_copy_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_document: SincDocument) -> str:
        raise ValueError("no such thing")

    monkeypatch.setitem(EXPORTERS, "json", broken)
    async with running() as driver:
        await finished(driver)
        await driver.pilot.press("ctrl+y")
        await until(lambda: "ValueError: no such thing" in driver.notice("notice"))
        assert driver.editor.text == "fix line 3"


async def test_escape_copies_nothing() -> None:
    async with running() as driver:
        await finished(driver)
        await driver.pilot.press("ctrl+e")
        await until(lambda: driver.app.screen.query(OptionList))
        await driver.pilot.press("escape")
        await until(lambda: driver.editor.has_focus)
        assert driver.app.clipboard == ""


def test_parts_hold_each_band_once() -> None:
    state = RunState()
    for band, text in TEXTS.items():
        state.result.edit(band, text)
    parts = {name: prepare(CopyChoice("document", name), state) for name in export.PARTS}
    system, user, messages = (parts[name].text for name in ("system", "user", "messages"))  # type: ignore[union-attr]
    for text in TEXTS.values():
        assert (text in system) != (text in user)
    assert [m["content"] for m in json.loads(messages)] == [system, user]
    assert set(PARTS) == set(export.PARTS)


async def test_the_last_choice_is_repeated_by_one_key() -> None:
    async with running() as driver:
        await finished(driver)
        await driver.pilot.press("ctrl+e")
        await until(lambda: driver.app.screen.query(OptionList))
        await driver.pilot.press("end", "enter")
        await until(lambda: driver.notice("notice").startswith("Prompt: "))
        assert driver.app.clipboard == "fix line 3"
        await driver.type("!")
        await driver.pilot.press("ctrl+y")
        await until(lambda: driver.app.clipboard == "fix line 3!")


async def test_a_message_moves_no_row_from_its_place() -> None:
    """The rows from the bottom up, which are the quickest to reach, are the same with and without it."""
    async with running() as driver:
        await driver.run("x")
        driver.engine.write(TEXTS)
        driver.engine.finish(SincDocument.from_bands(TEXTS))
        await until(lambda: driver.screen.state.document)
        await driver.pilot.press("ctrl+y")
        await until(lambda: driver.notice("notice"))
        await driver.pilot.press("ctrl+e", "up", "up", "enter")
        await until(lambda: driver.app.clipboard == TEXTS[Band.TASK])


async def test_an_error_can_be_copied() -> None:
    """It is not what the copy key repeats afterwards."""
    async with running() as driver:
        await driver.run("x")
        draft = Draft(dict.fromkeys(Band, ""), set())
        driver.engine.say(events.Failed(SincError("It broke.", hint="Mend it."), draft))
        await until(lambda: driver.notice("error"))
        await driver.pilot.press("ctrl+e")
        await until(lambda: isinstance(driver.app.screen, CopyAsScreen))
        options = driver.app.screen.query_one(OptionList)
        options.highlighted = options.get_option_index("message")
        await driver.pilot.press("enter")
        await until(lambda: driver.notice("notice").startswith("Message:"))
        assert driver.app.clipboard == "It broke. Mend it."
        assert driver.screen.copy_choice is None
