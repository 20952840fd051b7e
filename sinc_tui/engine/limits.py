"""How long each band may get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band

CHARACTERS: Mapping[Band, int] = {
    Band.PERSONA: 170,
    Band.CONTEXT: 350,
    Band.DATA: 600,
    Band.CONSTRAINTS: 1000,
    Band.FORMAT: 250,
    Band.TASK: 220,
}
"""Most code points of each band: the teacher's habits with room to spare."""

_MARGIN = 150
LEAST_RULES = 40
"""Fewest code points of CONSTRAINTS."""
_CHARACTERS_A_TOKEN = 2


@dataclass(frozen=True, slots=True)
class Limit:
    """Most code points and tokens of one band."""

    characters: int
    tokens: int

    @classmethod
    def of(cls, characters: int) -> Limit:
        """The tokens that so many characters may take."""
        return cls(characters, max(1, characters // _CHARACTERS_A_TOKEN))

    def below(self, length: int) -> Limit:
        """The same, but shorter than `length` code points."""
        return Limit(min(self.characters, length - 1), self.tokens)


def limits(given: Mapping[Band, str]) -> dict[Band, Limit]:
    """The limits of a run in which `given` bands stand fixed.

    CONSTRAINTS gets room to outgrow every given band; a given CONSTRAINTS keeps the others below it.
    Raises `SincError` where a given CONSTRAINTS is too short to be the longest.
    """
    fixed = given.get(Band.CONSTRAINTS)
    longest = max(
        (len(text) for band, text in given.items() if band != Band.CONSTRAINTS), default=0
    )
    if fixed is not None and len(fixed) <= max(longest, LEAST_RULES):
        raise SincError(
            f"CONSTRAINTS is kept with {len(fixed)} characters and must be the longest band.",
            hint=f"Make it longer than {max(longest, LEAST_RULES)} characters, or let it be written anew.",
        )
    room = {band: Limit.of(_characters(band, fixed, longest)) for band in Band}
    rules = room[Band.CONSTRAINTS]
    room[Band.CONSTRAINTS] = Limit(rules.characters, max(rules.tokens, longest + _MARGIN))
    return room


def _characters(band: Band, fixed: str | None, longest: int) -> int:
    if band is Band.CONSTRAINTS:
        return max(CHARACTERS[band], longest + _MARGIN)
    return CHARACTERS[band] if fixed is None else min(CHARACTERS[band], len(fixed) - 1)
