"""What all dialogs share: Esc closes them, and quitting works from inside them."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A modal screen. Keys of the app do not reach it, so it binds quitting itself."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle; background: $background 70%;
        & OptionList > .option-list--option-highlighted,
        & OptionList:focus > .option-list--option-highlighted {
            color: $foreground; background: $primary 30%; text-style: bold;
        }
    }
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
            bindings = [*type(self).BINDINGS, *Dialog.BINDINGS]
            rows = [binding for binding in bindings if isinstance(binding, Binding)]
            self.app.push_screen(HelpScreen({"": rows}))

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close, if this is the screen in view.

        Textual takes away whatever screen is there, so a key that was pressed twice, or behind one
        that opened another dialog, must not come through.
        """
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()

    def action_close(self) -> None:
        """Close with no result; a key that comes while it closes does nothing."""
        if self.is_current:
            self.dismiss(None)
