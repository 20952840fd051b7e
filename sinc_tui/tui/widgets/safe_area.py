"""A text area for text of any origin: shown literally, marked where asked, of bounded length."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from unicodedata import category

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.document._document_navigator import DocumentNavigator
from textual.document._wrapped_document import WrappedDocument
from textual.message import Message
from textual.widgets import TextArea

from sinc_tui.tui.widgets.safe_document import SafeDocument

if TYPE_CHECKING:
    from textual import events

Mark = tuple[int, int, str]
"""Start, end (code points of the whole text) and the name of a look: kept, lost or invented."""


def bindings_without(keys: set[str], bindings: Sequence[BindingType]) -> list[BindingType]:
    """Bindings less some keys, so that these reach the screen."""
    singles = Binding.make_bindings(bindings)
    return [binding for binding in singles if binding.key not in keys]


class SafeArea(TextArea, inherit_bindings=False):
    """What both editors share. `most` is the number of code points that a paste may lead to."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "safe-area--kept",
        "safe-area--lost",
        "safe-area--invented",
    }
    DEFAULT_CSS = """
    SafeArea {
        scrollbar-size-vertical: 1;
        & .text-area--cursor-line { background: $background; }
        & .text-area--placeholder { color: $text-disabled; }
        & .safe-area--kept { text-style: underline; }
        & .safe-area--lost { color: $error; text-style: strike; }
        & .safe-area--invented { text-style: italic reverse; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_without({"ctrl+e", "ctrl+y", "f6", "f7"}, TextArea.BINDINGS),
        Binding("ctrl+home", "to_start", "Start of the text", show=False, id="text_start"),
        Binding("ctrl+end", "to_end", "End of the text", show=False, id="text_end"),
    ]

    @dataclass
    class TooLong(Message):
        """A paste was refused: it has `pasted` characters, and `most` may stand here."""

        pasted: int
        most: int

    most = 100_000

    def __init__(self, *, id: str | None = None, placeholder: str = "") -> None:
        super().__init__(
            id=id, placeholder=placeholder, highlight_cursor_line=False, soft_wrap=True
        )
        self._marks: dict[int, list[Mark]] = {}
        self._marks_given: Sequence[Mark] = ()

    def on_resize(self) -> None:
        """Draw anew: Textual, which wraps behind this, does so only where the number of lines changes."""
        self.refresh()

    def action_to_start(self) -> None:
        """Go to where the text starts."""
        self.move_cursor(self.document.start)

    def action_to_end(self) -> None:
        """Go to where the text ends."""
        self.move_cursor(self.document.end)

    def _set_document(self, text: str, _language: str | None) -> None:
        """Every text that is loaded comes in a document that is laid out as it is shown."""
        self.document = document = SafeDocument(text)
        self.wrapped_document = WrappedDocument(document, tab_width=self.indent_width)
        self.navigator = DocumentNavigator(self.wrapped_document)
        self.move_cursor((0, 0))
        self._rewrap_and_refresh_virtual_size()

    def mark(self, marks: Sequence[Mark]) -> None:
        """Mark stretches of the text; an edit leaves them where they are until the next call."""
        marks = tuple(marks)
        if marks == self._marks_given:
            return
        self._marks_given = marks
        self._marks = _by_line(self.text, marks) if marks else {}
        self._line_cache.clear()
        self.refresh()

    def get_line(self, line_index: int) -> Text:
        """A line for drawing, with the marks on it."""
        line = Text(self.document.get_line(line_index), end="", no_wrap=True)
        for start, end, look in self._marks.get(line_index, ()):
            line.stylize(
                self.get_component_rich_style(f"safe-area--{look}", partial=True), start, end
            )
        return line

    async def _on_key(self, event: events.Key) -> None:
        """Run this editor's own bindings here, in the order in which keys were pressed.

        Left to Textual, a bound key first goes up to the app; a letter typed behind Ctrl+End would by then
        stand where the cursor was. Joiners and marks of direction, which a keyboard or an input method may
        send, are text too: Textual counts them as unprintable, and Persian and many an emoji need them.
        """
        if not event.is_printable and await self._run_bound(event.key):
            pass
        elif not self.read_only and event.character and category(event.character[0]) == "Cf":
            self._replace_via_keyboard(event.character, *self.selection)
        else:
            return await super()._on_key(event)
        event.stop()
        event.prevent_default()
        return None

    async def _run_bound(self, key: str) -> bool:
        """Run the action that a key has in this editor; whether it has one that is enabled."""
        for binding in self._bindings.key_to_bindings.get(key, ()):
            if await self.app.run_action(binding.action, self):
                return True
        return False

    async def _on_paste(self, event: events.Paste) -> None:
        """Refuse what no model could take; the clipboard still has it."""
        if self.read_only:
            return
        if len(self.text) + len(event.text) > self.most:
            event.stop()
            event.prevent_default()
            self.post_message(self.TooLong(len(event.text), self.most))
            return
        await super()._on_paste(event)
        event.prevent_default()


def _by_line(text: str, marks: Sequence[Mark]) -> dict[int, list[Mark]]:
    """Marks in columns, by the line on which they stand; those over several lines in pieces."""
    starts = [0]
    for row in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(row))
    found: dict[int, list[Mark]] = {}
    for start, end, look in marks:
        line = bisect_right(starts, start) - 1
        while line < len(starts) - 1 and starts[line] < end:
            stop = min(end, starts[line + 1]) - starts[line]
            found.setdefault(line, []).append((max(0, start - starts[line]), stop, look))
            line += 1
    return found
