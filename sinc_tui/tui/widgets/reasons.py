"""What is wrong with a result, in words, and the key that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.widgets import Static

from sinc_tui.tui.literal import visible
from sinc_tui.tui.theme import MUTED


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence on what is wrong, and one on what can be done.

    Attributes:
        grave: whether it keeps the bands from being a document.
    """

    text: str
    advice: str = ""
    grave: bool = True


class Reasons(Static):
    """A line for each reason; takes no room while all is well."""

    DEFAULT_CSS = """
    Reasons {
        width: 1fr; height: auto; max-height: 4; padding: 0 2; display: none;
        overflow-y: auto; scrollbar-size-vertical: 1;
    }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.reasons: list[Reason] = []

    def show(self, reasons: Sequence[Reason]) -> None:
        """Show these reasons and no other."""
        if list(reasons) != self.reasons:
            self.reasons = list(reasons)
            self.update(Content("\n").join(map(_line, self.reasons)))
            self.display = bool(self.reasons)


def _line(reason: Reason) -> Content:
    mark, style = ("✗", "$error") if reason.grave else ("!", "$warning")
    text_style = style if reason.grave else ""
    advice = (" " + reason.advice, MUTED) if reason.advice else ""
    return Content.assemble((mark, style), " ", (visible(reason.text), text_style), advice)
