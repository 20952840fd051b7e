"""How long each band may get, with and without bands that are given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinc_tui.engine.limits import CHARACTERS, LEAST_RULES, Limit, limits
from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band

OTHERS = [band for band in Band if band is not Band.CONSTRAINTS]
GIVEN = st.dictionaries(st.sampled_from(OTHERS), st.integers(1, 3000).map(lambda n: "x" * n))


def test_every_band_has_a_limit_and_constraints_the_largest() -> None:
    assert limits({}).keys() == set(Band)
    assert CHARACTERS[Band.CONSTRAINTS] > max(CHARACTERS[band] for band in OTHERS)


@given(GIVEN)
def test_constraints_can_outgrow_every_given_band(given_bands: dict[Band, str]) -> None:
    room = limits(given_bands)[Band.CONSTRAINTS]
    longest = max(map(len, given_bands.values()), default=0)
    assert room.characters > longest
    assert room.tokens > longest, "even at one character a token"


@given(GIVEN, st.integers(LEAST_RULES + 1, 5000))
def test_given_constraints_stay_the_longest(given_bands: dict[Band, str], length: int) -> None:
    everything = given_bands | {Band.CONSTRAINTS: "r" * length}
    longest = max(map(len, given_bands.values()), default=0)
    if length <= longest:
        with pytest.raises(SincError, match="must be the longest"):
            limits(everything)
        return
    room = limits(everything)
    assert all(room[band].characters < length for band in OTHERS)


def test_given_constraints_that_are_too_short() -> None:
    with pytest.raises(SincError, match="kept with 40 characters") as caught:
        limits({Band.CONSTRAINTS: "r" * 40})
    assert "longer than 40 characters" in caught.value.hint
    with pytest.raises(SincError) as caught:
        limits({Band.CONSTRAINTS: "r" * 100, Band.DATA: "d" * 100})
    assert "longer than 100 characters" in caught.value.hint


def test_limit() -> None:
    assert Limit.of(100) == Limit(100, 50)
    assert Limit.of(1).tokens == 1
    assert Limit(100, 50).below(30) == Limit(29, 50)
    assert Limit(100, 50).below(300) == Limit(100, 50)
