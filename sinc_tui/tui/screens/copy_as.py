"""Asks in what format to copy, or which band."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from sinc_tui.sinc.bands import Band
from sinc_tui.tui.copying import FORMATS, CopyChoice
from sinc_tui.tui.screens.dialog import Dialog
from sinc_tui.tui.state import RunState
from sinc_tui.tui.theme import MUTED


class CopyAsScreen(Dialog[CopyChoice]):
    """A short list; what cannot be copied yet is dimmed and says why."""

    CSS_PATH = "copy_as.tcss"

    def __init__(self, state: RunState) -> None:
        super().__init__()
        self._state = state

    def compose(self) -> ComposeResult:
        """The list."""
        formats = [self._format(name, words) for name, words in FORMATS.items()]
        bands = [self._band(band) for band in Band]
        options = OptionList(*formats, None, *bands, id="formats")
        options.border_title = "Copy as"
        options.border_subtitle = "⏎ copies · Esc closes"
        yield options

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Enter or a click chooses."""
        name = message.option_id or ""
        self.dismiss(CopyChoice("document" if name in FORMATS else "band", name))

    def _format(self, name: str, words: str) -> Option:
        whole = self._state.document is not None
        note = "" if whole else "needs all six bands"
        return Option(_row(words, note), id=name, disabled=not whole)

    def _band(self, band: Band) -> Option:
        size = len(self._state.draft.texts[band])
        note = f"{size} characters" if size else "empty"
        if size and band not in self._state.draft.done:
            note += ", unfinished"
        return Option(_row(band.value, note), id=band.value, disabled=not size)


def _row(words: str, note: str) -> Content:
    return Content.assemble(f"{words:<16}", (note, MUTED))
