"""Every screen in every state as a picture, in three sizes and three themes.

After a wanted change: `pytest tests/tui/test_snapshots.py --snapshot-update`, then look at them.
The large size is kept for what uses the room, and the light and the colourless theme for the states
that speak through colour, since a picture has 35 to 160 kilobytes.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

pytest.importorskip("pytest_textual_snapshot")

from sinc_tui import events
from sinc_tui.tui.app import SincApp
from sinc_tui.tui.screens.main import MainScreen
from sinc_tui.tui.state import RunState
from tests.support import scenes
from tests.support.fake_engine import FakeEngine
from tests.support.scenes import Scene, Stage

WIDE, MEDIUM, NARROW = (200, 50), (120, 35), (80, 24)
SMALL = (58, 18)

MAIN: list[Scene] = [
    scenes.empty, scenes.loading, scenes.no_model, scenes.streaming, scenes.finished,
    scenes.failed_badge, scenes.error, scenes.edited, scenes.locked, scenes.long_texts,
]  # fmt: skip
DIALOGS: list[Scene] = [
    scenes.history_empty, scenes.history_filled, scenes.history_search, scenes.settings,
    scenes.help_main, scenes.help_history, scenes.copy_as, scenes.copy_as_invalid,
    scenes.compare_prompt, scenes.compare_results, scenes.save_dialog, scenes.open_dialog,
]  # fmt: skip
ROOMY: list[Scene] = [*MAIN, scenes.history_filled, scenes.compare_results]
COLOURED: list[Scene] = [
    scenes.streaming, scenes.finished, scenes.failed_badge, scenes.error, scenes.history_filled,
    scenes.compare_results,
]  # fmt: skip

Compare = Callable[..., bool]


class NoModel(FakeEngine):
    """There is nothing to load."""

    async def start(self) -> AsyncIterator[events.Event]:
        """Say so."""
        yield events.Loading("", 0.0)
        raise scenes.NO_MODEL


@pytest.fixture
def compared(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Compare:
    """Play a scene and compare its picture; clocks stand still and no cursor blinks."""
    monkeypatch.setattr(RunState, "seconds", property(lambda state: 1.2 * (state._begun > 0)))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(TextArea, "_toggle_cursor_blink_visible", lambda area: None)
    monkeypatch.setattr(Input, "_toggle_cursor", lambda line: None)
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def compare(scene: Scene, size: tuple[int, int], theme: str = "sinc") -> bool:
        engine = (NoModel if scene is scenes.no_model else FakeEngine)(
            loads=scene is not scenes.loading
        )
        app = SincApp(lambda: engine)

        async def prepare(pilot: Pilot[None]) -> None:
            app.theme = theme
            screen = cast(MainScreen, app.screen_stack[0])
            await scene(Stage(screen, engine, pilot))
            screen._draw()
            for _ in range(4):
                await pilot.pause()

        return snap_compare(app, terminal_size=size, run_before=prepare)

    return compare


def _named(value: object) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else getattr(value, "__name__", "")


@pytest.mark.parametrize("size", [MEDIUM, NARROW], ids=_named)
@pytest.mark.parametrize("scene", [*MAIN, *DIALOGS], ids=_named)
def test_dark(compared: Compare, scene: Scene, size: tuple[int, int]) -> None:
    assert compared(scene, size)


@pytest.mark.parametrize("scene", ROOMY, ids=_named)
def test_dark_and_roomy(compared: Compare, scene: Scene) -> None:
    assert compared(scene, WIDE)


@pytest.mark.parametrize("scene", COLOURED, ids=_named)
def test_light(compared: Compare, scene: Scene) -> None:
    assert compared(scene, MEDIUM, "sinc-light")


@pytest.mark.parametrize("scene", COLOURED, ids=_named)
def test_without_colours(compared: Compare, scene: Scene) -> None:
    assert compared(scene, MEDIUM, "sinc-plain")


def test_too_small(compared: Compare) -> None:
    assert compared(scenes.too_small, SMALL)
