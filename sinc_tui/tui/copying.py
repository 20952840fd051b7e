"""What is copied: a document in a format, one band, the prompt, or a draft that says what it is."""

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

PARTS = {
    "messages": "system + user JSON",
    "system": "system part",
    "user": "user part",
}
"""The same for a chat with a system prompt."""


@dataclass(frozen=True, slots=True)
class CopyChoice:
    """What to copy: `name` is a format for a document, a band's name for a band, else empty."""

    kind: Literal["document", "band", "prompt", "message"]
    name: str = ""


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


def prepare(
    choice: CopyChoice, state: RunState, prompt: str = "", message: str = ""
) -> Prepared | None:
    """The text for a choice; None when there is nothing yet.

    `prompt` is what the editor holds, `message` what the screen says at the moment.

    What is no valid document never goes out in a format that a machine would take for one.
    """
    if choice.kind == "prompt":
        return Prepared(prompt, "Prompt", True) if prompt else None
    if choice.kind == "message":
        return Prepared(message, "Message", True) if message else None
    if state.empty:
        return None
    if choice.kind == "band":
        return _band(Band(choice.name), state)
    if state.document is None:
        return _invalid(state) if state.draft.complete else _draft(state)
    from sinc_tui.sinc import export

    exporter = {**export.EXPORTERS, **export.PARTS}[choice.name]
    words = {**FORMATS, **PARTS}[choice.name]
    return Prepared(exporter(state.document), words[0].upper() + words[1:], True)


def _band(band: Band, state: RunState) -> Prepared | None:
    text = state.draft.texts[band]
    if not text:
        return None
    done = band in state.draft.done
    return Prepared(text, band.value if done else f"{band.value}, unfinished", done)


def _draft(state: RunState) -> Prepared:
    """The bands so far as plain text, headed by a line that says that it is not a document."""
    count = f"{len(state.draft.done)} of 6 bands"
    return _as_text(state, f"Unfinished sinc document, {count}.", f"Not complete, {count} as text")


def _invalid(state: RunState) -> Prepared:
    """The same where all bands are there and break a rule."""
    broken = " ".join(v.reason for v in state.verdicts.values() if v.status == "fail")
    return _as_text(state, f"Invalid sinc document. {broken}", "Not valid, so as text")


def _as_text(state: RunState, head: str, label: str) -> Prepared:
    blocks = [
        f"{band.value}{'' if band in state.draft.done else ' (unfinished)'}\n{text}"
        for band, text in state.draft.texts.items()
        if text
    ]
    return Prepared("\n\n".join([head, *blocks]) + "\n", label, False)
