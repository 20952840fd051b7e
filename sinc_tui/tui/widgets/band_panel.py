"""One band: its head, and its text as it arrives."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sinc_tui.sinc.bands import Band
from sinc_tui.tui.literal import visible
from sinc_tui.tui.theme import FAINT
from sinc_tui.tui.widgets.band_header import BandHeader, Length

_CURSOR = "▍"

_MEANINGS = {
    Band.PERSONA: "who should answer",
    Band.CONTEXT: "the situation as given, and what is unknown",
    Band.DATA: "the concrete inputs, word for word",
    Band.CONSTRAINTS: "the rules; always the longest band",
    Band.FORMAT: "the shape of the answer",
    Band.TASK: "one imperative sentence",
}
"""What each band is for, shown while it is empty."""


class BandPanel(VerticalScroll):
    """Shows a band; follows its end while it is written, unless the reader scrolled away.

    Where panels stand in one column, Enter or a click on the head folds one.
    """

    DEFAULT_CSS = """
    BandPanel {
        background: $panel;
        padding: 0 1;
        border-left: outer $panel;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        &:focus { border-left: outer $primary; }
        &.-writing { border-left: outer $accent; }
        BandHeader { dock: top; }
        Static { width: 1fr; height: auto; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "fold", "Fold", show=False, id="fold"),
    ]

    def __init__(self, band: Band) -> None:
        super().__init__(id=f"band-{band.value.lower()}")
        self.band = band
        self._header = BandHeader(band)
        self._text = Static(self._empty(), markup=False)
        self._shown: tuple[str, bool] = ("", False)

    def compose(self) -> ComposeResult:
        """Head and text."""
        yield self._header
        yield self._text

    def show(self, text: str, *, writing: bool, done: bool, length: Length) -> None:
        """Bring the panel to a state; what did not change is not drawn again."""
        self._header.mark = "●" if writing else "✓" if done else "◦" if text else "·"
        self._header.length = length
        self.set_class(writing, "-writing")
        if (text, writing) != self._shown:
            self._shown = (text, writing)
            self._draw(text, writing=writing)

    def _draw(self, text: str, *, writing: bool) -> None:
        following = writing and self.is_vertical_scroll_end
        cursor = (_CURSOR, "$accent") if writing else ""
        filled = Content.assemble(visible(text), cursor)
        self._text.update(filled if text or writing else self._empty())
        if following:
            self.scroll_end(animate=False)

    def _empty(self) -> Content:
        return Content.styled(_MEANINGS[self.band], FAINT)

    def action_fold(self) -> None:
        """Fold or unfold; the stylesheet heeds it only where panels stand in one column."""
        self.toggle_class("-folded")

    def on_click(self, event: events.Click) -> None:
        """A click on the head folds."""
        if event.widget is self._header:
            self.action_fold()
