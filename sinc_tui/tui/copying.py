"""What is copied: the whole document in a format, one band, or an unfinished draft that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sinc_tui.sinc.bands import Band
from sinc_tui.tui.state import RunState

FORMATS = {
    "json": "JSON",
    "compact": "compact JSON",
    "text": "plain text",
    "markdown": "Markdown",
    "xml": "XML",
}
"""The exporters' names and how they are called on the screen."""


@dataclass(frozen=True, slots=True)
class CopyChoice:
    """What to copy: `name` is a format for a document, a band's name for a band."""

    kind: Literal["document", "band"]
    name: str


WHOLE = CopyChoice("document", "json")


@dataclass(frozen=True, slots=True)
class Prepared:
    """Text for the clipboard.

    Attributes:
        label: what it is, as the first words of a message.
        complete: whether it is what was asked for, whole.
    """

    text: str
    label: str
    complete: bool


def prepare(choice: CopyChoice, state: RunState) -> Prepared | None:
    """The text for a choice; None when there is nothing yet.

    An unfinished document never goes out in a format that a machine would take for a whole one.
    """
    if state.empty:
        return None
    if choice.kind == "band":
        return _band(Band(choice.name), state)
    if state.document is None:
        return _draft(state)
    from sinc_tui.sinc.export import EXPORTERS

    return Prepared(EXPORTERS[choice.name](state.document), FORMATS[choice.name], True)


def _band(band: Band, state: RunState) -> Prepared | None:
    text = state.draft.texts[band]
    if not text:
        return None
    done = band in state.draft.done
    return Prepared(text, band.value if done else f"{band.value}, unfinished", done)


def _draft(state: RunState) -> Prepared:
    """The bands so far as plain text, headed by a line that says that it is not a document."""
    count = f"{len(state.draft.done)} of 6 bands"
    blocks = [
        f"{band.value}{'' if band in state.draft.done else ' (unfinished)'}\n{text}"
        for band, text in state.draft.texts.items()
        if text
    ]
    head = f"Unfinished sinc document, {count}."
    return Prepared("\n\n".join([head, *blocks]) + "\n", f"Not complete, {count} as text", False)
