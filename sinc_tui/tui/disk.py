"""Documents and prompts as files: what opening one gives, and what a name's ending saves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sinc_tui.errors import SincError

if TYPE_CHECKING:
    from sinc_tui.sinc.document import SincDocument

ENDINGS = {
    ".json": "json",
    ".md": "markdown",
    ".xml": "xml",
    ".txt": "text",
}
"""The exporter for each ending; `.sinc.json` is a `.json`."""

MOST = 4_000_000
"""Bytes of a file that is opened."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A document, or the text of a prompt; `notes` say what was mended in the document."""

    document: SincDocument | None = None
    prompt: str = ""
    notes: list[str] = field(default_factory=list)


def open_file(path: Path, *, most: int) -> Opened:
    """Read a `.json` file as a document and any other as a prompt of at most `most` characters.

    Raises `SincError` with all reasons.
    """
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= MOST and path.is_file() else b""
    except OSError as error:
        raise SincError(f"{path} cannot be opened: {error.strerror}.") from None
    if not path.is_file():
        raise SincError(f"{path} is not a file.", hint="Choose one in it, or another.")
    if size > MOST:
        raise SincError(f"{path.name} has {size:,} bytes, too many for a prompt or a document.")
    if path.suffix.lower() == ".json":
        from sinc_tui.sinc.document import DocumentError, read_document

        try:
            document, notes = read_document(raw)
        except DocumentError as error:
            raise SincError(
                f"{path.name} is not a sinc document. {' '.join(error.reasons)}"
            ) from None
        return Opened(document, notes=notes)
    return Opened(prompt=_prompt(path, raw, most))


def exported(path: Path, document: SincDocument) -> str:
    """A document as the name's ending wants it, with a last newline; raises `SincError`."""
    from sinc_tui.sinc.export import EXPORTERS

    form = ENDINGS.get(path.suffix.lower())
    if form is None:
        raise SincError(
            f"{path.name} does not say in which format.",
            hint=f"End it with .sinc.json, {', '.join(list(ENDINGS)[1:])}.",
        )
    return EXPORTERS[form](document) + "\n"


def suggestion(prompt: str) -> str:
    """A file name after the first words of a prompt."""
    words = "".join(c if c.isalnum() else " " for c in prompt.lower()).split()
    return ("-".join(words[:5])[:48] or "prompt") + ".sinc.json"


def _prompt(path: Path, raw: bytes, most: int) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SincError(
            f"{path.name} is not a text in UTF-8 (byte {error.start}).", hint="Convert it first."
        ) from None
    if len(text) > most:
        raise SincError(
            f"{path.name} has {len(text):,} characters, more than the {most:,} that fit."
        )
    return text.removesuffix("\n").removesuffix("\r")
