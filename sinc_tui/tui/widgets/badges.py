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
    from sinc_tui.tui.facts import FactView

LABELS = {
    "json": ("JSON", "JSON"),
    "bands": ("six bands", "bands"),
    "constraints_longest": ("CONSTRAINTS longest", "longest"),
    "task_one_sentence": ("TASK one sentence", "sentence"),
    "formula": ("formula", "formula"),
    "facts": ("facts", "facts"),
}
"""The words of each invariant, long and short, and of the facts, in the order of the strip."""

_MARKS = {
    "pending": ("…", FAINT),
    "pass": ("✓", "$success"),
    "fail": ("✗", "$error"),
    "lost": ("!", "$warning"),
}
_SHORT_BELOW = 92
_TIGHT_BELOW = 70


class Badge(Static):
    """One invariant: mark and word; the reason on hovering."""

    DEFAULT_CSS = """
    Badge { width: auto; height: 1; margin: 0 2 0 0; }
    """

    def __init__(self, verdict_id: str) -> None:
        self._words = LABELS.get(verdict_id, (verdict_id, verdict_id))
        self._status = "pending"
        self._short = False
        self._count = ""
        super().__init__(self._content(), markup=False, id=f"badge-{verdict_id}")

    def show(self, status: str, reason: str, *, short: bool, count: str = "") -> None:
        """Bring the badge to a state; a `count` stands behind its word."""
        self.tooltip = Content(visible(reason)) if reason else None
        if (status, short, count) != (self._status, self._short, self._count):
            self._status, self._short, self._count = status, short, count
            self.update(self._content())

    def _content(self) -> Content:
        mark, style = _MARKS[self._status]
        word_style = MUTED if self._status == "pending" else ""
        if self._status == "fail":
            word_style = "bold $error"
        if self._status == "lost":
            word_style = "bold"
        words = f"{self._words[self._short]} {self._count}".strip()
        return Content.assemble((mark, style), " ", (words, word_style))


class Badges(Horizontal):
    """All badges in a row; the words shorten where the row is narrow."""

    DEFAULT_CSS = """
    Badges { height: 1; width: 1fr; padding: 0 2; }
    Badges.-tight { padding: 0 1; Badge { margin: 0 1 0 0; } }
    """

    def __init__(self) -> None:
        super().__init__()
        self._badges = {verdict_id: Badge(verdict_id) for verdict_id in LABELS}
        self._verdicts: Mapping[str, Verdict] = {}
        self._facts: FactView | None = None

    def compose(self) -> ComposeResult:
        """One badge for each invariant."""
        yield from self._badges.values()

    def show(self, verdicts: Mapping[str, Verdict], facts: FactView | None = None) -> None:
        """Show the newest verdicts and facts; what is not judged yet is pending."""
        self._verdicts, self._facts = dict(verdicts), facts
        short = self.size.width < _SHORT_BELOW
        self.set_class(self.size.width < _TIGHT_BELOW, "-tight")
        for verdict_id, badge in self._badges.items():
            verdict = verdicts.get(verdict_id)
            if verdict is None:
                badge.show("pending", "", short=short)
            else:
                badge.show(verdict.status.value, verdict.reason, short=short)
        if facts:
            count = facts.grounding.badge.removeprefix("facts ")
            reason = " ".join(filter(None, [facts.lost, facts.invented]))
            self._badges["facts"].show(
                "lost" if reason else "pass", reason, short=short, count=count
            )

    def on_resize(self, _event: events.Resize) -> None:
        """The width decides between long and short words."""
        self.show(self._verdicts, self._facts)
