"""What is the same from run to run is evaluated once, and always in the same groups."""

from __future__ import annotations

import numpy as np
import pytest

from sinc_tui.engine.prefix import Prefix
from sinc_tui.engine.runtime import Cancelled, Run
from sinc_tui.engine.sampler import Logits
from tests.support.hostile_runtime import POLICIES, HostileRuntime

OPENING = list(b"system line")
FIRST, SECOND = [*OPENING, *b"one prompt"], [*OPENING, *b"another"]


@pytest.fixture
def runtime() -> HostileRuntime:
    return HostileRuntime(POLICIES["random"], 0)


@pytest.fixture
def prefix(runtime: HostileRuntime) -> Prefix:
    return Prefix(runtime, OPENING)


def evaluated(runtime: HostileRuntime) -> list[tuple[int, bytes]]:
    """Position and tokens of each batch since the last call."""
    (*batches,) = ((run.position, bytes(run.tokens)) for runs in runtime.evaluated for run in runs)
    runtime.evaluated.clear()
    return batches


def test_the_first_prompt_is_evaluated_in_two_groups(
    runtime: HostileRuntime, prefix: Prefix
) -> None:
    prefix.hold(FIRST)
    assert evaluated(runtime) == [(0, bytes(OPENING)), (len(OPENING), b"one prompt")]
    assert runtime.text(0) == bytes(FIRST)


def test_warming_up_leaves_less_for_the_first_prompt(
    runtime: HostileRuntime, prefix: Prefix
) -> None:
    prefix.warm_up()
    assert evaluated(runtime) == [(0, bytes(OPENING))]
    prefix.warm_up()
    assert evaluated(runtime) == []
    prefix.hold(FIRST)
    assert evaluated(runtime) == [(len(OPENING), b"one prompt")]


def test_the_same_prompt_again_evaluates_nothing(runtime: HostileRuntime, prefix: Prefix) -> None:
    first = prefix.hold(FIRST)
    runtime.evaluate([Run(0, len(FIRST), list(b" and an answer"))])
    evaluated(runtime)
    again = prefix.hold(FIRST)
    assert evaluated(runtime) == []
    assert (again == first).all()
    assert runtime.text(0) == bytes(FIRST), "the answer is gone"


def test_another_prompt_evaluates_the_tail_only(runtime: HostileRuntime, prefix: Prefix) -> None:
    prefix.hold(FIRST)
    evaluated(runtime)
    prefix.hold(SECOND)
    assert evaluated(runtime) == [(len(OPENING), b"another")]
    assert runtime.text(0) == bytes(SECOND)
    prefix.hold(FIRST)
    assert evaluated(runtime) == [(len(OPENING), b"one prompt")]


def test_the_logits_that_are_kept_are_nobody_elses(prefix: Prefix) -> None:
    """A writer changes the logits that it gets."""
    kept = prefix.hold(FIRST).copy()
    for _ in range(2):
        row = prefix.hold(FIRST)
        assert (row == kept).all()
        row.fill(0)


@pytest.mark.parametrize("following", [FIRST, SECOND])
def test_what_was_stopped_is_evaluated_again(following: list[int]) -> None:
    runtime = Interrupted(POLICIES["random"], 0)
    prefix = Prefix(runtime, OPENING)
    prefix.hold(FIRST)
    runtime.interrupt = True
    with pytest.raises(Cancelled):
        prefix.hold(SECOND)
    evaluated(runtime)
    prefix.hold(following)
    assert evaluated(runtime) == [(len(OPENING), bytes(following[len(OPENING) :]))]
    assert runtime.text(0) == bytes(following)


def test_without_an_opening(runtime: HostileRuntime) -> None:
    prefix = Prefix(runtime, [])
    prefix.warm_up()
    assert evaluated(runtime) == []
    assert np.isfinite(prefix.hold(list(b"abc"))).all()
    assert evaluated(runtime) == [(0, b"abc")]


class Interrupted(HostileRuntime):
    """Is stopped half way through a batch, once, when it is told to."""

    interrupt = False

    def evaluate(self, runs: list[Run], *, logits: bool = True) -> list[Logits]:  # type: ignore[override]
        if self.interrupt:
            self.interrupt = False
            (run,) = runs
            super().evaluate([Run(run.sequence, run.position, run.tokens[:2])], logits=False)
            raise Cancelled
        return super().evaluate(runs, logits=logits)
