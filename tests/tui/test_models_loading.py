"""Loading, switching and starting without a model, on the models screen."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import cast

import pytest
from textual.widgets import Static

from sinc_tui import paths
from sinc_tui.engine import speeds
from sinc_tui.errors import NoModel, SincError
from sinc_tui.extras import install_line
from sinc_tui.tui.screens.main import MainScreen
from sinc_tui.tui.screens.models import ModelsScreen
from sinc_tui.tui.screens.too_small import TooSmallScreen
from sinc_tui.tui.shelf import Presence
from tests.support.fake_engine import INFO, FakeEngine
from tests.support.models_screen import NONE, TINY_INFO, running
from tests.support.scripted_shelf import ScriptedShelf
from tests.support.waiting import until


async def test_a_model_that_does_not_load_leaves_the_old_one() -> None:
    broken = FakeEngine()
    broken.fails = SincError("small.gguf could not be loaded.", hint="Remove it.")
    shelf = ScriptedShelf()
    shelf.put("small", presence=Presence.HERE)
    shelf.engines["small"] = broken
    async with running(shelf) as models:
        await models.type("my prompt")
        await models.open()
        await models.go("small")
        await models.press("enter")
        await until(lambda: models.said() == "small.gguf could not be loaded. Remove it.")
        await models.sees("tiny", "● in use")
        assert models.editor.text == "my prompt"
        assert not paths.settings_file().exists()
        shelf.trouble["engine"] = SincError("Gone.")
        await models.press("enter")
        await until(lambda: models.said() == "Gone.")
        await models.sees("tiny", "● in use")


async def test_what_is_loading_is_not_taken_for_the_model_in_use() -> None:
    slow = FakeEngine(loads=False, info=INFO.model_copy(update={"name": "small"}))
    shelf = ScriptedShelf()
    shelf.put("small", presence=Presence.HERE)
    shelf.engines["small"] = slow
    async with running(shelf) as models:
        models.engine.speed = None  # measuring lasts until it is stopped
        await models.open()
        await until(lambda: models.engine.measured)
        await models.sees("tiny", "◌ measuring")
        await models.go("small")
        await models.press("enter")
        await models.sees("small", "◌ loading")
        await models.sees("tiny", "✓ here")
        await models.press("m")
        assert models.said() == "Only the model in use can be measured. ⏎ loads this one."
        await models.press("enter")
        assert "A model is loading." in models.said()
        await models.press("escape")
        await models.type("hi")
        await models.press("enter")
        await until(lambda: "loading 40%, then runs" in models.status())
        slow.speed = 50.0
        slow.may_load.set()
        await until(lambda: slow.prompts == ["hi"])
        await models.press("f11")
        await models.sees("small", "● in use")
        assert slow.measured == 0, "a run is under way"
        await models.press("escape", "escape")
        await until(lambda: not models.screen.state.running)
        await models.press("f11")
        await models.sees("small", "50 tok/s")
        assert [one.model for one in speeds.read(paths.speeds())] == ["small"]


async def test_a_failure_that_nobody_waited_for_is_told_on_the_main_screen() -> None:
    slow = FakeEngine(loads=False)
    shelf = ScriptedShelf()
    shelf.put("small", presence=Presence.HERE)
    shelf.engines["small"] = slow
    async with running(shelf) as models:
        await models.open()
        await models.go("small")
        await models.press("enter")
        await models.sees("small", "◌ loading")
        await models.press("escape")
        slow.fails = SincError("small.gguf could not be loaded.", hint="Remove it.")
        slow.may_load.set()
        said = "small.gguf could not be loaded. Remove it."
        await until(lambda: models.notice("notice") == said)
        assert models.screen.state.info == TINY_INFO


async def test_leaving_the_app_while_a_model_loads() -> None:
    slow = FakeEngine(loads=False)
    shelf = ScriptedShelf()
    shelf.put("small", presence=Presence.HERE)
    shelf.engines["small"] = slow
    async with running(shelf) as models:
        await models.open()
        await models.go("small")
        await models.press("enter")
        await models.sees("small", "◌ loading")
    assert slow.closed
    assert not models.screen.room._tasks


async def test_closing_the_screen_does_not_end_the_measuring() -> None:
    async with running() as models:
        models.engine.speed = None
        await models.open()
        await models.sees("tiny", "◌ measuring")
        await models.press("escape")
        await models.pilot.pause()
        assert models.screen.room.busy == {"tiny": "measuring"}
        models.engine.speed = 99.0
        models.engine._stop_measuring.set()
        await until(lambda: speeds.read(paths.speeds()))
        await models.open()
        await models.sees("tiny", "99 tok/s")


async def test_without_a_model_the_app_leads_there() -> None:
    shelf = ScriptedShelf()
    shelf.put("tiny", presence=Presence.ABSENT)
    async with running(shelf, missing=NONE) as models:
        await models.ready()
        intro = str(models.top.query_one("#models-intro", Static).render())
        assert intro.startswith("There is no model yet to run your prompts.")
        await until(lambda: models.top._under_cursor() == "small")
        await models.go("tiny")
        assert install_line("tiny") in models.details()
        await models.go("small")
        await models.press("d")
        fetch = await models.fetch()
        shelf.put("small", presence=Presence.HERE)
        fetch.finish()
        await models.sees("small", "✓ here")
        await models.press("enter")
        await models.sees("small", "● in use")
        await models.press("escape")
        await until(lambda: models.screen.state.info and not models.screen.state.error)
        await models.type("hi")
        await models.press("enter")
        engine = cast(FakeEngine, shelf.engines["small"])
        await until(lambda: engine.prompts == ["hi"])


async def test_it_leads_there_when_the_window_is_large_enough() -> None:
    async with running(missing=NONE, size=(50, 15)) as models:
        await until(lambda: models.screen.state.error and not models.screen._drawing)
        await models.pilot.pause()
        assert [type(one) for one in models.app.screen_stack] == [MainScreen, TooSmallScreen]
        await models.pilot.resize_terminal(80, 24)
        await models.ready()
        assert [type(one) for one in models.app.screen_stack] == [MainScreen, ModelsScreen]
        await models.press("escape")
        await until(lambda: models.app.screen is models.screen)
        await models.pilot.pause()
        assert models.app.screen is models.screen


async def test_a_chosen_model_that_is_not_here_is_named_and_the_cursor_is_on_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shelf = ScriptedShelf()
    missing = NoModel("The model small is not on this machine.", hint="Download it.")
    read = speeds.read

    def read_slowly(path: Path) -> list[speeds.Measurement]:
        """A tick of the screen comes between the listing and what stands here."""
        drawn.wait(60)
        return read(path)

    drawn = threading.Event()
    monkeypatch.setattr(speeds, "read", read_slowly)
    async with running(shelf, missing=missing, chosen="small") as models:
        await until(lambda: isinstance(models.app.screen, ModelsScreen) and models.top._shown)
        drawn.set()
        await models.ready()
        intro = str(models.top.query_one("#models-intro", Static).render())
        assert intro.startswith("The model small is not here. Choose one with ↑↓")
        await until(lambda: models.top._under_cursor() == "tiny")
        await models.go("small")
        await models.press("d")
        (await models.fetch()).arrived(100)
        await models.press("p")
        await models.sees("small", "■ paused")
        await until(lambda: len([call for call in shelf.calls if call[0] == "entries"]) == 2)
        await models.pilot.pause()
        assert models.top._under_cursor() == "small", "later listings leave the cursor alone"
        await models.press("d")
        fetch = await models.fetch(2)
        shelf.put("small", presence=Presence.HERE)
        fetch.finish()
        await until(lambda: not models.top.query_one("#models-intro").display)


async def test_it_leads_there_once() -> None:
    async with running(missing=NONE) as models:
        await models.ready()
        await models.press("escape")
        await models.type("hi")
        await models.press("enter")
        await until(lambda: models.screen.state.error and not models.screen.state.running)
        await models.pilot.pause()
        assert models.app.screen is models.screen
        assert models.notice("error") == str(NONE)


async def test_other_failures_stay_on_the_main_screen() -> None:
    async with running(missing=SincError("Broken.")) as models:
        await models.pilot.pause()
        assert models.app.screen is models.screen
        await models.open()
        assert "✓ here" in models.row("tiny")
        assert models.top.query_one("#models-intro").display is False
