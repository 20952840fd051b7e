"""Threads by how busy the machine is, with a machine that the test makes up."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from sinc_tui.engine.pace import LoadAverage, Pace

SINGLE = 0.01


class Machine:
    """Tells how many other threads run."""

    def __init__(self, others: int | None = 0) -> None:
        self.others = others

    def __call__(self) -> int | None:
        return self.others


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def paced(
    machine: Callable[[], int | None], n_threads: int = 4, clock: Callable[[], float] | None = None
) -> Pace:
    return Pace(n_threads, SINGLE, machine, clock or Clock())


def steps(pace: Pace, count: int) -> list[int]:
    """Threads of so many quick steps."""
    found = []
    for _ in range(count):
        found.append(pace.threads())
        pace.took(SINGLE / 2, 1)
    return found


def test_all_threads_on_a_calm_machine() -> None:
    assert steps(paced(Machine(0)), 5) == [4] * 5


def test_all_threads_while_others_leave_a_core() -> None:
    assert steps(paced(Machine(3)), 5) == [4] * 5


def test_one_thread_while_every_core_is_wanted() -> None:
    machine = Machine(4)
    pace = paced(machine)
    assert steps(pace, 3) == [1] * 3
    machine.others = 1
    assert steps(pace, 5) == [1] * 5, "less busy is not calm"


def test_all_threads_again_after_three_calm_steps_in_a_row() -> None:
    machine = Machine(4)
    pace = paced(machine)
    steps(pace, 1)
    machine.others = 0
    assert steps(pace, 2) == [1, 1]
    machine.others = 1
    assert steps(pace, 1) == [1]
    machine.others = 0
    assert steps(pace, 4) == [1, 1, 4, 4]


@pytest.mark.parametrize("seen", [[4, 0], [9, 9, 3], [4, None]])
def test_who_runs_for_a_moment_only_is_no_competitor(seen: list[int | None]) -> None:
    looks = iter([*seen, *[0] * 9])
    assert steps(paced(lambda: next(looks)), 3) == [4] * 3


def test_one_thread_after_a_step_that_stalled() -> None:
    machine = Machine(1)
    pace = paced(machine)
    assert pace.threads() == 4
    pace.took(SINGLE * 7, 1)
    assert steps(pace, 3) == [1] * 3


@pytest.mark.parametrize(
    ("seconds", "tokens", "after"), [(0.05, 1, 4), (0.07, 1, 1), (0.07, 2, 4), (6.0, 90, 1)]
)
def test_a_stall_is_measured_by_the_token(seconds: float, tokens: int, after: int) -> None:
    pace = paced(Machine(1))
    pace.threads()
    pace.took(seconds, tokens)
    assert pace.threads() == after


def test_a_rest_makes_what_was_seen_old() -> None:
    """The first step of a run reads the prompt: it must not pay for what ran beside the run before."""
    machine, clock = Machine(4), Clock()
    pace = paced(machine, clock=clock)
    assert steps(pace, 1) == [1]
    machine.others = 0
    clock.now += 1
    assert steps(pace, 1) == [4]


def test_after_a_rest_who_runs_for_a_moment_is_no_competitor() -> None:
    looks, clock = iter([4] * 4 + [1, 1] + [0] * 9), Clock()
    pace = paced(lambda: next(looks), clock=clock)
    assert steps(pace, 1) == [1]
    clock.now += 1
    assert steps(pace, 1) == [4]


def test_after_a_rest_who_pauses_for_a_moment_is_one() -> None:
    looks, clock = itertools.chain([4] * 4, itertools.cycle([1, 0, 0, 0])), Clock()
    pace = paced(lambda: next(looks), clock=clock)
    assert steps(pace, 1) == [1]
    clock.now += 1
    assert steps(pace, 1) == [1]


@pytest.mark.parametrize("others", [1, 4, None])
def test_a_rest_alone_makes_no_machine_calm(others: int | None) -> None:
    machine, clock = Machine(1), Clock()
    pace = paced(machine, clock=clock)
    pace.threads()
    pace.took(SINGLE * 7, 1)
    machine.others = others
    clock.now += 1
    assert steps(pace, 3) == [1] * 3


def test_blind_it_tries_again_later_and_later() -> None:
    """Where the system tells nothing: after each stall it waits twice as long."""
    pace = paced(Machine(None))

    def alone_for() -> int:
        assert pace.threads() == 4
        pace.took(SINGLE * 100, 1)
        count = 0
        while pace.threads() == 1:
            pace.took(SINGLE, 1)
            count += 1
        return count

    first, second, third = alone_for(), alone_for(), alone_for()
    assert second == pytest.approx(2 * first, abs=2)
    assert third == pytest.approx(2 * second, abs=2)


def test_one_core_has_nothing_to_choose() -> None:
    pace = paced(Machine(9), n_threads=1)
    assert steps(pace, 3) == [1] * 3


def test_a_slow_step_of_one_thread_proves_nothing() -> None:
    machine = Machine(4)
    pace = paced(machine)
    pace.threads()
    pace.took(SINGLE * 1000, 1)
    machine.others = 0
    assert steps(pace, 3) == [1, 1, 4]


@pytest.mark.parametrize(
    ("content", "others"),
    [
        ("0.52 0.58 0.59 3/602 12345\n", 2),
        ("0.00 0.00 0.00 1/99 7\n", 0),
        ("", None),
        ("a b c d/e f", None),
    ],
)
def test_reads_what_runs(content: str, others: int | None, tmp_path: Path) -> None:
    file = tmp_path / "loadavg"
    assert LoadAverage(file)() is None
    file.write_text("0.52 0.58 0.59 9/602 12345\n")
    running = LoadAverage(file)
    assert running() == 8
    file.write_text(content)
    assert running() == others
