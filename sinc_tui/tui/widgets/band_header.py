"""The head of a band's panel: mark, name, length, and the bar that compares lengths."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from sinc_tui.sinc.bands import Band
from sinc_tui.tui.theme import FAINT, MUTED

_NAME_CELLS = max(map(len, Band))
_NOTE_CELLS = 7


@dataclass(frozen=True, slots=True)
class Length:
    """How long a band is beside the others.

    Attributes:
        characters: of this band.
        longest: of the longest band, this one included.
        too_long: whether this band passes CONSTRAINTS, which must lead.
    """

    characters: int = 0
    longest: int = 0
    too_long: bool = False

    @property
    def share(self) -> float:
        """Length over the longest band's, 0.0 to 1.0."""
        return self.characters / self.longest if self.longest else 0.0


def bar(share: float, cells: int) -> tuple[str, str]:
    """The filled and the empty part of a bar of `cells` cells; anything above zero is seen."""
    halves = round(share * cells * 2)
    if share > 0:
        halves = max(1, halves)
    filled = "━" * (halves // 2) + "╸" * (halves % 2)
    return filled, "─" * (cells - len(filled))


class BandHeader(Widget):
    """One row (`✓ NAME ━━── 64`) where the panel is low, two rows where it is high.

    `note` is a word on the band: that it is locked, or edited.
    """

    DEFAULT_CSS = """
    BandHeader { height: 2; width: 1fr; }
    """

    mark: reactive[str] = reactive("·")
    length: reactive[Length] = reactive(Length())
    note: reactive[str] = reactive("")

    def __init__(self, band: Band) -> None:
        super().__init__()
        self._band = band

    def render(self) -> Content:
        """The head in the height that the stylesheet gives it."""
        return self._two_rows() if self.size.height > 1 else self._one_row()

    def _one_row(self) -> Content:
        count = f"{self.length.characters:>5} "
        note = "▲ long" if self.length.too_long else self.note
        cells = max(4, self.size.width - _NAME_CELLS - len(count) - _NOTE_CELLS - 5)
        name = self._title().pad_right(_NAME_CELLS + 2 - len(self._title()))
        style = "$error" if self.length.too_long else MUTED
        return Content.assemble(
            name, "  ", self._bar(cells), (count, MUTED), (f"{note:<{_NOTE_CELLS}}", style)
        )

    def _two_rows(self) -> Content:
        width = self.size.width - 1
        count = self._count()
        title = self._title()
        gap = max(1, width - len(title) - len(count))
        return Content.assemble(title, " " * gap, count, "\n", self._bar(width))

    def _title(self) -> Content:
        style = {"✓": "$success", "●": "$primary", "◦": "$warning"}.get(self.mark, FAINT)
        return Content.assemble((self.mark, style), " ", (self._band.value, "bold"))

    def _count(self) -> Content:
        if self.length.too_long:
            return Content.styled(f"{self.length.characters} ▲ too long", "$error")
        return Content.styled(f"{self.note} {self.length.characters}".strip(), MUTED)

    def _bar(self, cells: int) -> Content:
        filled, rest = bar(self.length.share, cells)
        return Content.assemble((filled, self._bar_style()), (rest, "$foreground 15%"))

    def _bar_style(self) -> str:
        if self.length.too_long:
            return "$error"
        return "$accent" if self._band is Band.CONSTRAINTS else "$secondary"
