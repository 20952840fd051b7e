"""The app with an engine whose events the test hands out, driven by keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from textual.pilot import Pilot

from sinc_tui.sinc.bands import Band
from sinc_tui.tui.app import SincApp
from sinc_tui.tui.screens.main import MainScreen
from sinc_tui.tui.widgets.band_panel import BandPanel
from sinc_tui.tui.widgets.notice import Notice
from sinc_tui.tui.widgets.prompt_editor import PromptEditor
from sinc_tui.tui.widgets.status_bar import StatusBar
from tests.support.fake_engine import FakeEngine
from tests.support.waiting import until


class Driver:
    """An app under test, with names for what a person looks at."""

    def __init__(self, app: SincApp, pilot: Pilot[None], engine: FakeEngine) -> None:
        self.app = app
        self.pilot = pilot
        self.engine = engine
        self.screen = cast(MainScreen, app.screen_stack[0])
        self.editor = self.screen.query_one(PromptEditor)

    async def type(self, text: str) -> None:
        await self.pilot.press(*("space" if character == " " else character for character in text))

    async def run(self, prompt: str) -> None:
        """Type a prompt, run it, and wait until the engine has it."""
        await self.type(prompt)
        await until(lambda: self.screen.state.info)
        await self.pilot.press("enter")
        await until(lambda: prompt in self.engine.prompts)

    def band(self, band: Band) -> str:
        """The text that a panel shows."""
        panel = self.screen.query_one(f"#band-{band.value.lower()}", BandPanel)
        return panel.editor.text

    def status(self) -> str:
        return str(self.screen.query_one(StatusBar).render())

    def notice(self, name: str) -> str:
        return self.screen.query_one(f"#{name}", Notice).text


@asynccontextmanager
async def running(
    size: tuple[int, int] = (120, 35), *, loads: bool = True
) -> AsyncIterator[Driver]:
    engine = FakeEngine(loads=loads)
    connected: list[FakeEngine] = []

    def connect() -> FakeEngine:
        connected.append(engine)
        return engine

    app = SincApp(connect)
    async with app.run_test(size=size) as pilot:
        await until(lambda: connected)
        yield Driver(app, pilot, engine)
    assert engine.closed
