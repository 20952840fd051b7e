"""A hundred downloads with a fault each: never a wrong file, never much again, always a way on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.download_child import Downloads
from tests.support.faults import FAULTS, strike

CASES = [(kind, seed) for kind in FAULTS for seed in range(8)]
ACTIONS = ("sinc-tui models pull", "Check", "Try", "Free", "HF_")
"""One of these stands in every hint."""


@pytest.fixture(scope="module")
def downloads() -> Iterator[Downloads]:
    running = Downloads()
    yield running
    running.close()


def test_there_are_a_hundred() -> None:
    assert len(CASES) >= 100


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_a_fault(kind: str, seed: int, downloads: Downloads, tmp_path: Path) -> None:
    outcome = strike(kind, seed, downloads, tmp_path)
    assert not outcome.wrong
    assert outcome.whole, outcome
    assert outcome.again <= outcome.allowed, outcome
    if outcome.ended and kind != "kill -9":
        assert outcome.message
        assert any(action in outcome.hint for action in ACTIONS), outcome
    left = [path for path in tmp_path.rglob("*") if ".part" in path.name]
    assert not left, "nothing unfinished stays behind"
