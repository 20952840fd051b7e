"""The line that says what is going on, with what model, how fast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from sinc_tui.tui.literal import visible
from sinc_tui.tui.state import Phase, RunState
from sinc_tui.tui.theme import MUTED

if TYPE_CHECKING:
    from sinc_tui.tui.downloads import Transfer

_LOOKS = {
    Phase.LOADING: ("◌", "$secondary"),
    Phase.READY: ("○", "$primary"),
    Phase.WRITING: ("●", "$accent"),
    Phase.FINISHED: ("✓", "$success"),
    Phase.STOPPED: ("■", "$warning"),
    Phase.FAILED: ("✗", "$error"),
}


class StatusBar(Static):
    """State at the left, the model and its figures at the right."""

    DEFAULT_CSS = """
    StatusBar {
        width: 1fr; height: 1; padding: 0 2;
        background: $surface; text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._state = RunState()
        self._downloads: Sequence[Transfer] = ()
        self._words: object = None

    def show_downloads(self, running: Sequence[Transfer]) -> None:
        """Show what is being downloaded, wherever that was begun."""
        self._downloads = running
        self.refresh()

    def show(self, state: RunState) -> None:
        """Show a state. Keeps it, because the width decides what is drawn."""
        self._state = state
        words = (state.phase, phase_words(state), figures(state))
        if words != self._words:
            self._words = words
            self.refresh()

    def render(self) -> Content:
        """Both ends of the line, pushed apart."""
        left, right = self._left(), self._right()
        gap = max(2, self.content_size.width - left.cell_length - right.cell_length)
        return Content.assemble(left, " " * gap, right)

    def _left(self) -> Content:
        mark, style = _LOOKS[self._state.phase]
        downloads = [
            (f"  ↓ {visible(transfer.name)} {transfer.percent}".rstrip(), "$accent")
            for transfer in self._downloads
        ]
        phase = (phase_words(self._state), "bold")
        return Content.assemble((mark, style), " ", phase, *downloads)

    def _right(self) -> Content:
        return Content.styled(" · ", MUTED).join(
            [Content.styled(part, MUTED) for part in figures(self._state)]
        )


def phase_words(state: RunState) -> str:
    """The phase in words, with how far it is."""
    if state.phase is Phase.LOADING:
        waits = ", then runs" if state.running else ""
        return f"loading {state.loaded:.0%}{waits}"
    if state.phase is Phase.WRITING and state.read is not None:
        return f"reading {state.read:.0%}"
    if state.phase is Phase.WRITING:
        return " ".join(["writing", *_names(state)])
    edited = ", edited" if state.result.edits else ""
    if state.phase is Phase.STOPPED:
        return f"stopped, {len(state.draft.done)} of 6 bands finished{edited}"
    return state.phase.value + edited


def _names(state: RunState) -> list[str]:
    """The bands that are being written; their number where the names would fill the line."""
    bands = sorted(state.writing, key=lambda band: band.n)
    return [band.value for band in bands] if len(bands) < 3 else [f"{len(bands)} bands"]


def figures(state: RunState) -> list[str]:
    """Place among the results, model, backend, tokens per second, time: as many as are known."""
    parts = []
    number, count = state.results.place
    if count > 1 and number:
        parts.append(f"result {number}/{count}")
    if state.info:
        parts.append(visible(state.info.name))
        parts += [] if state.info.trained else ["untrained"]
        parts.append(state.info.backend)
    if state.stats:
        writer = state.result.model
        other = f"{visible(writer)}: " if state.info and writer not in ("", state.info.name) else ""
        parts.append(f"{other}{state.stats.tokens_per_second:.0f} tok/s")
    if seconds := state.stats.seconds if state.stats else state.seconds:
        parts.append(f"{seconds:.1f} s")
    return parts
