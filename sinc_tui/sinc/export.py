"""A document in the formats that people paste: JSON, plain text, Markdown, XML.

No exporter ends its text with a newline. What a terminal would obey (control characters) never
leaves raw: JSON escapes it, the others show it as a picture.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape, quoteattr

from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.controls import visible
from sinc_tui.sinc.document import SincDocument

_BEYOND_ASCII_CONTROL = re.compile(r"[\x7f-\x9f\u2028\u2029]")


def to_json(document: SincDocument) -> str:
    """Indented JSON."""
    return _safe_json(json.dumps(document.model_dump(mode="json"), ensure_ascii=False, indent=2))


def to_compact_json(document: SincDocument) -> str:
    """JSON on one line."""
    return _safe_json(
        json.dumps(document.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))
    )


def to_text(document: SincDocument) -> str:
    """Each band's name on a line, its text below."""
    return "\n\n".join(f"{band}\n{_plain(text)}" for band, text in document.bands.items())


def to_markdown(document: SincDocument) -> str:
    """Each band under a heading; the texts stay as they are, Markdown in them included."""
    return "\n\n".join(f"## {band}\n\n{_plain(text)}" for band, text in document.bands.items())


def to_xml(document: SincDocument) -> str:
    """XML 1.0; a reader gets the texts back unchanged, but for characters that XML forbids."""
    fragments = "\n".join(
        f'  <fragment n="{band.n}" t="{band}">{_xml(text)}</fragment>'
        for band, text in document.bands.items()
    )
    head = f"<sinc formula={quoteattr(document.formula)} T={quoteattr(document.T)}>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n{fragments}\n</sinc>'


EXPORTERS: Mapping[str, Callable[[SincDocument], str]] = {
    "json": to_json,
    "compact": to_compact_json,
    "text": to_text,
    "markdown": to_markdown,
    "xml": to_xml,
}
"""Every format by the name that users type."""


def to_system(document: SincDocument) -> str:
    """What stays the same from question to question: PERSONA, CONSTRAINTS, FORMAT."""
    return _joined(document, (Band.PERSONA, Band.CONSTRAINTS, Band.FORMAT))


def to_user(document: SincDocument) -> str:
    """What this question is about: CONTEXT, DATA, TASK."""
    return _joined(document, (Band.CONTEXT, Band.DATA, Band.TASK))


def to_messages(document: SincDocument) -> str:
    """Both parts as the `messages` of a chat API."""
    messages = [
        {"role": "system", "content": to_system(document)},
        {"role": "user", "content": to_user(document)},
    ]
    return _safe_json(json.dumps(messages, ensure_ascii=False, indent=2))


PARTS: Mapping[str, Callable[[SincDocument], str]] = {
    "messages": to_messages,
    "system": to_system,
    "user": to_user,
}
"""A document for a chat with a system prompt; its bands come in another order than written."""


def _joined(document: SincDocument, bands: tuple[Band, ...]) -> str:
    return "\n\n".join(f"{band}\n{_plain(document.bands[band])}" for band in bands)


def _plain(text: str) -> str:
    return visible(text.replace("\r\n", "\n").replace("\r", "\n"))


def _xml(text: str) -> str:
    """A carriage return is written as a reference, for a reader turns a raw one into a newline."""
    return "&#13;".join(escape(visible(part)) for part in text.split("\r"))


def _safe_json(text: str) -> str:
    return _BEYOND_ASCII_CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
