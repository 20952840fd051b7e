"""Pasted text as one piece, whatever it holds.

Textual's parser looks for escape sequences within a bracketed paste too, and what it does not know
there becomes keys: a pasted ESC could press any key of the app. Here nothing between the two marks
is read as anything but text.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.message import Message

_START_OVERLAP = len(BRACKETED_PASTE_START) - 1
_END_OVERLAP = len(BRACKETED_PASTE_END) - 1
_ESC = "\x1b"
_KNOWN = "".join(key[1] for key in ANSI_SEQUENCES_KEYS if len(key) == 2 and key[0] == _ESC)
_BEFORE_TEXT = re.compile(rf"{_ESC}(?=[^\x00-\x1f[O{re.escape(_KNOWN)}][^\x00-\x1f])")
"""Esc and, in the same piece, more than the one character that would be pressed with Alt."""


class PasteParser(XTermParser):
    """Sees the marks of a paste; what stands between them goes past it."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._tail = ""
        self._pasted: str | None = None

    def feed(self, data: str) -> Iterable[Message]:
        """Messages of what the terminal sent; marks may be cut anywhere."""
        if not data:
            yield from super().feed(data)
        while data:
            if self._pasted is None:
                data = yield from self._typed(data)
            else:
                data = yield from self._paste(data)

    def tick(self) -> Iterable[Message]:
        """A sequence that stays unfinished becomes keys, so it cannot be half a mark any more."""
        for message in super().tick():
            self._tail = ""
            yield message

    def _typed(self, data: str) -> Generator[Message, None, str]:
        """Pass on data as far as the mark of a paste; what stands behind it is returned."""
        seen = self._tail + data
        at = seen.find(BRACKETED_PASTE_START)
        if at < 0:
            self._tail = seen[-_START_OVERLAP:]
            yield from self._keys(data)
            return ""
        behind = at + len(BRACKETED_PASTE_START) - len(self._tail)
        yield from self._keys(data[:behind])
        self._tail, self._pasted = "", ""
        return data[behind:]

    def _keys(self, data: str) -> Iterable[Message]:
        """Keys of typed data. Textual would read on after Esc, and type `^` when no sequence came of it."""
        *pieces, last = _BEFORE_TEXT.split(data)
        for piece in pieces:
            yield from super().feed(piece + _ESC)
            self._timeout_time = 0.0  # there is nothing to wait for
            yield from super().tick()
        yield from super().feed(last)

    def _paste(self, data: str) -> Generator[Message, None, str]:
        """Gather data as far as the end of the paste; what stands behind it is returned."""
        before = len(self._pasted or "")
        pasted = (self._pasted or "") + data
        end = pasted.find(BRACKETED_PASTE_END, max(0, before - _END_OVERLAP))
        if end < 0:
            self._pasted = pasted
            return ""
        self._pasted = None
        for message in super().feed(BRACKETED_PASTE_END):
            whole = isinstance(message, events.Paste)
            yield events.Paste(pasted[:end].replace("\x00", "")) if whole else message
        return pasted[end + len(BRACKETED_PASTE_END) :]
