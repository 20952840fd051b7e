"""The app with its models screen, driven by keys, on a store and engines in the test's hands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.widgets import OptionList, Static

from sinc_tui.errors import NoModel, SincError
from sinc_tui.tui.app import SincApp
from sinc_tui.tui.screens.models import ModelsScreen
from tests.support.fake_engine import INFO, FakeEngine
from tests.support.screen import Driver
from tests.support.scripted_shelf import ScriptedFetch, ScriptedShelf
from tests.support.waiting import until

TINY_INFO = INFO.model_copy(update={"name": "tiny", "trained": True, "size": 144_000_000})
NONE = NoModel("No model is installed.", hint="Install one.")


class Models(Driver):
    """The app with its models screen."""

    shelf: ScriptedShelf

    @property
    def top(self) -> ModelsScreen:
        assert isinstance(self.app.screen, ModelsScreen), self.app.screen
        return self.app.screen

    async def open(self) -> None:
        """The screen, with everything looked at."""
        await self.pilot.press("f11")
        await self.ready()

    async def ready(self) -> None:
        await until(lambda: isinstance(self.app.screen, ModelsScreen))
        await until(lambda: self.screen.room.place and "looking" not in self.details())

    async def go(self, name: str) -> None:
        """The cursor on a model."""
        options = self.top.query_one(OptionList)
        options.highlighted = options.get_option_index(name)
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def use(self, name: str) -> None:
        """Load a model, so that another one is not in use."""
        await self.go(name)
        await self.press("enter")
        await self.sees(name, "● in use")

    async def find_damage(self, name: str, error: SincError) -> None:
        """Verify a model whose file turns out to be damaged."""
        await self.go(name)
        self.shelf.trouble["verify"] = error
        await self.press("v")
        await self.sees(name, "✗ damaged")

    def row(self, name: str) -> str:
        return str(self.top.query_one(OptionList).get_option(name).prompt)

    def details(self) -> str:
        return str(self.top.query_one("#model-detail Static", Static).render())

    def said(self) -> str:
        return self.top._notice.text

    async def fetch(self, count: int = 1) -> ScriptedFetch:
        await until(lambda: len(self.shelf.fetches) == count)
        return self.shelf.fetches[-1]

    async def sees(self, name: str, words: str) -> None:
        await until(lambda: words in self.row(name))


@asynccontextmanager
async def running(
    shelf: ScriptedShelf | None = None,
    *,
    missing: SincError | None = None,
    size: tuple[int, int] = (120, 35),
    chosen: str = "tiny",
) -> AsyncIterator[Models]:
    engine = FakeEngine(info=TINY_INFO)
    used = shelf or ScriptedShelf()

    def connect() -> FakeEngine:
        if missing is not None:
            raise missing
        return engine

    app = SincApp(connect, chosen=chosen, make_shelf=lambda: used)
    async with app.run_test(size=size) as pilot:
        models = Models(app, pilot, engine)
        models.shelf = used
        await until(lambda: models.screen.state.info or models.screen.state.error)
        yield models
