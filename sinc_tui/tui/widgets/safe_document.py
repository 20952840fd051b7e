"""A document that an editor lays out and draws by its visible form, and keeps as it is."""

from __future__ import annotations

from typing import SupportsIndex, overload

from textual.document._document import Document

from sinc_tui.tui.literal import visible_in_place


class SafeDocument(Document):
    """Lines are asked for by what wraps, measures and draws them: they come in their visible form.

    That has a character for a character, so every column means the same in both. A control character
    has no width and its picture has one; wrapped by the one and drawn by the other, text would vanish
    behind the edge. `text` and ranges of it are the real thing.
    """

    @property
    def lines(self) -> list[str]:
        """All lines."""
        return [visible_in_place(line) for line in self._lines]

    def get_line(self, index: int) -> str:
        """One line."""
        return visible_in_place(self._lines[index])

    @overload
    def __getitem__(self, line_index: SupportsIndex) -> str: ...

    @overload
    def __getitem__(self, line_index: slice) -> list[str]: ...

    def __getitem__(self, line_index: SupportsIndex | slice) -> str | list[str]:
        if isinstance(line_index, slice):
            return self.lines[line_index]
        return visible_in_place(self._lines[line_index])
