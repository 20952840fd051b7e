"""The keys, listed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sinc_tui.tui.screens.dialog import Dialog

_EXTRA = [
    ("⏎", "Run, from the prompt"),
    ("tab", "Go to the next band; arrows scroll it"),
    ("^z", "Undo in the prompt"),
    ("^p", "Command palette"),
]


class HelpScreen(Dialog[None]):
    """Built from the bindings themselves, so that it cannot tell other keys than there are."""

    CSS_PATH = "help.tcss"

    def __init__(self, *bindings: Iterable[BindingType]) -> None:
        super().__init__()
        self._bindings_shown = [
            binding for group in bindings for binding in group if isinstance(binding, Binding)
        ]

    def compose(self) -> ComposeResult:
        """Two columns: keys and what they do."""
        with VerticalScroll(id="help") as box:
            box.border_title = "Keys"
            box.border_subtitle = "Esc closes"
            yield Static(Content("\n").join(map(_row, self._rows())), markup=False)

    def _rows(self) -> list[tuple[str, str]]:
        rows = [
            (
                " ".join(self.app.get_key_display(key) for key in _keys(binding)),
                binding.tooltip or binding.description,
            )
            for binding in self._bindings_shown
        ]
        return [*_EXTRA[:1], *rows, *_EXTRA[1:]]


def _keys(binding: Binding) -> Iterable[Binding]:
    """One binding for each key of a binding, named after the key itself."""
    return Binding.make_bindings([replace(binding, key_display=None)])


def _row(row: tuple[str, str]) -> Content:
    keys, what = row
    return Content.assemble((f"{keys:>22}", "$primary"), "  ", what)
