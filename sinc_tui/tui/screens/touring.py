"""What the main screen does with the tour: begin it, go on, step aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sinc_tui.tui.screens.keep_actions import KeepActions

if TYPE_CHECKING:
    from textual import events

    from sinc_tui.tui.widgets.tour import Tour


class Touring(KeepActions):
    """The tour lies above the screen and changes nothing on it."""

    tour: Tour | None = None
    """The tour, while it is shown."""

    @property
    def typed(self) -> bool:
        """Whether there is a prompt already."""
        return bool(self._prompt.text)

    def show_tour(self) -> None:
        """Begin the tour, from the start where it is shown already."""
        from sinc_tui.tui.widgets.tour import Tour

        self.end_tour()
        self._prompt.focus()
        self.tour = Tour(self.end_tour)
        self.mount(self.tour)
        self.refresh_bindings()

    def end_tour(self) -> bool:
        """Take the tour away; whether there was one."""
        tour, self.tour = self.tour, None
        if tour is None:
            return False
        tour.remove()
        self.refresh_bindings()
        return True

    def on_resize(self, _event: events.Resize) -> None:
        """What the tour shows has moved."""
        if self.tour is not None:
            self.call_after_refresh(self.tour.place)
