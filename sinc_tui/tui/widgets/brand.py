"""The app's name, and the formula that every document carries."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from sinc_tui.sinc.bands import FORMULA
from sinc_tui.tui.theme import FAINT


class Brand(Widget):
    """One quiet line at the top."""

    def render(self) -> Content:
        """Name at the left, formula at the right."""
        name = "sinc-tui"
        gap = max(2, self.content_size.width - len(name) - len(FORMULA))
        return Content.assemble((name, "bold $primary"), " " * gap, (FORMULA, FAINT))
