"""What is shown while the window is too small for the app."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static


class TooSmallScreen(ModalScreen[None]):
    """Covers everything; goes away by itself when the window has grown."""

    DEFAULT_CSS = """
    TooSmallScreen { align: center middle; background: $background; }
    TooSmallScreen:ansi { background: ansi_default; }
    TooSmallScreen Static { width: auto; height: auto; max-width: 100%; text-align: center; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "app.quit", "Quit", priority=True, id="quit"),
    ]

    def compose(self) -> ComposeResult:
        """The message."""
        yield Static(
            "This window is too small.\nMake it at least 60 × 20.\nNothing is lost.", markup=False
        )
