"""Asks in what format to copy, or which band."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from sinc_tui.sinc.bands import Band
from sinc_tui.tui.copying import FORMATS, PARTS, WHOLE, CopyChoice
from sinc_tui.tui.screens.dialog import Dialog
from sinc_tui.tui.state import RunState
from sinc_tui.tui.theme import MUTED

_PROMPT = "prompt"
_MESSAGE = "message"
_HEADS = (next(iter(FORMATS)), next(iter(PARTS)))
"""The first of each group: one reason is enough for all of it."""


class CopyAsScreen(Dialog[CopyChoice]):
    """A short list; what cannot be copied yet is dimmed and says why."""

    CSS_PATH = "copy_as.tcss"

    def __init__(
        self,
        state: RunState,
        prompt: str = "",
        message: str = "",
        last: CopyChoice | None = None,
    ) -> None:
        """`message` is what the screen says; `last` is the choice that stands under the cursor."""
        super().__init__()
        self._state = state
        self._prompt = prompt
        self._message = message
        self._last = last or WHOLE

    def compose(self) -> ComposeResult:
        """The list."""
        groups = [
            [self._format(name, words) for name, words in FORMATS.items()],
            [self._format(name, words) for name, words in PARTS.items()],
            [*self._message_rows(), *map(self._band, Band), self._raw_prompt()],
        ]
        options = OptionList(*groups[0], None, *groups[1], None, *groups[2], id="formats")
        options.border_title = "Copy as"
        options.border_subtitle = "⏎ copies · ^y repeats · Esc closes"
        yield options

    def on_mount(self) -> None:
        """Start at the last choice, where it can be copied now."""
        options = self.query_one(OptionList)
        index = options.get_option_index(self._last.name or _PROMPT)
        if not options.get_option_at_index(index).disabled:
            options.highlighted = index

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Enter or a click chooses."""
        name = message.option_id or ""
        if name == _PROMPT:
            self.dismiss(CopyChoice("prompt"))
        elif name == _MESSAGE:
            self.dismiss(CopyChoice("message"))
        else:
            self.dismiss(
                CopyChoice("document" if name in FORMATS or name in PARTS else "band", name)
            )

    def _format(self, name: str, words: str) -> Option:
        state = self._state
        note = ""
        if state.document is None and name in _HEADS:
            note = "not valid: F2 mends it" if state.draft.complete else "needs all six bands"
        return Option(_row(words, note), id=name, disabled=state.document is None)

    def _band(self, band: Band) -> Option:
        text = self._state.draft.texts[band]
        note = _size(text)
        if text and band not in self._state.draft.done:
            note += ", unfinished"
        return Option(_row(band.value, note), id=band.value, disabled=not text)

    def _raw_prompt(self) -> Option:
        return Option(_row("prompt", _size(self._prompt)), id=_PROMPT, disabled=not self._prompt)

    def _message_rows(self) -> list[Option]:
        """The message that is shown, where there is one."""
        row = Option(_row("message", _size(self._message)), id=_MESSAGE)
        return [row] if self._message else []


def _size(text: str) -> str:
    return f"{len(text)} characters" if text else "empty"


def _row(words: str, note: str) -> Content:
    return Content.assemble(f"{words:<20}", (note, MUTED))
