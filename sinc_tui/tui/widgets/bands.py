"""The six panels together: lengths are comparable only across them."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from sinc_tui.sinc.bands import Band
from sinc_tui.tui.state import Phase, RunState
from sinc_tui.tui.widgets.band_header import Length
from sinc_tui.tui.widgets.band_panel import BandPanel


class Bands(VerticalScroll, can_focus=False):
    """Columns, a grid, or one scrolling column: the screen's stylesheet decides."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._panels = {band: BandPanel(band) for band in Band}
        self._phase = Phase.LOADING

    def compose(self) -> ComposeResult:
        """The panels in document order."""
        yield from self._panels.values()

    def show(self, state: RunState) -> None:
        """Bring all panels to a state."""
        lengths = lengths_of(state)
        for band, panel in self._panels.items():
            panel.show(
                state.draft.texts[band],
                writing=band in state.writing,
                done=band in state.draft.done,
                length=lengths[band],
            )
        self._follow(state)

    def _follow(self, state: RunState) -> None:
        """Keep what is being written in view; back to the top when all is there to be read."""
        if state.phase is Phase.FINISHED and self._phase is not Phase.FINISHED:
            for scrollable in (self, *self._panels.values()):
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
