"""What each token of a vocabulary does inside a JSON string: the masks behind the guarantees."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from sinc_tui.engine.guards import is_number

Mask = npt.NDArray[np.bool_]

_ESCAPABLE = frozenset(b'"\\/')
"""What may follow a backslash. Escapes that stand for control characters, and `\\u`, are not written."""


_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Zl", "Zp"})
_FORBIDDEN = frozenset("\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class StringState:
    """Where a JSON string stands between two tokens.

    Attributes:
        escaped: a backslash came last and is still open.
        partial: the first bytes of a code point that is not whole yet.
    """

    escaped: bool = False
    partial: bytes = b""

    @property
    def neutral(self) -> bool:
        """Whether the string could be closed here."""
        return not self.escaped and not self.partial


NEUTRAL = StringState()


@dataclass(frozen=True, slots=True)
class Step:
    """What a token does to a string: the text it adds, where the string stands then, whether it closes
    it (then `text` is the part before the quote)."""

    text: str
    state: StringState
    closes: bool = False


def advance(piece: bytes, state: StringState) -> Step | None:
    """What `piece` does to a string in `state`; None where the string would not stay valid.

    Valid: no control character (raw or escaped), only whole code points, backslash only before a
    quote, a backslash or a slash.
    """
    out = bytearray(state.partial)
    escaped = state.escaped
    for byte in piece:
        if escaped:
            if byte not in _ESCAPABLE:
                return None
            out.append(byte)
            escaped = False
        elif byte == ord("\\"):
            escaped = True
        elif byte == ord('"'):
            text = _whole(bytes(out))
            return None if text is None else Step(text, NEUTRAL, closes=True)
        else:
            out.append(byte)
    return _open_step(bytes(out), escaped)


def _open_step(data: bytes, escaped: bool) -> Step | None:
    """The step of a token that leaves the string open."""
    split = _partial_start(data)
    text = _whole(data[:split])
    partial = data[split:]
    if text is None or (partial and (escaped or not _may_grow(partial))):
        return None
    return Step(text, StringState(escaped, partial))


def _whole(data: bytes) -> str | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if any(map(is_forbidden, text)) else text


def is_forbidden(char: str) -> bool:
    """Control characters, line separators, and marks that turn the direction of the text around them."""
    return unicodedata.category(char) in _FORBIDDEN_CATEGORIES or char in _FORBIDDEN


def _partial_start(data: bytes) -> int:
    """Index at which an unfinished code point begins at the end of `data`; its length if none."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) - back if length > back else len(data)
        if byte < 0x80:
            break
    return len(data)


_FILLS = (b"\x80", b"\x90", b"\xa0", b"\xbf")


def _may_grow(partial: bytes) -> bool:
    """Whether some continuation makes `partial` a valid code point that is no control character."""
    length = 2 if partial[0] < 0xE0 else 3 if partial[0] < 0xF0 else 4
    missing = length - len(partial)
    return any(
        _whole(partial + fill + b"\xbf" * (missing - 1)) is not None
        or _whole(partial + fill + b"\x80" * (missing - 1)) is not None
        for fill in _FILLS
    )


def _plain_text(piece: bytes) -> str:
    """The text that a piece adds to a neutral string which stays neutral and open; else none.

    Nearly all pieces are printable text without escapes, which needs no walk byte by byte.
    """
    try:
        text = piece.decode()
    except UnicodeDecodeError:
        text = ""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return text
    step = advance(piece, NEUTRAL) if piece else None
    return step.text if step and step.state.neutral and not step.closes else ""


def _closes(piece: bytes) -> bool:
    step = advance(piece, NEUTRAL) if b'"' in piece else None
    return step is not None and step.closes


class Vocabulary:
    """The tokens of a model by what they do inside a string.

    Attributes:
        pieces: the bytes of each token; empty for control tokens.
        plain: keep a neutral string neutral and open.
        solid: plain, and with a character that is no blank.
        digits: plain, with a number of any script.
        sentences: plain, a blank and a letter that is not a small one: how a further sentence begins.
        closing: close a neutral string.
    """

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = list(pieces)
        texts = [_plain_text(piece) for piece in self.pieces]
        numbers = {char for char in set("".join(texts)) if is_number(char)}
        self.plain: Mask = np.array([bool(t) for t in texts])
        self.solid: Mask = np.array([bool(t) and not t.isspace() for t in texts])
        self.digits: Mask = np.array([not numbers.isdisjoint(t) for t in texts])
        self.sentences: Mask = np.array(
            [t[:1] == " " and t[1:2].isalpha() and not t[1:2].islower() for t in texts]
        )
        self.closing: Mask = np.array([_closes(piece) for piece in self.pieces])
        self._by_state: dict[StringState, Mask] = {NEUTRAL: self.plain}

    def __len__(self) -> int:
        return len(self.pieces)

    def open_in(self, state: StringState) -> Mask:
        """Tokens that keep a string in `state` valid and open; from a neutral state, neutral too."""
        if state not in self._by_state:
            steps = (advance(piece, state) if piece else None for piece in self.pieces)
            self._by_state[state] = np.array([s is not None and not s.closes for s in steps])
        return self._by_state[state]

    @cached_property
    def _ids(self) -> dict[bytes, int]:
        return {piece: token for token, piece in enumerate(self.pieces) if piece}

    def beginnings(self, text: str, state: StringState) -> list[int]:
        """Tokens that a string in `state` may go on with when `text` is to follow in it."""
        data = json.dumps(text, ensure_ascii=False)[1:-1].encode()
        if state.escaped or not data.startswith(state.partial):
            return []
        data = data[len(state.partial) :]
        ids = (self._ids.get(data[:size]) for size in range(1, len(data) + 1))
        return [token for token in ids if token is not None]
