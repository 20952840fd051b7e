"""A message that stands where it belongs and covers nothing: what happened, and what to do."""

from __future__ import annotations

from typing import Literal

from textual.content import Content
from textual.widgets import Static

from sinc_tui.tui.literal import visible
from sinc_tui.tui.theme import MUTED

Tone = Literal["info", "warning", "error"]

_LOOKS: dict[Tone, tuple[str, str]] = {
    "info": ("✓", "$success"),
    "warning": ("!", "$warning"),
    "error": ("✗", "$error"),
}


class Notice(Static):
    """Takes no room while it has nothing to say."""

    DEFAULT_CSS = """
    Notice {
        width: 1fr; height: auto; max-height: 5; padding: 0 2; display: none;
        overflow-y: auto; scrollbar-size-vertical: 1;
        &.-error { background: $error 12%; }
    }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(markup=False, id=id)
        self.text = ""

    def say(self, message: str, *, hint: str = "", tone: Tone = "info") -> None:
        """Show a message; its `hint` says what to do."""
        self.text = f"{message} {hint}".strip()
        mark, style = _LOOKS[tone]
        message_style = f"bold {style}" if tone == "error" else ""
        parts: list[Content | str | tuple[str, str]] = [
            (f"{mark} ", style),
            (visible(message), message_style),
        ]
        if hint:
            parts += [" ", (visible(hint), MUTED)]
        self.update(Content.assemble(*parts))
        self.set_class(tone == "error", "-error")
        self.display = True

    def say_bug(self, error: BaseException | None) -> None:
        """Show what nobody foresaw."""
        self.say(
            f"That did not work: {type(error).__name__}: {error}",
            hint="This is a bug in sinc-tui; prompt and bands are kept.",
            tone="error",
        )

    def hush(self) -> None:
        """Take the message away."""
        if self.text:
            self.text = ""
            self.display = False
