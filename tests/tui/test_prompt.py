"""Typing a prompt: keys, new lines, pastes, and what runs it."""

from __future__ import annotations

import pytest
from textual import events as textual_events
from textual.keys import _character_to_key

from sinc_tui.sinc.bands import Band
from tests.support.screen import running
from tests.support.waiting import until


@pytest.mark.parametrize("key", ["enter", "ctrl+r", "f5"])
async def test_keys_that_run(key: str) -> None:
    async with running() as driver:
        await driver.type("hi")
        await driver.pilot.press(key)
        await until(lambda: driver.engine.prompts == ["hi"])
        assert driver.editor.text == "hi"


@pytest.mark.parametrize("key", ["ctrl+j", "shift+enter"])
async def test_keys_that_put_in_a_new_line(key: str) -> None:
    async with running() as driver:
        await driver.type("a")
        await driver.pilot.press(key)
        await driver.type("b")
        assert driver.editor.text == "a\nb"
        assert driver.engine.prompts == []


@pytest.mark.parametrize(
    ("key", "text"),
    [("ctrl+home", "xfix"), ("left", "fxix"), ("ctrl+j", "fi\nxx"), ("backspace", "fxx")],
)
async def test_what_is_typed_behind_a_bound_key_stands_where_the_key_led(
    key: str, text: str
) -> None:
    async with running() as driver:
        await driver.type("fix")
        driver.editor.move_cursor((0, 2))
        for pressed, character in ((key, None), ("x", "x")):
            driver.app.post_message(textual_events.Key(pressed, character))
        await until(lambda: driver.editor.text == text)


async def test_pasted_lines_stay_lines_and_do_not_run() -> None:
    async with running() as driver:
        driver.app.post_message(textual_events.Paste("one\ntwo\n"))
        await until(lambda: driver.editor.text == "one\ntwo\n")
        assert driver.engine.prompts == []


async def test_blank_prompt_is_not_run() -> None:
    async with running() as driver:
        await driver.type(" ")
        await driver.pilot.press("enter")
        await until(lambda: "empty" in driver.notice("notice"))
        assert driver.engine.prompts == []


async def test_new_prompt_clears_and_undo_brings_it_back() -> None:
    async with running() as driver:
        await driver.run("precious")
        driver.engine.write({Band.PERSONA: "You."})
        await until(lambda: driver.band(Band.PERSONA) == "You.")
        await driver.pilot.press("ctrl+n")
        await until(lambda: driver.screen.state.empty and driver.band(Band.PERSONA) != "You.")
        assert driver.editor.text == ""
        assert "Ctrl+Z" in driver.notice("notice")
        await driver.pilot.press("ctrl+z")
        assert driver.editor.text == "precious"


async def test_joiners_can_be_typed() -> None:
    """A keyboard for Persian and one for emoji send them as keys."""
    async with running() as driver:
        await until(lambda: driver.editor.has_focus)
        for character in ("\u200c", "x", "\u200d"):
            driver.app.post_message(textual_events.Key(_character_to_key(character), character))
        await until(lambda: driver.editor.text == "\u200cx\u200d")
