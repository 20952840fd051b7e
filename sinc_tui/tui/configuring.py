"""Brings settings into force, on a running app too."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from sinc_tui.errors import SincError
from sinc_tui.settings import Settings

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen

_COMPACT = "-compact"
"""The class of the main screen where margins and empty lines are left out."""


def apply(
    app: App[Any],
    settings: Settings,
    problems: Sequence[SincError] = (),
    changed: Collection[str] = tuple(Settings.model_fields),
) -> None:
    """Look and act as the settings say; problems are told on the main screen."""
    from sinc_tui.tui.screens.main import MainScreen

    problems = list(problems)
    if settings.theme in app.available_themes:
        app.theme = settings.theme
    else:
        names = ", ".join(sorted(app.available_themes))
        problems.append(
            SincError(f"There is no theme {settings.theme!r}.", hint=f"Themes: {names}.")
        )
    app.animation_level = "none" if settings.reduced_motion else "full"
    app.set_keymap(settings.keymap)
    for screen in app.screen_stack:
        if isinstance(screen, MainScreen):
            screen.set_class(settings.compact, _COMPACT)
            screen.configure(settings, changed)
            screen.call_after_refresh(_blink, screen, not settings.reduced_motion)
            if problems:
                screen.tell(problems)


def _blink(screen: Screen[Any], blinks: bool) -> None:
    from textual.widgets import TextArea

    for area in screen.query(TextArea):
        area.cursor_blink = blinks
