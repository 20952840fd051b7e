"""The editor of the raw prompt: Enter runs, other keys put in the new line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from sinc_tui.tui.literal import visible_in_place

if TYPE_CHECKING:
    from rich.text import Text
    from textual import events


def _without(keys: set[str], bindings: Sequence[BindingType]) -> list[BindingType]:
    """Bindings less some keys, so that these reach the screen."""
    singles = Binding.make_bindings(bindings)
    return [binding for binding in singles if binding.key not in keys]


class PromptEditor(TextArea, inherit_bindings=False):
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
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        &:focus { border: round $border; border-title-color: $primary; }
        & .text-area--cursor-line { background: $background; }
        & .text-area--placeholder { color: $text-disabled; }
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
        *_without({"ctrl+e", "ctrl+y"}, TextArea.BINDINGS),
        *OWN_BINDINGS,
    ]

    @dataclass
    class Submitted(Message):
        """Enter was pressed; `text` is the prompt as it stands."""

        text: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(
            id=id,
            placeholder="Type a careless prompt, then press Enter.",
            highlight_cursor_line=False,
            soft_wrap=True,
        )
        self.border_title = "Prompt"
        self.border_subtitle = "Enter runs · Ctrl+J new line"

    async def _on_key(self, event: events.Key) -> None:
        """Take the keys that run or break the line; the text area would misread them.

        A binding's action runs only after the key has gone up to the app; what was typed behind the
        new line would by then stand before it. So it is put in here.
        """
        breaks = any(
            binding.action == "new_line"
            for binding in self._bindings.key_to_bindings.get(event.key, ())
        )
        if event.key != "enter" and not breaks:
            return await super()._on_key(event)
        event.stop()
        event.prevent_default()
        if breaks:
            self.action_new_line()
        else:
            self.post_message(self.Submitted(self.text))
        return None

    def action_new_line(self) -> None:
        """Put a new line where the cursor is."""
        self._replace_via_keyboard("\n", *self.selection)

    def get_line(self, line_index: int) -> Text:
        """A line for drawing, with the characters that would act on the terminal made visible."""
        line = super().get_line(line_index)
        line.plain = visible_in_place(line.plain)
        return line
