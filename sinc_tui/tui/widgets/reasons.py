"""Why a badge fails, in words, for those who do not hover."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from sinc_tui.tui.literal import visible
from sinc_tui.tui.widgets.badges import LABELS

if TYPE_CHECKING:
    from sinc_tui.sinc.invariants import Verdict


class Reasons(Static):
    """One line for each failing invariant; takes no room while all is well."""

    DEFAULT_CSS = """
    Reasons { width: 1fr; height: auto; max-height: 3; padding: 0 2; display: none; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.lines: list[str] = []

    def show(self, verdicts: Mapping[str, Verdict]) -> None:
        """Show the reasons of what fails."""
        lines = [
            f"{LABELS.get(verdict.id, (verdict.id,))[0]}: {visible(verdict.reason)}"
            for verdict in verdicts.values()
            if verdict.status == "fail"
        ]
        if lines != self.lines:
            self.lines = lines
            self.update(Content("\n").join([Content.styled(line, "$error") for line in lines]))
            self.display = bool(lines)
