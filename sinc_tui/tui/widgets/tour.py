"""The tour: four boxes, one after the other, each beside what it is about."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual.binding import Binding
from textual.widgets import Static

from sinc_tui.tui.screens.help import key_names
from sinc_tui.tui.screens.keys import MAIN_KEYS

if TYPE_CHECKING:
    from textual.geometry import Region

_WIDTH = 58
"""Cells of a box where there is room."""
_FRAME = 4
"""Cells of a box that are no text, in a line."""
_MARKED = "-toured"
"""The class of what a box is about."""
_HEADS = 12
"""Rows of the bands that a box in them leaves free at the top."""


@dataclass(frozen=True, slots=True)
class Step:
    """One box.

    Attributes:
        title: what it is about.
        text: a sentence or two; names of keys in braces, by the ids of their bindings.
        marks: the widgets that it is about.
        at: the one at which it stands.
        where: on which side, or `in` it, not at its top.
        right: whether it stands at the right end.
    """

    title: str
    text: str
    marks: str
    at: str
    where: Literal["below", "above", "in"]
    right: bool = False


STEPS = (
    Step(
        "The prompt",
        "Type here what you want, as carelessly as it comes. Nothing of it leaves this machine.",
        "#prompt",
        "#prompt",
        "below",
    ),
    Step(
        "Run",
        "Enter turns it into a sinc document, and {stop} stops. "
        "You need not wait for the model: it loads while you type.",
        "#prompt",
        "#prompt",
        "below",
        right=True,
    ),
    Step(
        "Bands and badges",
        "The six bands fill while you watch, and you can edit each. "
        "The badges above tell at every letter which rules the document keeps.",
        "Badges, BandPanel",
        "#bands",
        "in",
    ),
    Step(
        "Copy, and all the rest",
        "{copy_json} copies the document, ready to paste. "
        "{help} lists all keys; the palette (^p) finds everything by name, this tour too.",
        "#keys",
        "#keys",
        "above",
    ),
)


class Tour(Static):
    """Lies over the screen and has no focus: what is typed goes to the prompt."""

    SCOPED_CSS = False  # what is marked lies outside
    DEFAULT_CSS = """
    Tour {
        layer: tour;
        position: absolute;
        padding: 0 1;
        background: $surface;
        border: round $accent;
        border-title-color: $accent;
        border-subtitle-color: $text-muted;
        &.-above { border-title-color: $text-muted; border-subtitle-color: $accent; }
    }
    .-toured, .-toured * { tint: $accent 15%; }
    """

    def __init__(self, ended: Callable[[], object]) -> None:
        """`ended` is called after the last step."""
        super().__init__(markup=False, id="tour")
        self._ended = ended
        self._at = 0

    def on_mount(self) -> None:
        """Begin."""
        self._show()

    def on_click(self) -> None:
        """A click goes on, as Enter does."""
        self.go_on()

    def on_unmount(self) -> None:
        """Nothing stays marked."""
        self._mark(False)

    def go_on(self) -> None:
        """To the next box, or to the end."""
        self._mark(False)
        if self._at + 1 == len(STEPS):
            self._ended()
            return
        self._at += 1
        self._show()

    def place(self) -> None:
        """Stand beside what this is about, in a window of any size; nowhere once it has ended."""
        if not self.is_attached:
            return
        step, room = STEPS[self._at], self.screen.region
        target: Region = self.screen.query_one(step.at).region
        width = min(_WIDTH, room.width - 2)
        text = self._words(step.text)
        height = len(textwrap.wrap(text, width - _FRAME)) + 2
        x = target.right - width - 1 if step.right else target.x + 1
        y = {
            "below": target.bottom,
            "above": target.y - height,
            "in": target.y + min(_HEADS, target.height - height),
        }[step.where]
        self.styles.width, self.styles.height = width, height
        self.styles.offset = (
            max(0, min(x, room.width - width)),
            max(0, min(y, room.height - height)),
        )

    def _show(self) -> None:
        step = STEPS[self._at]
        last = self._at + 1 == len(STEPS)
        title = f"{self._at + 1} of {len(STEPS)} · {step.title}"
        go_on = "Enter or a click " + ("ends" if last else "goes on")
        keys = go_on if last else f"{go_on} · {self._words('{stop}')} skips"
        above = step.where == "above"
        self.border_title, self.border_subtitle = (
            (keys, f"▼ {title}") if above else (f"▲ {title}", keys)
        )
        self.set_class(above, "-above")
        self.update(self._words(step.text))
        self._mark(True)
        self.place()
        self.call_after_refresh(self.place)

    def _mark(self, on: bool) -> None:
        self.screen.query(STEPS[self._at].marks).set_class(on, _MARKED)

    def _words(self, text: str) -> str:
        """With the keys that the settings give."""
        named = (b for b in MAIN_KEYS if isinstance(b, Binding))
        return text.format_map({b.id or "": key_names(self.app, b)[0] for b in named})
