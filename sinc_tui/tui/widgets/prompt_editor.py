"""The editor of the raw prompt: Enter runs, other keys put in the new line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from sinc_tui.tui.widgets.safe_area import SafeArea

if TYPE_CHECKING:
    from textual import events


class PromptEditor(SafeArea, inherit_bindings=False):
    """A text area that nothing but the user's keys ever changes.

    Enter is taken before the text area sees it. A paste is no key, so that its new lines stay text.
    """

    DEFAULT_CSS = """
    PromptEditor {
        border: round $border-blurred;
        background: $background;
        border-title-color: $text-muted;
        border-subtitle-color: $text-muted;
        padding: 0 1;
        scrollbar-background: $background;
        &:focus { border: round $border; border-title-color: $primary; }
    }
    """

    OWN_BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+j,shift+enter",
            "new_line",
            "New line",
            tooltip="New line in the prompt",
            show=False,
            id="new_line",
        ),
        Binding("ctrl+shift+z", "redo", "Redo", tooltip="Redo", show=False, id="redo"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        *SafeArea.BINDINGS,
        *OWN_BINDINGS,
    ]

    @dataclass
    class Submitted(Message):
        """Enter was pressed; `text` is the prompt as it stands."""

        text: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, placeholder="Type a careless prompt, then press Enter.")
        self.border_title = "Prompt"
        self.border_subtitle = "Enter runs · Ctrl+J new line · Tab to the bands"

    async def _on_key(self, event: events.Key) -> None:
        """Take the key that runs; the text area would break the line."""
        if event.key != "enter":
            return await super()._on_key(event)
        event.stop()
        event.prevent_default()
        self.post_message(self.Submitted(self.text))
        return None

    def action_new_line(self) -> None:
        """Put a new line where the cursor is."""
        self._replace_via_keyboard("\n", *self.selection)
