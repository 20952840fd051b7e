"""The strip of badges: what holds of the document so far, each as a word and a mark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from sinc_tui.tui.literal import visible
from sinc_tui.tui.theme import FAINT, MUTED

if TYPE_CHECKING:
    from sinc_tui.sinc.invariants import Verdict

LABELS = {
    "json": ("JSON", "JSON"),
    "bands": ("six bands", "bands"),
    "constraints_longest": ("CONSTRAINTS longest", "longest"),
    "task_one_sentence": ("TASK one sentence", "sentence"),
    "formula": ("formula", "formula"),
}
"""The words of each invariant, long and short, in the order of the strip."""

_MARKS = {"pending": ("…", FAINT), "pass": ("✓", "$success"), "fail": ("✗", "$error")}
_SHORT_BELOW = 78


class Badge(Static):
    """One invariant: mark and word; the reason on hovering."""

    DEFAULT_CSS = """
    Badge { width: auto; height: 1; margin: 0 2 0 0; }
    """

    def __init__(self, verdict_id: str) -> None:
        self._words = LABELS.get(verdict_id, (verdict_id, verdict_id))
        self._status = "pending"
        self._short = False
        super().__init__(self._content(), markup=False, id=f"badge-{verdict_id}")

    def show(self, status: str, reason: str, *, short: bool) -> None:
        """Bring the badge to a state."""
        self.tooltip = Content(visible(reason)) if reason else None
        if (status, short) != (self._status, self._short):
            self._status, self._short = status, short
            self.update(self._content())

    def _content(self) -> Content:
        mark, style = _MARKS[self._status]
        word_style = MUTED if self._status == "pending" else ""
        if self._status == "fail":
            word_style = "bold $error"
        return Content.assemble((mark, style), " ", (self._words[self._short], word_style))


class Badges(Horizontal):
    """All badges in a row; the words shorten where the row is narrow."""

    DEFAULT_CSS = """
    Badges { height: 1; width: 1fr; padding: 0 2; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._badges = {verdict_id: Badge(verdict_id) for verdict_id in LABELS}
        self._verdicts: Mapping[str, Verdict] = {}

    def compose(self) -> ComposeResult:
        """One badge for each invariant."""
        yield from self._badges.values()

    def show(self, verdicts: Mapping[str, Verdict]) -> None:
        """Show the newest verdicts; what is not judged yet is pending."""
        self._verdicts = dict(verdicts)
        short = self.size.width < _SHORT_BELOW
        for verdict_id, badge in self._badges.items():
            verdict = verdicts.get(verdict_id)
            if verdict is None:
                badge.show("pending", "", short=short)
            else:
                badge.show(verdict.status.value, verdict.reason, short=short)

    def on_resize(self, _event: events.Resize) -> None:
        """The width decides between long and short words."""
        self.show(self._verdicts)
