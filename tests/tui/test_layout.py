"""The same screen in every size: columns, grid, one column, and a plea for a larger window."""

from __future__ import annotations

from functools import partial

import pytest
from textual.widgets._footer import FooterKey

from sinc_tui import events
from sinc_tui.sinc.bands import Band
from sinc_tui.tui.commands import Palette
from sinc_tui.tui.screens.too_small import TooSmallScreen
from sinc_tui.tui.widgets.badges import Badge
from sinc_tui.tui.widgets.band_panel import BandPanel
from tests.support.screen import Driver, running
from tests.support.scripted_worker import TEXTS
from tests.support.waiting import until
from tests.tui.test_main_screen import footer

SIZES = {(200, 50): 6, (120, 35): 3, (80, 24): 1}


def columns(driver: Driver) -> int:
    """In how many columns the panels stand."""
    return len({panel.region.x for panel in driver.screen.query(BandPanel)})


def stands_in(driver: Driver, expected: int) -> bool:
    """Whether the panels stand in so many columns."""
    return columns(driver) == expected


@pytest.mark.parametrize("size", SIZES)
async def test_columns(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.pilot.pause()
        assert columns(driver) == SIZES[size]


@pytest.mark.parametrize("size", SIZES)
async def test_everything_essential_is_in_sight(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.run("fix line 3")
        driver.engine.write(TEXTS)
        await until(lambda: driver.band(Band.TASK) == TEXTS[Band.TASK])
        await driver.pilot.pause()
        window = driver.screen.region
        for widget in driver.screen.query("#prompt, Badge, BandHeader, StatusBar, FooterKey"):
            assert window.contains_region(widget.region), widget
            assert widget.region.area > 0, widget


async def test_resizing_goes_through_all_layouts_and_loses_nothing() -> None:
    async with running((200, 50)) as driver:
        await driver.run("keep me")
        driver.engine.write(TEXTS)
        await until(lambda: driver.band(Band.TASK) == TEXTS[Band.TASK])
        for size, expected in SIZES.items():
            await driver.pilot.resize_terminal(*size)
            await until(partial(stands_in, driver, expected))
        await driver.pilot.resize_terminal(59, 19)
        await until(lambda: isinstance(driver.app.screen, TooSmallScreen))
        await driver.pilot.resize_terminal(120, 35)
        await until(lambda: driver.app.screen is driver.screen and columns(driver) == 3)
        assert driver.editor.text == "keep me"
        assert driver.editor.has_focus
        assert driver.band(Band.PERSONA) == TEXTS[Band.PERSONA]


@pytest.mark.parametrize("size", [(59, 40), (200, 19)])
async def test_too_small_from_the_start(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await until(lambda: isinstance(driver.app.screen, TooSmallScreen))
        await driver.pilot.press("ctrl+q")
        await until(lambda: driver.app.return_code == 0)


async def test_too_small_while_a_dialog_is_open() -> None:
    async with running((80, 24)) as driver:
        await driver.pilot.press("f1")
        await until(lambda: len(driver.app.screen_stack) == 2)
        await driver.pilot.resize_terminal(40, 10)
        await until(lambda: isinstance(driver.app.screen, TooSmallScreen))
        await driver.pilot.resize_terminal(200, 50)
        await until(lambda: len(driver.app.screen_stack) == 2)
        await driver.pilot.press("escape")
        await until(lambda: columns(driver) == 6)


async def test_what_was_opened_over_the_plea_stays_when_the_window_has_grown() -> None:
    async with running((50, 15)) as driver:
        await until(lambda: isinstance(driver.app.screen, TooSmallScreen))
        await driver.pilot.press("ctrl+p")
        await until(lambda: isinstance(driver.app.screen, Palette))
        await driver.pilot.resize_terminal(120, 35)
        await until(lambda: len(driver.app.screen_stack) == 2)
        assert isinstance(driver.app.screen, Palette)
        await driver.pilot.press("escape")
        await until(lambda: driver.app.screen is driver.screen and columns(driver) == 3)


async def test_no_theme_lets_text_through_the_plea() -> None:
    async with running((50, 15)) as driver:
        driver.app.theme = "ansi-dark"
        await until(lambda: isinstance(driver.app.screen, TooSmallScreen))
        await driver.pilot.pause()
        words = " ".join(shown(driver).split())
        assert words == "This window is too small. Make it at least 60 × 20. Nothing is lost."


async def test_lines_are_drawn_as_they_are_broken_after_every_resize() -> None:
    """Textual alone draws anew where their number changes."""
    text = "Nothing is known about the code, its language, or the line that is meant here."
    async with running((60, 20)) as driver:
        await driver.run("x")
        driver.engine.write(dict.fromkeys(Band, text))
        await until(lambda: driver.band(Band.TASK) == text)
        editor = driver.screen.query_one("#band-persona", BandPanel).editor
        for width in (66, 60, 72, 61):
            await driver.pilot.resize_terminal(width, 20)
            await until(partial(is_as_wide_as, driver, width))
            await driver.pilot.pause()
            lines = [line.strip() for line in editor.wrapped_document.lines[0]]
            assert len(lines) == 2
            rows = shown(driver).splitlines()
            assert all(any(line in row for row in rows) for line in lines), (width, lines, rows)


def is_as_wide_as(driver: Driver, width: int) -> bool:
    """Whether the screen is laid out for a width."""
    return driver.screen.size.width == width


def shown(driver: Driver) -> str:
    """All that the screen in view shows, as text."""
    screen = driver.app.screen
    strips = screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips)


async def test_a_band_folds_in_one_column() -> None:
    async with running((80, 24)) as driver:
        panel = driver.screen.query_one("#band-persona", BandPanel)
        panel.editor.focus()
        await driver.pilot.pause()
        height = panel.region.height
        await driver.pilot.press("f6")
        await until(lambda: panel.region.height == height - 1 == 1)
        await driver.pilot.resize_terminal(200, 50)
        await until(lambda: panel.region.height > 10)


async def test_badges_shorten_where_they_must() -> None:
    async with running((60, 20)) as driver:
        await driver.pilot.pause()
        words = [str(badge.content) for badge in driver.screen.query(Badge)]
        assert words == [
            "… JSON", "… bands", "… longest", "… sentence", "… formula", "… facts",
        ]  # fmt: skip
        assert all(
            driver.screen.region.contains_region(b.region) for b in driver.screen.query(Badge)
        )


async def test_the_band_being_written_stays_in_sight() -> None:
    async with running((80, 24)) as driver:
        await driver.run("x")
        long = dict.fromkeys(Band, "word " * 60)
        driver.engine.write(long, unfinished=Band.TASK)
        await until(lambda: driver.band(Band.TASK).startswith("word"))
        header = driver.screen.query_one("#band-task BandHeader")
        bands = driver.screen.query_one("#bands")
        await until(lambda: bands.region.contains_region(header.region))


async def test_the_keys_are_not_drawn_anew_while_bands_fill() -> None:
    """Building the bottom line anew took longer than drawing all the rest, and keys waited for it."""
    async with running() as driver:
        await driver.run("hi")
        text = ""

        async def write(word: str) -> None:
            nonlocal text
            text += word
            driver.engine.say(events.BandDelta(Band.PERSONA, word))
            await until(lambda: driver.band(Band.PERSONA) == text)
            await driver.pilot.pause()

        await write("A ")
        await until(lambda: ("esc", "Stop") in footer(driver))
        keys = list(driver.screen.query(FooterKey))
        for word in ("plain ", "copy ", "editor."):
            await write(word)
        assert list(driver.screen.query(FooterKey)) == keys
        driver.engine.say(events.Stopped(driver.screen.state.draft))
        await until(lambda: ("esc", "Stop") not in footer(driver))
