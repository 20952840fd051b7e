"""What the main screen does with models: opens their screen, follows downloads, starts without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sinc_tui.tui.screens.keep_actions import KeepActions

if TYPE_CHECKING:
    from collections.abc import Callable

    from sinc_tui.errors import SincError
    from sinc_tui.settings import DecodeMode
    from sinc_tui.tui.downloads import Transfer
    from sinc_tui.tui.model_room import ModelRoom
    from sinc_tui.tui.shelf import Shelf
    from sinc_tui.tui.widgets.status_bar import StatusBar

DEFAULT = "tiny"
"""The model that runs where nobody named another."""


class ModelActions(KeepActions):
    """The room is made when it is first entered, so that starting does not wait for it."""

    _status: StatusBar
    _chosen: str
    _make_shelf: Callable[[], Shelf] | None
    _room: ModelRoom | None = None
    _led = False
    _leaving = False
    _mode_of: tuple[str, DecodeMode] = ("", "sequential")

    @property
    def room(self) -> ModelRoom:
        """What is known of the models."""
        if self._room is None:
            from sinc_tui.tui.model_room import ModelRoom
            from sinc_tui.tui.shelf import StoredShelf

            shelf = (self._make_shelf or StoredShelf)()
            self._room = ModelRoom(shelf, self.session, self._chosen, self._told, self._troubled)
        return self._room

    def catalog_mode(self) -> DecodeMode:
        """Looked up once for each model."""
        name = self._room.chosen if self._room else self._chosen
        if name != self._mode_of[0]:
            from sinc_tui.errors import SincError
            from sinc_tui.models.catalog import model_for

            try:
                self._mode_of = (name, model_for(name).decode)
            except SincError:
                self._mode_of = (name, "sequential")
        return self._mode_of[1]

    def action_models(self, *, leading: bool = False) -> None:
        """Look at the models, whatever runs; `leading`: the user did not ask to."""
        from sinc_tui.tui.screens.models import ModelsScreen

        self._take_edits()
        if not isinstance(self.app.screen, ModelsScreen):
            self.app.push_screen(ModelsScreen(self.room, leading=leading))

    def lead_to_models(self) -> None:
        """Where the model is missing, show what there is to be had; once, in a window large enough."""
        from sinc_tui.errors import NoModel

        if self._led or not isinstance(self.state.error, NoModel):
            return
        from sinc_tui.tui.screens.too_small import TooSmallScreen

        if not isinstance(self.app.screen, TooSmallScreen):
            self._led = True
            self.action_models(leading=True)

    async def leave_models(self) -> None:
        """The app ends: what has been downloaded so far is put away."""
        self._leaving = True
        if self._room is not None:
            await self._room.close()

    def _troubled(self, error: SincError) -> None:
        """Something failed that the reader did not wait for."""
        if not self._leaving:
            self._notice.say(error.message, hint=error.hint, tone="error")

    def _told(self, transfer: Transfer) -> None:
        """A download changed: in the status bar, on the models screen, or said here when it ends."""
        from sinc_tui.tui.downloads import Stage
        from sinc_tui.tui.screens.models import ModelsScreen

        if self._leaving:
            return
        self._status.show_downloads(self.room.downloads.running)
        if isinstance(self.app.screen, ModelsScreen):
            self.app.screen.told(transfer)
        elif transfer.stage is Stage.DONE:
            hint = " ".join([*transfer.notes, "F11 and ⏎ use it."])
            self._notice.say(f"{transfer.name} is here.", hint=hint)
        elif transfer.stage is Stage.FAILED and transfer.error:
            error = transfer.error
            hint = f"{error.hint} F11 shows the models.".strip()
            self._notice.say(f"{transfer.name}: {error.message}", hint=hint, tone="error")
