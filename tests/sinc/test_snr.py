"""The figure against values worked out by hand from the formula."""

from __future__ import annotations

import math

import pytest

from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.snr import Snr, snr


def bands(persona: int, context: int, data: int, constraints: int, form: int) -> dict[Band, str]:
    """Texts with this many estimated tokens."""
    counts = (persona, context, data, constraints, form)
    return {band: "x" * 4 * count for band, count in zip(Band, counts, strict=False)}


def test_nothing_is_the_floor() -> None:
    found = snr({})
    assert (found.value, found.grade, found.present) == (0.588, "CRITICAL", 0)
    assert found.tokens == {"Z1": 0, "Z2": 0, "Z3": 0, "Z4": 0}


def test_at_94_tokens_of_context_half_of_the_span_is_reached() -> None:
    """There the rise is 1/2 and nothing decays; 71 tokens of rules saturate."""
    found = snr(bands(5, 50, 44, 71, 5))
    assert found.value == pytest.approx(0.588 + 0.267 / 2)
    assert found.grade == "GOOD"
    assert found.factors == {"G(Z1)": 1.0, "H(Z2)": 0.5, "R(Z3)": 1.0, "G(Z4)": 1.0}


def test_a_band_that_is_missing_takes_everything() -> None:
    for missing in (Band.PERSONA, Band.CONSTRAINTS, Band.FORMAT):
        assert snr(bands(5, 50, 44, 71, 5) | {missing: ""}).value == 0.588


def test_far_beyond_the_best_length_it_falls_again() -> None:
    z2 = 194
    rise = (z2 / 94) ** 4.56
    expected = 0.267 * rise / (1 + rise) * math.exp(-1.36e-5 * 100**2)
    assert snr(bands(9, 100, 94, 90, 9)).value - 0.588 == pytest.approx(expected)
    assert snr(bands(9, 1000, 0, 90, 9)).value == pytest.approx(0.588, abs=1e-4)


def test_gate_and_ramp_in_between() -> None:
    found = snr(bands(3, 50, 44, 57, 4))
    assert found.factors == pytest.approx(
        {"G(Z1)": 1 / 3, "H(Z2)": 0.5, "R(Z3)": 0.6, "G(Z4)": 2 / 3}
    )


def test_short_texts_count_as_a_token() -> None:
    assert snr({Band.PERSONA: "x", Band.FORMAT: "x" * 7}).tokens["Z1"] == 1


@pytest.mark.parametrize(
    ("value", "grade"),
    [
        (0.8, "EXCELLENT"),
        (0.7999, "GOOD"),
        (0.7, "GOOD"),
        (0.65, "ADEQUATE"),
        (0.6, "ALIASED"),
        (0.5999, "CRITICAL"),
    ],
)
def test_grades(value: float, grade: str) -> None:
    assert Snr(value, {}, {}, 6).grade == grade


def test_the_report_is_rounded() -> None:
    report = snr(bands(3, 10, 10, 50, 9) | {Band.TASK: "Do it."}).report()
    assert report["fragments"] == "6/6"
    assert report["snr"] == round(report["snr"], 4)
    assert list(report) == ["snr", "grade", "fragments", "zones", "tokens"]
