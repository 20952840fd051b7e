"""One band: its head, and its text."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from sinc_tui.sinc.bands import Band
from sinc_tui.tui.widgets.band_editor import BandEditor
from sinc_tui.tui.widgets.band_header import BandHeader, Length
from sinc_tui.tui.widgets.safe_area import Mark


class BandPanel(Vertical):
    """Shows a band; follows its end while it is written, unless the reader scrolled away.

    Where panels stand in one column, a click on the head folds one.
    """

    DEFAULT_CSS = """
    BandPanel {
        background: $panel;
        padding: 0 0 0 1;
        border-left: outer $panel;
        &:focus-within { border-left: outer $primary; }
        &.-writing { border-left: outer $accent; }
    }
    """

    def __init__(self, band: Band) -> None:
        super().__init__(id=f"band-{band.value.lower()}")
        self.band = band
        self.editor = BandEditor(band)
        self._header = BandHeader(band)
        self._shown = ("", False)
        self._clean = ""

    def compose(self) -> ComposeResult:
        """Head and text."""
        yield self._header
        yield self.editor

    def show(
        self, text: str, *, writing: bool, done: bool, editable: bool, length: Length, note: str
    ) -> None:
        """Bring the panel to a state; what did not change is not drawn again."""
        self._header.mark = "●" if writing else "✓" if done else "◦" if text else "·"
        self._header.length = length
        self._header.note = note
        self.set_class(writing, "-writing")
        self.editor.read_only = not editable
        if (text, writing) != self._shown:
            self._shown = (text, writing)
            self.editor.show(text, writing=writing)
            self._clean = self.editor.text  # an editor has one kind of line end

    def mark(self, marks: Sequence[Mark]) -> None:
        """Mark stretches of the text, unless the reader has changed it meanwhile."""
        if self.editor.text == self._shown[0]:
            self.editor.mark(marks)

    def edited(self) -> str | None:
        """The text where the reader has changed it since the last call; None where not."""
        text = self.editor.text
        if self.editor.read_only or text == self._clean:
            return None
        self._shown, self._clean = (text, False), text
        return text

    def action_fold(self) -> None:
        """Fold or unfold; the stylesheet heeds it only where panels stand in one column."""
        self.toggle_class("-folded")

    def on_click(self, event: events.Click) -> None:
        """A click on the head folds."""
        if event.widget is self._header:
            self.action_fold()
