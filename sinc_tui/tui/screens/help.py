"""The keys, listed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sinc_tui.tui.screens.dialog import Dialog

_EXTRA = [
    ("^z", "Undo in the prompt"),
    ("tab", "Go to the next band; arrows scroll it"),
    ("⏎", "Fold a band, where bands stand in one column"),
    ("^p", "Command palette: every command by name"),
    ("t", "Take the tour again, from this list"),
]
"""Keys that Textual or other widgets bind."""


class HelpScreen(Dialog[None]):
    """Built from the bindings themselves, so that it cannot tell other keys than there are."""

    CSS_PATH = "help.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "tour", "Tour", tooltip="Take the tour again", id="tour"),
    ]

    def __init__(self, *bindings: Iterable[BindingType], main: bool = True) -> None:
        """`main` adds the keys that widgets of the main screen bind."""
        super().__init__()
        self._main = main
        self._bindings_shown = [
            binding for group in bindings for binding in group if isinstance(binding, Binding)
        ]

    def compose(self) -> ComposeResult:
        """Two columns: keys and what they do."""
        with VerticalScroll(id="help") as box:
            box.border_title = "Keys"
            box.border_subtitle = "Esc closes"
            yield Static(Content("\n").join(map(_row, self._rows())), markup=False)

    async def action_tour(self) -> None:
        """Close, then show around."""
        if self._main:
            self.dismiss(None)
            await self.app.run_action("tour")

    def _rows(self) -> list[tuple[str, str]]:
        rows = [
            (
                " ".join(self.app.get_key_display(key) for key in _keys(self._mapped(binding))),
                binding.tooltip or binding.description,
            )
            for binding in self._bindings_shown
        ]
        return [("⏎", "Run, from the prompt"), *rows, *_EXTRA] if self._main else rows

    def _mapped(self, binding: Binding) -> Binding:
        """A binding with the keys that the settings give it."""
        keys = self.app._keymap.get(binding.id or "")
        return replace(binding, key=keys) if keys else binding


def _keys(binding: Binding) -> Iterable[Binding]:
    """One binding for each key of a binding, named after the key itself."""
    return Binding.make_bindings([replace(binding, key_display=None)])


def _row(row: tuple[str, str]) -> Content:
    keys, what = row
    return Content.assemble((f"{keys:>23}", "$primary"), "  ", what)
