"""Random keys, pastes and sizes over all screens: no crash, no exception, no contradiction.

`SINC_TUI_FUZZ=20000` presses that many keys instead of the few that are pressed every time.
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from typing import cast

import pytest
from textual import events as textual_events
from textual.binding import Binding
from textual.keys import _character_to_key
from textual.pilot import Pilot

from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.invariants import check
from sinc_tui.tui.app import SincApp
from sinc_tui.tui.screens.main import MainScreen
from sinc_tui.tui.widgets.band_panel import BandPanel
from sinc_tui.tui.widgets.notice import Notice
from tests.support.quick_engine import QuickEngine
from tests.support.waiting import until

KEYS = int(os.environ.get("SINC_TUI_FUZZ", "2000"))
BATCH = 20
SEED = 20261125

_LEAVING = {"app.quit", "quit"}
_MOVES = [
    *("tab", "shift+tab", "up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
    *("enter", "escape", "backspace", "delete", "space", "ctrl+j", "ctrl+z", "ctrl+shift+z"),
    *("ctrl+k", "ctrl+w", "ctrl+u", "f7", "shift+left", "shift+right", "ctrl+left"),
    *("ctrl+p", "shift+down", "shift+up", "f1", "f7", "f9", "f10", "ctrl+s", "ctrl+o", "ctrl+e"),
]
_SCREENS = {
    "MainScreen", "HistoryScreen", "SettingsScreen", "HelpScreen", "CopyAsScreen", "CompareScreen",
    "PathScreen", "TooSmallScreen", "Palette", "ModelsScreen",
}  # fmt: skip
"""What the keys must have reached for the test to mean something."""
_ENTRANCES = ("f7", "f10", "f1", "ctrl+e", "f9", "ctrl+s", "ctrl+p", "f11")
"""Keys that open a screen each; pressed in turn, so that chance leaves out none."""
_TYPED = [*'ab1.?!"{\\é漢ש', "🙂", "\u0301", "\u200d"]
_PASTES = ["one\ntwo\r\nthree", "\x1b[2J\x07\x00", "\u202eabc\u2028d", "word " * 400, "x" * 30_000]
_SIZES = [(200, 50), (120, 35), (80, 24), (60, 20), (59, 19), (100, 24), (160, 21)]


def _keys() -> list[str]:
    bound = [
        binding.key
        for binding in Binding.make_bindings(MainScreen.BINDINGS)
        if binding.action not in _LEAVING
    ]
    return [*_MOVES, *_MOVES, *bound, *bound, *_TYPED]


def _pressed(key: str) -> textual_events.Key:
    """The event of a key, as a terminal's driver posts it: faster than a person can press."""
    if len(key) == 1:
        return textual_events.Key(_character_to_key(key), key)
    return textual_events.Key(key, " " if key == "space" else None)


async def test_random_keys_and_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(SincApp, "action_quit", _stays)
    untold: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: untold.append(context))
    seen: set[str] = set()
    dice = random.Random(SEED)
    keys = _keys()
    app = SincApp(lambda: QuickEngine(SEED))
    async with app.run_test(size=(120, 35)) as pilot:
        screen = cast(MainScreen, app.screen_stack[0])
        for number in range(KEYS // BATCH):
            if number % 10 == 5:
                await _go_home(app, pilot, screen)
                await pilot.press(_ENTRANCES[number // 10 % len(_ENTRANCES)])
                seen.add(type(app.screen).__name__)
            if number % 100 == 99:
                await pilot.resize_terminal(59, 19)
                seen.add(type(app.screen).__name__)
            batch = dice.choices(keys, k=BATCH)
            for key in batch:
                app.post_message(_pressed(key))
            await pilot.pause()
            if dice.random() < 0.2:
                app.post_message(textual_events.Paste(dice.choice(_PASTES)))
            if dice.random() < 0.1:
                await pilot.resize_terminal(*dice.choice(_SIZES))
            seen.add(type(app.screen).__name__)
            assert app._exception is None, batch
            for notice in app.screen.query(Notice):
                assert "bug in sinc-tui" not in notice.text, (notice.text, batch)
        await _go_home(app, pilot, screen)
        await until(lambda: not screen._drawing)
        screen._take_edits()
        _contradicts_nothing(screen)
        assert untold == []
        assert seen >= _SCREENS


async def _go_home(app: SincApp, pilot: Pilot[None], screen: MainScreen) -> None:
    """Back to the main screen, with a result to copy and to compare."""
    await pilot.resize_terminal(120, 35)
    for _ in range(len(app.screen_stack) - 1):
        app.pop_screen()
        await pilot.pause()
    if screen.state.empty:
        screen._prompt.load_text("fix line 3")
        screen.action_run()
        await until(lambda: not screen.state.empty)
    await until(lambda: not screen.state.running)


async def _stays(_app: SincApp) -> None:
    """Of what the palette offers, quitting alone would end the test."""


def _contradicts_nothing(screen: MainScreen) -> None:
    """What is shown is what is kept, and a document is there just where all rules hold."""
    state = screen.state
    for panel in screen.query(BandPanel):
        shown = panel.editor.text
        assert shown.splitlines() == state.draft.texts[panel.band].splitlines()
    for result in state.results.all():
        holds = all(verdict.status == "pass" for verdict in check(result.draft))
        assert (result.document is not None) == holds
        if result.document:
            assert result.document.bands == {b: result.draft.texts[b] for b in Band}
