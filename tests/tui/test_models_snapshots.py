"""The models screen as pictures: nothing here, some here, downloading, an error; sizes and themes.

After a wanted change: `pytest tests/tui/test_models_snapshots.py --snapshot-update`, then look at them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, TextArea

pytest.importorskip("pytest_textual_snapshot")

from sinc_tui import paths
from sinc_tui.engine import speeds
from sinc_tui.errors import NoModel, SincError
from sinc_tui.tui.app import SincApp
from sinc_tui.tui.screens.main import MainScreen
from sinc_tui.tui.screens.models import ModelsScreen
from sinc_tui.tui.shelf import Presence
from tests.support.fake_engine import FakeEngine
from tests.support.models_screen import TINY_INFO
from tests.support.scripted_shelf import PLACE, SMALL, ScriptedFetch, ScriptedShelf
from tests.support.waiting import until

SIZES = [(200, 50), (120, 35), (80, 24)]
THEMES = ["sinc-light", "sinc-plain"]
DONE = SMALL * 43 // 100

Act = Callable[[ModelsScreen, ScriptedShelf, Pilot[None]], Awaitable[None]]
Compare = Callable[..., bool]


async def nothing_here(screen: ModelsScreen, shelf: ScriptedShelf, _pilot: Pilot[None]) -> None:
    await until(lambda: screen._under_cursor() == "small")


async def some_here(screen: ModelsScreen, shelf: ScriptedShelf, _pilot: Pilot[None]) -> None:
    await until(lambda: screen._under_cursor() == "tiny")


async def downloading(screen: ModelsScreen, shelf: ScriptedShelf, pilot: Pilot[None]) -> None:
    fetch = await begun(screen, shelf, pilot)
    fetch.arrived(DONE, speed=12.1e6)
    await until(lambda: "left" in row(screen))


async def broken_off(screen: ModelsScreen, shelf: ScriptedShelf, pilot: Pilot[None]) -> None:
    fetch = await begun(screen, shelf, pilot)
    fetch.arrived(DONE)
    hint = "Look after the network; d goes on where it stopped."
    fetch.fail(SincError("The connection was lost six times in a row.", hint=hint))
    await until(lambda: "stopped" in row(screen))
    shelf.trouble["verify"] = SincError("tiny.gguf is damaged.", hint="Install it again.")
    screen.query_one(OptionList).highlighted = 0
    await pilot.press("v")
    await until(lambda: screen._notice.text)
    screen.query_one(OptionList).highlighted = 1


async def begun(screen: ModelsScreen, shelf: ScriptedShelf, pilot: Pilot[None]) -> ScriptedFetch:
    """A download of the second model."""
    screen.query_one(OptionList).highlighted = 1
    await pilot.press("d")
    await until(lambda: shelf.fetches)
    return shelf.fetches[0]


def row(screen: ModelsScreen) -> str:
    return str(screen.query_one(OptionList).get_option("small").prompt)


STATES: list[Act] = [nothing_here, some_here, downloading, broken_off]


@pytest.fixture
def compared(snap_compare: Compare) -> Compare:
    """Bring an app to a state and compare its picture."""

    def compare(act: Act, size: tuple[int, int], theme: str = "sinc") -> bool:
        shelf, engine = ScriptedShelf(), FakeEngine(info=TINY_INFO)

        def connect() -> FakeEngine:
            if act is nothing_here:
                raise NoModel("No model is installed.", hint="Install one, or name a file.")
            return engine

        if act is nothing_here:
            shelf.put("tiny", presence=Presence.ABSENT)
        else:
            shelf.put("medium", presence=Presence.PARTLY, partial=480_000_000)
            speeds.remember(
                paths.speeds(), speeds.Measurement(PLACE.id, "tiny", 144_000_000, 137.0)
            )
        app = SincApp(connect, chosen="tiny", make_shelf=lambda: shelf)
        app.theme = theme

        async def prepare(pilot: Pilot[None]) -> None:
            main = cast(MainScreen, app.screen_stack[0])
            for area in main.query(TextArea):
                area.cursor_blink = False
            if act is not nothing_here:
                await until(lambda: main.state.info)
                await pilot.press("f11")
            await until(lambda: isinstance(app.screen, ModelsScreen))
            screen = cast(ModelsScreen, app.screen)
            await until(lambda: main.room.place)
            await act(screen, shelf, pilot)
            await pilot.pause()
            screen._draw()
            await pilot.pause()

        return snap_compare(app, terminal_size=size, run_before=prepare)

    return compare


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("act", STATES, ids=lambda act: act.__name__)
def test_dark(compared: Compare, act: Act, size: tuple[int, int]) -> None:
    assert compared(act, size)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("act", [downloading, broken_off], ids=lambda act: act.__name__)
def test_other_themes(compared: Compare, act: Act, theme: str) -> None:
    assert compared(act, (120, 35), theme)
