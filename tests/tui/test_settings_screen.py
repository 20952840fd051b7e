"""Settings in force: from the file at the start, and from the screen at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.widgets import OptionList, Static

from sinc_tui import paths, settings
from sinc_tui.settings import Settings
from sinc_tui.tui.app import SincApp, _loaded
from sinc_tui.tui.commands import Palette
from sinc_tui.tui.screens.help import HelpScreen
from sinc_tui.tui.screens.settings import SettingsScreen
from sinc_tui.tui.widgets.notice import Notice
from tests.support.fake_engine import FakeEngine
from tests.support.screen import Driver
from tests.support.waiting import until


@asynccontextmanager
async def started(toml: str = "") -> AsyncIterator[Driver]:
    """The app with a settings file."""
    if toml:
        paths.settings_file().parent.mkdir(parents=True)
        paths.settings_file().write_text(toml, encoding="utf-8")
    engine = FakeEngine()
    app = SincApp(lambda: engine, _loaded())
    async with app.run_test(size=(120, 35)) as pilot:
        driver = Driver(app, pilot, engine)
        await until(lambda: driver.screen.state.info)
        yield driver


def saved() -> Settings:
    loaded = settings.load(paths.settings_file())
    assert loaded.problems == []
    return loaded.settings


async def rows(driver: Driver, name: str) -> OptionList:
    """The settings screen with the cursor on a row."""
    await driver.pilot.press("f10")
    await until(lambda: isinstance(driver.app.screen, SettingsScreen))
    options = driver.app.screen.query_one("#rows", OptionList)
    options.highlighted = options.get_option_index(name)
    await driver.pilot.pause()
    return options


async def test_the_file_holds_from_the_start() -> None:
    toml = (
        'theme = "sinc-light"\ncompact = true\nreduced_motion = true\nhistory = false\n'
        'copy_format = "xml"\nseed = "random"\nkeymap.run = "f13"\ndecode.test-model = "parallel"\n'
    )
    async with started(toml) as driver:
        assert driver.app.theme == "sinc-light"
        assert driver.app.animation_level == "none"
        await until(lambda: not driver.editor.cursor_blink)
        assert driver.screen.has_class("-compact")
        assert not driver.screen.recorder.on
        await until(lambda: driver.screen.session.sampler)
        await driver.type("hi")
        await driver.pilot.press("f13")
        await until(lambda: driver.engine.prompts == ["hi"])
        assert driver.engine.seeds[0] > 0
        assert driver.screen._mode() == "parallel"
        assert driver.screen.copy_choice is not None
        assert driver.screen.copy_choice.name == "xml"


async def test_no_file_no_settings() -> None:
    async with started() as driver:
        assert driver.app.loaded is None
        assert driver.app.theme == "sinc"
    assert not paths.settings_file().exists()


async def test_a_bad_file_is_told_and_the_rest_holds() -> None:
    async with started('theme = "sinc-light"\ncompact = 3\n') as driver:
        await until(lambda: "line 2: compact" in driver.notice("notice"))
        assert driver.app.theme == "sinc-light"


async def test_an_unknown_theme_is_told() -> None:
    async with started('theme = "rainbow"\n') as driver:
        await until(lambda: "no theme 'rainbow'" in driver.notice("notice"))
        assert driver.app.theme == "sinc"


async def test_values_change_at_once_and_are_saved() -> None:
    async with started("# mine\nhistory = true\n") as driver:
        await rows(driver, "history")
        await driver.pilot.press("enter")
        assert not saved().history
        assert not driver.screen.recorder.on
        await driver.pilot.press("escape")
        await rows(driver, "theme")
        await driver.pilot.press("right")
        assert driver.app.theme == saved().theme != "sinc"
        await driver.pilot.press("delete")
        assert driver.app.theme == saved().theme == "sinc"
    assert paths.settings_file().read_text(encoding="utf-8").startswith("# mine\n")


async def test_a_key_is_mapped_anew() -> None:
    async with started() as driver:
        await rows(driver, "key:run")
        await driver.pilot.press("enter", "f7")
        notice = driver.app.screen.query_one(Notice)
        assert "is the key of History" in notice.text
        await driver.pilot.press("enter", "x")
        assert "needed for typing" in notice.text
        await driver.pilot.press("enter", "f13")
        assert saved().keymap == {"run": "f13"}
        await driver.pilot.press("escape")
        await driver.type("hi")
        await driver.pilot.press("f5")
        assert driver.engine.prompts == []
        await driver.pilot.press("f13")
        await until(lambda: driver.engine.prompts == ["hi"])
        await rows(driver, "key:run")
        await driver.pilot.press("delete")
        assert saved().keymap == {}


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("ctrl+z", "^z is needed for editing. Choose another."),
        ("left", "← is needed for editing. Choose another."),
        ("shift+enter", "shift+⏎ is needed for editing. Choose another."),
        ("ctrl+q", "^q is the key of Quit. Choose another."),
        ("ctrl+p", "^p is the key of the palette. Choose another."),
    ],
)
async def test_keys_that_are_not_to_be_had(key: str, said: str) -> None:
    async with started() as driver:
        await rows(driver, "key:vary")
        await driver.pilot.press("enter", key)
        assert driver.app.screen.query_one(Notice).text == said
        assert saved().keymap == {}
        await driver.pilot.press("ctrl+p")
        await until(lambda: isinstance(driver.app.screen, Palette))
        await driver.pilot.press("escape", "ctrl+q")
        await until(lambda: driver.app.return_code == 0)


async def test_what_cannot_be_saved_does_not_hold() -> None:
    async with started("compact = \n") as driver:
        await rows(driver, "compact")
        await driver.pilot.press("enter")
        assert "Mend the file by hand" in driver.app.screen.query_one(Notice).text
        assert not driver.screen.has_class("-compact")


async def test_help_lists_the_keys_of_the_dialog() -> None:
    async with started() as driver:
        await rows(driver, "theme")
        await driver.pilot.press("f1")
        await until(lambda: isinstance(driver.app.screen, HelpScreen))
        await driver.pilot.press("escape")
        assert isinstance(driver.app.screen, SettingsScreen)


async def test_the_order_is_at_first_the_one_that_the_catalogue_names() -> None:
    """Without a choice of the user `tiny` writes in parallel, and the first change leads away from that."""
    async with started() as driver:
        options = await rows(driver, "decode")
        assert "parallel" in str(options.get_option("decode").prompt)
        await driver.pilot.press("enter")
        await until(lambda: saved().decode == {"test-model": "sequential"})
        assert "sequential" in str(options.get_option("decode").prompt)


async def test_hint_and_message_are_in_sight_in_a_small_window() -> None:
    async with started() as driver:
        await driver.pilot.resize_terminal(80, 24)
        await rows(driver, "seed")
        hint = driver.app.screen.query_one("#settings-hint", Static)
        await until(lambda: "same result" in str(hint.content))
        assert driver.app.screen.region.contains_region(hint.region)
        options = driver.app.screen.query_one("#rows", OptionList)
        first = next(n for n, option in enumerate(options.options) if "key:" in (option.id or ""))
        options.highlighted = first
        await driver.pilot.press("enter")
        notice = driver.app.screen.query_one(Notice)
        await until(lambda: "Press the new key" in notice.text)
        await until(lambda: notice.region.area > 0)
        assert driver.app.screen.region.contains_region(notice.region)
