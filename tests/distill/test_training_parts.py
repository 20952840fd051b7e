"""A batch of long examples goes through in pieces."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="training needs the extra `distill`")

from sinc_tui.distill.packing import TokenSequence
from sinc_tui.distill.training import _TOKENS_AT_ONCE, _parts


def sequence(length: int) -> TokenSequence:
    return TokenSequence(
        [0] * length, [1.0] * length, list(range(length)), [0] * length, [0] * length
    )


@pytest.mark.parametrize(
    "lengths",
    [
        [300, 310, 320, 330],
        [900, 1000, 1100, 1200],
        [5, _TOKENS_AT_ONCE * 2, 7, 9],
        [_TOKENS_AT_ONCE],
        [_TOKENS_AT_ONCE // 2] * 3,
    ],
)
def test_every_example_is_in_one_piece_and_no_piece_is_too_large(lengths: list[int]) -> None:
    parts = list(_parts([sequence(n) for n in lengths]))
    assert sorted(len(s) for part in parts for s in part) == sorted(lengths)
    for part in parts:
        assert len(part) == 1 or len(part) * max(map(len, part)) <= _TOKENS_AT_ONCE


def test_short_examples_stay_together() -> None:
    assert len(list(_parts([sequence(400)] * 4))) == 1
