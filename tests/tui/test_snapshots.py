"""The main screen as pictures: from empty to finished, at three sizes.

After a wanted change: `pytest tests/tui/test_snapshots.py --snapshot-update`, then look at them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

import pytest
from textual.pilot import Pilot
from textual.widgets import TextArea

pytest.importorskip("pytest_textual_snapshot")

from sinc_tui import events
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.invariants import check
from sinc_tui.tui.app import SincApp
from sinc_tui.tui.screens.main import MainScreen
from sinc_tui.tui.state import RunState
from sinc_tui.tui.widgets.prompt_editor import PromptEditor
from tests.support.fake_engine import FakeEngine
from tests.support.scripted_worker import TEXTS
from tests.support.waiting import until

SIZES = [(200, 50), (120, 35), (80, 24)]
PROMPT = "fix line 3 in app.py, it fails since 14:30"
GROUNDED = TEXTS | {Band.DATA: "Line 3 of app.py fails since 14:30."}

Act = Callable[[MainScreen, FakeEngine, Pilot[None]], Awaitable[None]]
Compare = Callable[..., bool]


async def empty(screen: MainScreen, _engine: FakeEngine, _pilot: Pilot[None]) -> None:
    await until(lambda: screen.state.info)


async def loading(screen: MainScreen, _engine: FakeEngine, pilot: Pilot[None]) -> None:
    await begin(screen, pilot)
    await until(lambda: screen.state.running and screen.state.loaded)


async def streaming(screen: MainScreen, engine: FakeEngine, pilot: Pilot[None]) -> None:
    await begin(screen, pilot)
    await until(lambda: engine.prompts)
    written = {band: GROUNDED[band] for band in list(Band)[:4]}
    written[Band.CONSTRAINTS] = written[Band.CONSTRAINTS][:120]
    engine.write(written, unfinished=Band.CONSTRAINTS)
    draft = Draft(dict.fromkeys(Band, "") | written, set(list(Band)[:3]))
    engine.say(*map(events.InvariantChanged, check(draft)))
    await until(lambda: len(screen.state.verdicts) == 5)


async def finished(screen: MainScreen, engine: FakeEngine, pilot: Pilot[None]) -> None:
    await begin(screen, pilot)
    await until(lambda: engine.prompts)
    engine.write(GROUNDED)
    engine.say(*map(events.InvariantChanged, check(Draft.finished(GROUNDED))))
    engine.finish(SincDocument.from_bands(GROUNDED))
    await until(lambda: screen.state.document)
    await until(lambda: not screen._drawing)


async def begin(screen: MainScreen, pilot: Pilot[None]) -> None:
    """The prompt is there and runs."""
    editor = screen.query_one(PromptEditor)
    await until(lambda: editor.has_focus)
    await pilot.pause()
    editor.load_text(PROMPT)
    screen.action_run()


STATES: list[Act] = [empty, loading, streaming, finished]


@pytest.fixture
def compared(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> Compare:
    """Bring an app to a state and compare its picture; the clock stands and no cursor blinks."""
    monkeypatch.setattr(RunState, "seconds", property(lambda state: 1.2 * (state._begun > 0)))

    def compare(act: Act, size: tuple[int, int]) -> bool:
        engine = FakeEngine(loads=act is not loading)
        app = SincApp(lambda: engine)

        async def prepare(pilot: Pilot[None]) -> None:
            for area in app.screen.query(TextArea):
                area.cursor_blink = False
            screen = cast(MainScreen, app.screen)
            await act(screen, engine, pilot)
            screen._draw()
            await pilot.pause()
            await pilot.pause()

        return snap_compare(app, terminal_size=size, run_before=prepare)

    return compare


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("act", STATES, ids=lambda act: act.__name__)
def test_dark(compared: Compare, act: Act, size: tuple[int, int]) -> None:
    assert compared(act, size)
