"""Differences: nothing is lost, and what is common is seen as common."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sinc_tui.tui.differences import LONGEST, differences


@given(st.text(max_size=60), st.text(max_size=60))
def test_pieces_make_up_the_texts(left: str, right: str) -> None:
    lefts, rights = differences(left, right)
    assert "".join(text for text, _ in lefts) == left
    assert "".join(text for text, _ in rights) == right
    common = ["".join(t for t, side in pieces if side == "both") for pieces in (lefts, rights)]
    assert common[0] == common[1]


def test_one_word_changed() -> None:
    lefts, rights = differences("Fix line 3 now.", "Fix line 4 now.")
    assert lefts == [("Fix line ", "both"), ("3", "left"), (" now.", "both")]
    assert rights == [("Fix line ", "both"), ("4", "right"), (" now.", "both")]


def test_very_long_texts_are_not_compared() -> None:
    long = "word " * LONGEST
    assert differences(long, long + "x") == ([(long, "left")], [(long + "x", "right")])
