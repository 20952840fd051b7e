"""Runs students over prompts and judges every document that they make."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from sinc_tui.distill.baselines import Decomposition, Student
from sinc_tui.distill.dataset import Example
from sinc_tui.distill.metrics import Faults, ForeignNumbers, faults, foreign_numbers
from sinc_tui.distill.similarity import near_duplicates, swap_discrimination
from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.grounding import Grounding, ground
from sinc_tui.sinc.invariants import Status, check

Progress = Callable[[int], None]
"""Called with the number of prompts that were finished since the last call."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One document and everything that is known about it.

    Attributes:
        reasons: the invariants that it breaks, in words; none when it is valid.
        closest: whether it is closest to its own prompt among all; None where that can't be asked.
        duplicates: the bands that nearly equal the same band of another prompt.
    """

    example: Example
    made: Decomposition
    reasons: tuple[str, ...]
    grounding: Grounding
    foreign: ForeignNumbers
    faults: Faults
    closest: bool | None
    duplicates: frozenset[Band]

    @property
    def valid(self) -> bool:
        """Whether the document keeps every invariant."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A student and its judged documents, in the order of the prompts."""

    name: str
    rows: tuple[Judged, ...]


def evaluate(
    student: Student, examples: Sequence[Example], progress: Progress = lambda _: None
) -> Evaluation:
    """Let a student answer every prompt, and judge its answers."""
    made = []
    for example in examples:
        made.append(_answer(student, example.prompt))
        progress(1)
    return Evaluation(student.name, tuple(judge(examples, made)))


def judge(examples: Sequence[Example], made: Sequence[Decomposition]) -> list[Judged]:
    """Judge decompositions one by one and against one another; both lists run in parallel.

    Where there is no document, all that depends on its text counts as failed: every fact is lost.
    """
    closest = swap_discrimination([e.prompt for e in examples], [m.texts for m in made])
    duplicates = _duplicates(made)
    return [
        Judged(
            example,
            answer,
            broken_invariants(answer),
            ground(example.prompt, answer.texts),
            foreign_numbers(example.prompt, answer.texts.get(Band.DATA, "")),
            faults(example.prompt, answer.texts),
            own,
            frozenset(band for band in Band if duplicates[band][at]),
        )
        for at, (example, answer, own) in enumerate(zip(examples, made, closest, strict=True))
    ]


def broken_invariants(made: Decomposition) -> tuple[str, ...]:
    """Why a decomposition is no valid document; nothing when it is one."""
    if made.error:
        return (made.error,)
    verdicts = check(Draft.finished(dict(made.texts)))
    return tuple(verdict.reason for verdict in verdicts if verdict.status is not Status.PASS)


def _answer(student: Student, prompt: str) -> Decomposition:
    began = time.perf_counter()
    try:
        made = student.decompose(prompt)
    except SincError as error:
        made = Decomposition.failed(str(error))
    return made if made.seconds else replace(made, seconds=time.perf_counter() - began)


def _duplicates(made: Iterable[Decomposition]) -> dict[Band, list[bool]]:
    texts = [answer.texts for answer in made]
    return {band: near_duplicates([text.get(band, "") for text in texts]) for band in Band}
