"""The six panels together: lengths are comparable only across them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.geometry import Region
from textual.widgets import TextArea

from sinc_tui.sinc.bands import Band
from sinc_tui.tui.state import Phase, RunState
from sinc_tui.tui.widgets.band_header import Length
from sinc_tui.tui.widgets.band_panel import BandPanel
from sinc_tui.tui.widgets.safe_area import Mark


class Bands(VerticalScroll, can_focus=False):
    """Columns, a grid, or one scrolling column: the screen's stylesheet decides."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._panels = {band: BandPanel(band) for band in Band}
        self._phase = Phase.LOADING

    def compose(self) -> ComposeResult:
        """The panels in document order."""
        yield from self._panels.values()

    @property
    def focused_band(self) -> Band | None:
        """The band that has the focus; None where the focus is elsewhere."""
        focused = self.screen.focused  # an editor learns of it only later
        return next((b for b, panel in self._panels.items() if panel.editor is focused), None)

    def focus_band(self, band: Band) -> None:
        """Give a band the focus."""
        self._panels[band].editor.focus()

    def fold(self, band: Band) -> None:
        """Fold or unfold a band."""
        self._panels[band].action_fold()

    def show(self, state: RunState) -> None:
        """Bring all panels to a state."""
        lengths = lengths_of(state)
        edits = set() if state.running else state.result.edits
        for band, panel in self._panels.items():
            panel.show(
                state.draft.texts[band],
                writing=band in state.writing,
                done=band in state.draft.done,
                editable=not state.running,
                length=lengths[band],
                note="locked" if band in state.locked else "edited" if band in edits else "",
            )
        self._follow(state)

    def mark(self, marks: Mapping[Band, Sequence[Mark]]) -> None:
        """Mark stretches of the bands."""
        for band, panel in self._panels.items():
            panel.mark(marks.get(band, ()))

    def edits(self) -> dict[Band, str]:
        """What the reader changed since the last call."""
        found = {band: panel.edited() for band, panel in self._panels.items()}
        return {band: text for band, text in found.items() if text is not None}

    def rewrite(self, texts: Mapping[Band, str]) -> None:
        """Replace the texts of some bands, as one step for undo, which works from the first."""
        editors = [self._panels[band].editor for band in texts]
        for editor in editors:
            editor.rewrite(texts[editor.band], [other for other in editors if other is not editor])
        editors[0].focus()

    def on_text_area_selection_changed(self, message: TextArea.SelectionChanged) -> None:
        """Where the column scrolls, keep the line of the cursor in view."""
        message.stop()
        editor = message.text_area
        if editor.has_focus and not editor.read_only and self.max_scroll_y:
            self.call_after_refresh(self._keep_cursor_in_view, editor)

    def on_resize(self, _event: events.Resize) -> None:
        """Messages above and below take room; keep the line of the cursor in view."""
        if band := self.focused_band:
            self.call_after_refresh(self._keep_cursor_in_view, self._panels[band].editor)

    def _keep_cursor_in_view(self, editor: TextArea) -> None:
        at = editor.cursor_screen_offset
        if not self.content_region.contains_point(at):
            y = at.y - self.content_region.y + self.scroll_offset.y
            self.scroll_to_region(Region(0, y, 1, 1), animate=False, force=True)

    def _follow(self, state: RunState) -> None:
        """Keep what is being written in view; back to the top when all is there to be read."""
        if state.phase is Phase.FINISHED and self._phase is not Phase.FINISHED:
            for scrollable in (self, *(panel.editor for panel in self._panels.values())):
                scrollable.scroll_home(animate=False)
        elif len(state.writing) == 1:
            panel = self._panels[next(iter(state.writing))]
            self.call_after_refresh(self._keep_end_in_view, panel)
        self._phase = state.phase

    def _keep_end_in_view(self, panel: BandPanel) -> None:
        """Scroll the column, where there is one, so that the panel's last line is seen."""
        hidden = panel.virtual_region.bottom - self.scroll_offset.y - self.size.height
        if hidden > 0:
            self.scroll_relative(y=hidden, animate=False)


def lengths_of(state: RunState) -> dict[Band, Length]:
    """The six lengths side by side; a band is too long once CONSTRAINTS is finished behind it."""
    sizes = {band: len(text) for band, text in state.draft.texts.items()}
    longest = max(sizes.values())
    leader = sizes[Band.CONSTRAINTS] if Band.CONSTRAINTS in state.draft.done else longest + 1
    return {
        band: Length(size, longest, band is not Band.CONSTRAINTS and size >= leader > 0)
        for band, size in sizes.items()
    }
