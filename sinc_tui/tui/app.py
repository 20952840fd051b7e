"""The Textual application: theme, screens, and the model that it was started with."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.driver import Driver
from textual.screen import Screen

from sinc_tui.clipboard_route import in_browser
from sinc_tui.tui.screens.main import MainScreen
from sinc_tui.tui.theme import SINC, THEMES

if TYPE_CHECKING:
    from sinc_tui.errors import SincError
    from sinc_tui.rewriter import ModelFile
    from sinc_tui.settings import Loaded
    from sinc_tui.tui.session import Engine
    from sinc_tui.tui.shelf import Shelf

BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (160, "-wide")]
"""Columns from which each layout of the stylesheet holds."""

SMALLEST = (60, 20)
"""Columns and rows below which the screen asks for a larger window."""


def _commands() -> type[Provider]:
    from sinc_tui.tui.commands import SincCommands

    return SincCommands


def _system_commands() -> type[Provider]:
    from textual.system_commands import SystemCommandsProvider

    return SystemCommandsProvider


class SincApp(App[None]):
    """Shows the main screen at once; the engine is connected behind it."""

    TITLE = "sinc-tui"
    CSS_PATH = "screens/main.tcss"  # Textual loads no stylesheet for the default screen itself
    HORIZONTAL_BREAKPOINTS = BREAKPOINTS
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {
        _system_commands,
        _commands,
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True, id="quit"),
    ]

    def __init__(
        self,
        connect: Callable[[], Engine],
        loaded: Loaded | None = None,
        *,
        tour: bool = False,
        chosen: str = "",
        make_shelf: Callable[[], Shelf] | None = None,
    ) -> None:
        """`connect` makes the engine; it is called after the first paint. `loaded` None means that
        there are no settings but the defaults. `tour` shows a newcomer around. `chosen` is the model's
        name where one was chosen, and `make_shelf` tells where the others are; None: on this machine's
        disk."""
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = SINC.name
        self._connect = connect
        self.loaded = loaded
        self._tour = tour
        self._chosen, self._make_shelf = chosen, make_shelf

    def on_mount(self) -> None:
        """Look as the settings say from the first paint on."""
        if self.loaded is not None:
            from sinc_tui.tui.configuring import apply

            apply(self, self.loaded.settings, self.loaded.problems)

    def on_ready(self) -> None:
        """Show a newcomer around, once, unless they type already."""
        main = self.screen_stack[0]
        if self._tour and isinstance(main, MainScreen) and not main.typed:
            from sinc_tui.tui import newcomer

            newcomer.remember()
            self.action_tour()

    def action_tour(self) -> None:
        """Show around on the main screen."""
        main = self.screen_stack[0]
        if isinstance(main, MainScreen):
            main.show_tour()

    def get_driver_class(self) -> type[Driver]:
        """Our own in a Unix terminal; in a browser or elsewhere, what Textual has for it."""
        chosen = super().get_driver_class()
        if chosen.__module__ == "textual.drivers.linux_driver":
            from sinc_tui.tui.driver import SafeDriver

            return SafeDriver
        return chosen

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the keys of the whole app to the settings while these wait for a key."""
        if action in ("quit", "command_palette") and getattr(self.screen, "waiting", False):
            return False
        return super().check_action(action, parameters)

    def action_command_palette(self) -> None:
        """Open the palette, once."""
        from sinc_tui.tui.commands import Palette

        if self.use_command_palette and not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def get_default_screen(self) -> MainScreen:
        """The main screen is the ground that others are pushed upon."""
        return MainScreen(self._connect, chosen=self._chosen, make_shelf=self._make_shelf)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Textual's own, without those that ours replace, and what has no key."""
        for command in super().get_system_commands(screen):
            if command.title not in ("Quit", "Keys"):
                yield command
        yield SystemCommand("Tour", "Show me around, in four steps", self.action_tour)

    def on_resize(self, event: events.Resize) -> None:
        """Ask for a larger window while this one is too small."""
        from sinc_tui.tui.screens.too_small import TooSmallScreen

        width, height = SMALLEST
        too_small = event.size.width < width or event.size.height < height
        asking = next((one for one in self.screen_stack if isinstance(one, TooSmallScreen)), None)
        if too_small and asking is None:
            self.push_screen(TooSmallScreen())
        elif asking is self.screen and not too_small:
            self.pop_screen()
        elif asking is not None and not too_small:  # another screen was opened over it
            self._screen_stack.remove(asking)
            asking.remove()


def run_app(
    model: ModelFile | None = None,
    *,
    chosen: str = "",
    missing: SincError | None = None,
    worker: Sequence[str] | None = None,
    tour: bool = True,
) -> int:
    """Open the app on a model (None: the default one) and return the exit code.

    `chosen` is its name in the catalogue. `missing` is why there is none: the app opens and says so.
    `worker` is the engine's command line, for tests. `tour` shows around who is new here.
    """
    browser = in_browser(os.environ)
    if not browser and not (
        sys.__stdin__ and sys.__stdout__ and sys.__stdin__.isatty() and sys.__stdout__.isatty()
    ):
        from sinc_tui.errors import SincError

        raise SincError(
            "There is no terminal to draw on.", hint="Use `sinc-tui rewrite` in a pipe."
        )

    def connect() -> Engine:
        from sinc_tui.rewriter import Rewriter

        if missing is not None:
            raise missing
        gc.freeze()  # what is imported stays: to look through it for garbage holds up keys for 0.1 s
        return Rewriter(model, worker=worker, behind=True)

    def make_shelf() -> Shelf:
        from sinc_tui.tui.shelf import StoredShelf

        return StoredShelf(worker)

    kind = _browser_app() if browser else SincApp
    new = tour and missing is None and _is_new()
    app = kind(connect, _loaded(), tour=new, chosen=chosen, make_shelf=make_shelf)
    app.run()
    return app.return_code or 0


def _browser_app() -> type[SincApp]:
    from sinc_tui.tui.browser import BrowserApp

    return BrowserApp


def _is_new() -> bool:
    """Whether the tour was never shown; that alone is looked at by everyone who has seen it.

    Where the folder to remember it in cannot be made, nobody is new.
    """
    from sinc_tui import paths
    from sinc_tui.errors import NoFolder

    try:
        if paths.tour_seen().exists():
            return False
        from sinc_tui.tui import newcomer

        return newcomer.is_new()
    except NoFolder:
        return False


def _loaded() -> Loaded | None:
    """The settings; without a file there are none, and nothing is imported for them."""
    from sinc_tui import paths

    path = paths.settings_file()
    if not path.exists():
        return None
    from sinc_tui import settings

    return settings.load(path)
