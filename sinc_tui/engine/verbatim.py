"""Verbatim DATA: the band holds pieces of the prompt as typed, so that nothing in it can be made up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from sinc_tui.engine.names import UNSPACED
from sinc_tui.sinc.grounding import plain

_JOINT = re.compile(r"(?<=[,;:.!?…]) ")
"""Where one piece may be followed by another."""
_ITEM = re.compile(r"(?<=;) ")
_POINTS = ",;:.!?…"
_QUOTES = "\"'"
_CLOSING = ",;.!?…"
_ENDS = (
    re.compile(rf"[{_CLOSING}]\Z"),
    re.compile(rf"(?<=\S)[{_CLOSING}]?[{_QUOTES}][{_CLOSING}]?\Z"),
)
"""What may stand behind a piece though the prompt does not have it there. No colon: it would tie the next
piece to this one, and say of one thing what the prompt says of another."""
_REMARKS = ("Most useful", "No data given", "No other data", "Not given", "The input is")
"""How a teacher begins to speak of the prompt instead of quoting it."""
_PLACES, _AHEAD = 8, 16
"""Places of the prompt that are looked at for a way on, and how many characters of it."""
_UNSPACED = re.compile(f"[{UNSPACED}]")


class VerbatimGuard:
    """Only pieces of the raw prompt, in whole words, each as typed (`engine.guards.Guard`).

    A piece ends at a comma, semicolon, full stop or a colon of the prompt's with a blank behind it.
    Blanks, typographic quotes and dashes may differ, and so may quotation marks around a piece. It may
    begin with a small letter where the prompt has a capital, but not the other way round: "The", begun
    for "Theo", is no beginning of "the class". From a remark on the prompt itself (`Most useful: ...`)
    on, anything is allowed, unless the prompt has that phrase too.
    """

    name = "verbatim"

    def __init__(self, prompt: str) -> None:
        self._prompt = plain(prompt)
        folded = self._prompt.casefold()
        self._remarks = tuple(remark for remark in _REMARKS if remark.casefold() not in folded)
        self._known: dict[str, bool] = {}

    def allows(self, text: str) -> bool:
        """Whether all finished pieces are the prompt's, and the last one can still become one."""
        *finished, last = self._pieces(text)
        if not all(map(self._holds, finished)):
            return False
        return (
            next(self._goes_on(last), None) is not None
            or self._holds(last)
            or any(remark.startswith(last) for remark in self._remarks)
        )

    def closes(self, text: str) -> bool:
        """Whether all pieces are the prompt's."""
        return all(map(self._holds, self._pieces(text)))

    def ways_on(self, text: str) -> list[str]:
        """How the prompt goes on behind the last piece, at the first places that hold it."""
        ends = self._goes_on(self._pieces(text)[-1])
        return [self._prompt[end : end + _AHEAD] for end in islice(ends, _PLACES)]

    def tidied(self, text: str) -> str:
        """DATA without what it says twice: items, or parts of them, that others hold word for word."""
        body, remark = self._parted(text)
        body = " ".join(body.split()).removesuffix(".")
        items = [item.rstrip(";") for item in _ITEM.split(body)]
        kept: list[str] = []
        for number, item in enumerate(items):
            parts = [item] if self._holds(item) else item.split(", ")
            later = items[number + 1 :]
            new = [
                part
                for n, part in enumerate(parts)
                if part and not _said(part, [*kept, *parts[:n]], [*parts[n + 1 :], *later])
            ]
            if new:
                kept.append(", ".join(new))
        if not kept:
            return text
        end = "" if kept[-1][-1] in _POINTS else "."
        return f"{'; '.join(kept)}{end} {remark}".strip()

    def _parted(self, text: str) -> tuple[str, str]:
        """The quoting part of a text, and the remark behind it."""
        at = 0
        for piece in _JOINT.split(text):
            if piece.startswith(self._remarks):
                return text[:at], text[at:]
            at += len(piece) + 1
        return text, ""

    def _pieces(self, text: str) -> list[str]:
        """The pieces before a remark, the last of which may be unfinished."""
        return _JOINT.split(self._parted(plain(text))[0])

    def _holds(self, piece: str) -> bool:
        """Whether the prompt holds a piece in whole words, but for what may stand around it."""
        if piece not in self._known:
            self._known[piece] = not piece.strip() or any(
                self._ends(at + len(bare)) for bare in _bared(piece) for at in self._places(bare)
            )
        return self._known[piece]

    def _goes_on(self, begun: str) -> Iterator[int]:
        """Where the prompt goes on behind an unfinished piece, so that it can be finished."""
        yield from (at + len(begun) for at in self._places(begun))
        for bare in _unquoted(begun)[1:]:
            yield from (at + len(bare) for at in self._places(bare) if self._says(at))

    def _says(self, at: int) -> bool:
        """Whether the prompt's piece from a place on is more than points: only such a one is quoted."""
        joint = _JOINT.search(self._prompt, at + 1)
        piece = self._prompt[at : joint.start() if joint else None]
        return bool(piece.strip(f"{_POINTS}{_QUOTES} "))

    def _ends(self, at: int) -> bool:
        return not _inside_word(self._prompt, at)

    def _places(self, piece: str) -> Iterator[int]:
        """Where the prompt holds a piece, from the beginning of a word on."""
        for spelling in {piece, piece[:1].upper() + piece[1:]}:
            at = self._prompt.find(spelling)
            while at >= 0:
                if not _inside_word(self._prompt, at):
                    yield at
                at = self._prompt.find(spelling, at + 1)


def _bared(piece: str) -> Iterator[str]:
    """A piece as it is, and what is left of it without a point and quotation marks around it."""
    piece = piece.strip()
    yield piece
    for begun in _unquoted(piece):
        bares = (begun, *(end.sub("", begun) for end in _ENDS))
        yield from (bare for bare in bares if bare.strip(f"{_POINTS}{_QUOTES} "))


def _unquoted(piece: str) -> list[str]:
    """A piece as it is, and without a quotation mark before it."""
    return [piece, piece[1:]] if piece.startswith(tuple(_QUOTES)) else [piece]


def _said(part: str, before: list[str], behind: list[str]) -> bool:
    """Whether something says what a part does, and either stands before it or says more."""
    return any(_within(part, text) for text in before) or any(
        len(part) < len(text) and _within(part, text) for text in behind
    )


def _within(part: str, other: str) -> bool:
    """Whether one text stands in another in whole words, whatever their case."""
    needle, text = part.casefold(), other.casefold()
    at = text.find(needle)
    while at >= 0:
        if not _inside_word(text, at) and not _inside_word(text, at + len(needle)):
            return True
        at = text.find(needle, at + 1)
    return False


def _inside_word(text: str, at: int) -> bool:
    """Whether a word goes on from before a place to behind it, in scripts that set words apart."""
    return 0 < at < len(text) and all(
        char.isalnum() and not _UNSPACED.match(char) for char in text[at - 1 : at + 1]
    )
