"""What all dialogs share: Esc closes them, and quitting works from inside them."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A modal screen. Keys of the app do not reach it, so it binds quitting itself."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 70%; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="close"),
        Binding("f1", "help", "Help", tooltip="Show the keys", id="help"),
        Binding("ctrl+q", "app.quit", "Quit", priority=True, id="quit"),
    ]

    def action_help(self) -> None:
        """Show the keys that work here."""
        from sinc_tui.tui.screens.help import HelpScreen

        if not isinstance(self, HelpScreen):
            self.app.push_screen(HelpScreen(type(self).BINDINGS, Dialog.BINDINGS, main=False))

    def action_close(self) -> None:
        """Close with no result; a key that comes while it closes does nothing."""
        if self.is_current:
            self.dismiss(None)
