"""The footer, which leaves out what does not fit instead of cutting it off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.binding import Binding
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.screen import Screen

_LEAVE_OUT = (
    "history", "app.quit", "new_prompt", "step(-1)", "step(1)", "compare", "vary", "reset", "copy_as",
    "copy_again", "lock", "regenerate", "stop",
)  # fmt: skip
"""Actions in the order in which they go where the line is short; help lists them all."""
_AROUND = 3
"""Cells of a key beside its words."""


class KeyBar(Footer):
    """Textual's footer, fitted to its width, and built anew only where it would look different.

    Textual builds it anew whenever bindings may have changed, which is at every drawing while the model
    writes: that took more time than all else that is drawn.
    """

    _drawn: object = None

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Bindings may have changed."""
        if not self._bindings_ready or self._looks() != self._drawn:
            super().bindings_changed(screen)

    def _looks(self) -> list[object]:
        """All that decides what the bar shows."""
        shown = [
            (binding.action, self.app.get_key_display(binding), binding.description, enabled, tip)
            for _, binding, enabled, tip in self.screen.active_bindings.values()
            if binding.show
        ]
        return [self.app.size.width, self.screen.focused, *shown]

    def compose(self) -> ComposeResult:
        """The keys that fit, in order."""
        self._drawn = self._looks()
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        for key in keys:
            key.set_reactive(FooterKey.compact, self.compact)  # else it is styled twice more
            if key.action == "run" and self.screen.focused is not self.screen.query_one("#prompt"):
                key.key_display = self.app.get_key_display(Binding(key.key, ""))
        for action in _LEAVE_OUT:
            if sum(map(_cells, keys)) <= self.app.size.width:
                break
            keys = [key for key in keys if key.action != action]
        self.styles.grid_size_columns = max(1, len(keys))
        yield from keys

    def on_resize(self, _event: events.Resize) -> None:
        """More or fewer keys fit."""
        self.call_after_refresh(self.recompose)


def _cells(key: FooterKey) -> int:
    return cell_len(key.key_display) + cell_len(key.description) + _AROUND
