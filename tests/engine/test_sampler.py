"""Choosing tokens: greedy, min-p, DRY, and the same choice for the same seed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sinc_tui.engine.protocol import SamplerOptions
from sinc_tui.engine.sampler import Logits, Sampler

SIZE = 50


def logits_of(seed: int) -> Logits:
    return np.random.default_rng(seed).normal(0, 3, SIZE).astype(np.float32)


def choices(options: SamplerOptions, stream: int = 0, count: int = 60) -> list[int]:
    """The tokens that a sampler chooses one after the other, each seeing those before."""
    sampler, written = Sampler(options, stream), list[int]()
    for step in range(count):
        written.append(sampler.choose(logits_of(step), written))
    return written


@given(st.integers(0, 2**32))
def test_greedy_takes_the_likeliest(seed: int) -> None:
    row = logits_of(seed)
    sampler = Sampler(SamplerOptions(seed=seed, temperature=0, dry_multiplier=0), 0)
    assert sampler.choose(row.copy(), []) == row.argmax()


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 5), st.floats(0.01, 1))
def test_min_p_leaves_out_the_unlikely(seed: int, temperature: float, min_p: float) -> None:
    row = logits_of(seed)
    sampler = Sampler(SamplerOptions(seed=seed, temperature=temperature, min_p=min_p), 1)
    token = sampler.pick(row)
    assert np.exp((row[token] - row.max()) / temperature) >= min_p * 0.999


def test_temperature_weighs_as_softmax_does() -> None:
    row = np.log(np.array([0.6, 0.3, 0.1, 0.001], np.float32))
    sampler = Sampler(SamplerOptions(temperature=1.0, min_p=0.05), 0)
    count = Counter(sampler.pick(row) for _ in range(4000))
    assert count.keys() == {0, 1, 2}
    assert [count[token] / 4000 for token in range(3)] == pytest.approx([0.6, 0.3, 0.1], abs=0.03)


def test_low_temperature_is_nearly_greedy() -> None:
    sampler = Sampler(SamplerOptions(temperature=0.01, min_p=0.0), 0)
    row = np.array([1.0, 2.0, 0.5], np.float32)
    assert {sampler.pick(row) for _ in range(200)} == {1}


def test_same_seed_same_choices() -> None:
    options = SamplerOptions(seed=7, temperature=1.0)
    assert choices(options, 3) == choices(options, 3)


def test_other_seed_or_other_band_other_choices() -> None:
    options = SamplerOptions(seed=7, temperature=1.0)
    drawn = [choices(options, stream) for stream in range(6)]
    drawn += [choices(SamplerOptions(seed=seed, temperature=1.0)) for seed in (8, 9)]
    assert len({tuple(tokens) for tokens in drawn}) == len(drawn)


@pytest.mark.parametrize(
    ("written", "token", "penalty"),
    [
        ([1, 2, 3, 9, 1, 2, 3], 9, 0.8),
        ([0, 1, 2, 3, 9, 0, 1, 2, 3], 9, 0.8 * 1.75),
        ([5, 1, 2, 3, 9, 4, 5, 1, 2, 3, 8, 5, 1, 2, 3], 9, 0.8 * 1.75),
        ([4, 4, 4, 4], 4, 0.8),
    ],
)
def test_dry_makes_a_repetition_less_likely(written: list[int], token: int, penalty: float) -> None:
    """The longer the run that would be repeated, the less likely."""
    row = np.zeros(SIZE, np.float32)
    Sampler(SamplerOptions(dry_multiplier=0.8), 0).choose(row, written)
    assert row[token] == pytest.approx(-penalty)
    assert (row[[t for t in range(SIZE) if t not in written]] == 0).all()


@pytest.mark.parametrize("written", [[], [1], [1, 2, 9, 1, 2], [1, 2, 3, 9, 8, 2, 3]])
def test_dry_allows_short_repetitions(written: list[int]) -> None:
    row = np.zeros(SIZE, np.float32)
    Sampler(SamplerOptions(dry_multiplier=0.8), 0).choose(row, written)
    assert not row.any()


def test_dry_ends_a_loop() -> None:
    """A model that wants nothing but the same three words."""
    row = np.full(SIZE, -5, np.float32)
    loop, written = [10, 11, 12], list[int]()
    for step in range(60):
        wish = row.copy()
        wish[loop[step % 3]] = 5.0
        written.append(Sampler(SamplerOptions(dry_multiplier=0.8), 0).choose(wish, written))
    assert written[:9] == loop * 3
    assert set(written) - set(loop)
    off = SamplerOptions(dry_multiplier=0.0)
    assert Sampler(off, 0).choose(np.where(np.arange(SIZE) == 4, 5.0, 0.0), [4] * 30) == 4


def test_a_seed_asks_for_a_variation_unless_the_temperature_is_given() -> None:
    assert SamplerOptions().heat == 0
    assert SamplerOptions(seed=1).heat > 0
    assert SamplerOptions(seed=1, temperature=0.0).heat == 0
    assert SamplerOptions(temperature=0.3).heat == 0.3
    assert choices(SamplerOptions(seed=1)) != choices(SamplerOptions(seed=2))
    assert choices(SamplerOptions(seed=1, temperature=0)) == choices(SamplerOptions())


def test_among() -> None:
    sampler = Sampler(SamplerOptions(), 0)
    row = logits_of(1)
    allowed = np.zeros(SIZE, bool)
    assert sampler.among(row, allowed) is None
    allowed[[3, 17]] = True
    assert sampler.among(row, allowed) == max((3, 17), key=lambda token: row[token])
    assert sampler.among(np.full(SIZE, -np.inf, np.float32), allowed) == 3
    free = Sampler(SamplerOptions(temperature=5.0, min_p=0.0), 0)
    assert {free.among(row, allowed) for _ in range(200)} == {3, 17}


@pytest.mark.parametrize(
    "options",
    [
        {"seed": -1},
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"min_p": 1.5},
        {"dry_multiplier": -1},
    ],
)
def test_options_that_no_sampler_could_use_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        SamplerOptions.model_validate(options)
