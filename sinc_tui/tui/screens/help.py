"""The keys, listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Static

from sinc_tui.tui.screens.dialog import Dialog
from sinc_tui.tui.screens.keys import EXTRA, HELP

Row = Binding | tuple[str, str]
"""A binding, or a key that somebody else binds and what it does."""


def sections(bindings: Iterable[BindingType], first: str = "") -> dict[str, list[Row]]:
    """The main screen's keys by section, the section `first` before the others."""
    named = {b.id: b for b in bindings if isinstance(b, Binding)}
    names = sorted(HELP, key=lambda name: name != first)
    return {
        name: [*EXTRA.get(name, ()), *(named[key] for key in HELP[name] if key in named)]
        for name in names
    }


class HelpScreen(Dialog[None]):
    """Built from the bindings themselves, so that it cannot tell other keys than there are."""

    CSS_PATH = "help.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "tour", "Tour", tooltip="Take the tour again", id="tour"),
    ]

    def __init__(self, groups: Mapping[str, Sequence[Row]]) -> None:
        """`groups` are rows by heading; an empty heading is not shown."""
        super().__init__()
        self._groups = groups

    def compose(self) -> ComposeResult:
        """Keys at the left, what they do beside them."""
        with VerticalScroll(id="help") as box:
            box.border_title = "Keys"
            box.border_subtitle = "↑↓ scroll · Esc closes"
            for heading, rows in self._groups.items():
                if heading:
                    yield Static(heading, classes="heading", markup=False)
                for row in rows:
                    keys, words = self._words(row)
                    with Horizontal(classes="key-row"):
                        yield Static(keys, classes="keys", markup=False)
                        yield Static(words, classes="words", markup=False)

    async def action_tour(self) -> None:
        """Close the main screen's help, then show around."""
        if "" not in self._groups:
            self.dismiss(None)
            await self.app.run_action("tour")

    def _words(self, row: Row) -> tuple[str, str]:
        if isinstance(row, tuple):
            return row
        return " ".join(key_names(self.app, row)), row.tooltip or row.description


def key_names(app: App[object], binding: Binding) -> list[str]:
    """The keys of a binding as they are shown, those that the settings give it first of all."""
    keys = app._keymap.get(binding.id or "")
    mapped = replace(binding, key=keys) if keys else binding
    return [app.get_key_display(key) for key in _keys(mapped)]


def _keys(binding: Binding) -> Iterable[Binding]:
    """One binding for each key of a binding, named after the key itself."""
    return Binding.make_bindings([replace(binding, key_display=None)])
