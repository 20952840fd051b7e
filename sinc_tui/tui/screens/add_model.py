"""Asks for a model that has no name yet: a file of the Hub, an address, or a file on this machine."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from sinc_tui.errors import SincError
from sinc_tui.tui.model_room import ModelRoom
from sinc_tui.tui.screens.dialog import Dialog
from sinc_tui.tui.theme import MUTED
from sinc_tui.tui.widgets.notice import Notice

_FORMS = "hf:owner/repository/file.gguf, with @revision after it; https://host/file.gguf; a path"


class AddModelScreen(Dialog[str]):
    """Stays and says why while what is typed names no model."""

    CSS_PATH = "models.tcss"
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, room: ModelRoom) -> None:
        super().__init__()
        self._room = room

    def compose(self) -> ComposeResult:
        """The line, what may stand in it, a message."""
        with Vertical(id="add-model") as box:
            box.border_title = "Add a model"
            box.border_subtitle = "⏎ adds · Esc closes"
            yield Input(placeholder="hf:owner/repository/file.gguf", id="add-line")
            yield Static(Content.styled(_FORMS, MUTED), markup=False)
            yield Notice(id="add-notice")

    def on_input_changed(self, _message: Input.Changed) -> None:
        """Another text, another verdict."""
        self.query_one(Notice).hush()

    @work(exclusive=True, exit_on_error=False)
    async def on_input_submitted(self, message: Input.Submitted) -> None:
        """Add it, or say why not."""
        try:
            name = await self._room.add(message.value)
        except SincError as error:
            self.query_one(Notice).say(error.message, hint=error.hint, tone="error")
        else:
            if self.is_current:
                self.dismiss(name)
