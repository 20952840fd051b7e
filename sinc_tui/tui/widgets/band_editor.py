"""The text of a band: shown as it arrives, edited in place afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from sinc_tui.sinc.bands import Band
from sinc_tui.tui.widgets.safe_area import SafeArea

if TYPE_CHECKING:
    from rich.text import Text

_CURSOR = "▍"

MEANINGS = {
    Band.PERSONA: "who should answer",
    Band.CONTEXT: "the situation as given, and what is unknown",
    Band.DATA: "the concrete inputs, word for word",
    Band.CONSTRAINTS: "the rules; always the longest band",
    Band.FORMAT: "the shape of the answer",
    Band.TASK: "one imperative sentence",
}
"""What each band is for, shown while it is empty."""


@dataclass(frozen=True, slots=True)
class _Step:
    """An edit of several bands at once, which undo and redo take as one."""

    before: str
    after: str
    others: Sequence[BandEditor]


class BandEditor(SafeArea, inherit_bindings=False):
    """An editor that can't be typed in while the model writes."""

    DEFAULT_CSS = """
    BandEditor {
        height: 1fr; width: 1fr; border: none; padding: 0; background: $panel;
        &:focus { border: none; }
        scrollbar-gutter: stable;
        & .text-area--cursor-line { background: $panel; }
    }
    """
    OWN_BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+shift+z", "redo", "Redo", tooltip="Redo", show=False, id="redo_band"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [*SafeArea.BINDINGS, *OWN_BINDINGS]

    most = 20_000

    def __init__(self, band: Band) -> None:
        super().__init__(id=f"text-{band.value.lower()}", placeholder=MEANINGS[band])
        self.band = band
        self.read_only = True
        self.writing = False
        self._steps: list[_Step] = []

    def _watch_read_only(self, read_only: bool) -> None:
        """The cursor alone looks different, so that styles need working out where it is alone.

        For six editors that takes long enough to hold up a key, at both ends of every run.
        """
        if self.has_focus or self.has_class("-read-only"):
            super()._watch_read_only(read_only)

    def show(self, text: str, *, writing: bool) -> None:
        """Show what the model wrote; what was done before can't be undone any more."""
        following = writing and self.is_vertical_scroll_end
        self.writing = writing
        self._steps.clear()
        self.mark(())
        self.load_text(text)
        if following:
            self.scroll_end(animate=False)

    def rewrite(self, text: str, others: Sequence[BandEditor] = ()) -> None:
        """Replace the text so that undo brings it back, together with that of `others`."""
        self._steps.append(_Step(self.text, text, others))
        self.history.checkpoint()
        self.replace(text, self.document.start, self.document.end, maintain_selection_offset=False)
        self.history.checkpoint()

    def undo(self) -> None:
        """Undo; an edit of several bands is undone in all of them that still stand as it left them."""
        for step in self._steps:
            if step.after == self.text:
                self._together(step, redo=False)
        super().undo()

    def redo(self) -> None:
        """Redo, in the same way."""
        for step in self._steps:
            if step.before == self.text and self.history.redo_stack:
                self._together(step, redo=True)
        super().redo()

    def _together(self, step: _Step, *, redo: bool) -> None:
        for other in step.others:
            if any((s.before if redo else s.after) == other.text for s in other._steps):
                super(BandEditor, other).redo() if redo else super(BandEditor, other).undo()

    def get_line(self, line_index: int) -> Text:
        """A line for drawing, with a cursor where the model writes."""
        line = super().get_line(line_index)
        if self.writing and line_index == self.document.line_count - 1:
            line.append(_CURSOR)
        return line
