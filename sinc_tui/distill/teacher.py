"""Runs assignments to a large model: many at a time, with retries, one correction, and resume."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sinc_tui.distill.assignments import Assignment, InvalidAnswerError, objection
from sinc_tui.distill.dataset import Example, example_line
from sinc_tui.distill.teacher_api import BusyError, RefusedError, Reply, TeacherApi, Turn, Usage
from sinc_tui.errors import SincError

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Retries:
    """How a request that failed is made again: after `first` seconds, twice that, and so on.

    Attributes:
        attempts: requests in all before a prompt is given up.
        longest: seconds of the longest wait; a server that asks for more is given more, up to ten
            times that.
        prompts: how many prompts in a row may be given up before the whole run is.
    """

    attempts: int = 6
    first: float = 1.0
    longest: float = 60.0
    prompts: int = 8

    def wait(self, failed: int, asked: float | None, rng: random.Random) -> float:
        """Seconds to wait after the `failed`-th failure: full jitter, unless the server says how long."""
        if asked is not None:
            return min(asked, 10 * self.longest)
        return rng.uniform(0.5, 1.0) * min(self.longest, self.first * 2.0 ** (failed - 1))


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens: read, written, and read from the cache."""

    read: float
    written: float
    cached: float = 0.0

    def of(self, usage: Usage) -> float:
        """What the tokens cost, in dollars. What it costs to fill the cache is not counted."""
        fresh = usage.read - usage.cached
        return (fresh * self.read + usage.cached * self.cached + usage.written * self.written) / 1e6


@dataclass(slots=True)
class Tally:
    """How a run went.

    Attributes:
        made: examples that were written.
        second: those among them that needed the second attempt.
        dropped: prompts whose answer stayed invalid, with the reasons.
        failed: prompts that got no answer, with the last reason; the next run asks them again.
        in_a_row: how many prompts got no answer since the last that did.
        retries: requests that were made again.
        skipped: prompts that were answered or dropped before, or that stand there twice.
    """

    made: int = 0
    second: int = 0
    dropped: dict[str, list[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    retries: int = 0
    skipped: int = 0
    in_a_row: int = 0
    usage: Usage = field(default_factory=Usage)

    def in_words(self, price: Price | None = None) -> str:
        """The tally in one line, with its cost where the price is known."""
        parts = [
            f"{self.made} made",
            f"{self.second} of them at the second attempt",
            f"{len(self.dropped)} dropped",
        ]
        parts += [f"{len(self.failed)} without an answer"] if self.failed else []
        parts += [f"{self.skipped} done before"] if self.skipped else []
        parts += [f"{self.retries} retries"] if self.retries else []
        parts.append(f"{self.usage.read:,} tokens read, {self.usage.written:,} written")
        parts += [f"${price.of(self.usage):.2f}"] if price else []
        return ", ".join(parts)


PRICES = {
    "claude-haiku-4-5": Price(1.0, 5.0, 0.1),
    "claude-sonnet-4-5": Price(3.0, 15.0, 0.3),
    "claude-opus-4-5": Price(5.0, 25.0, 0.5),
}
"""List prices of late 2025, by the beginning of the model's name; others are given by hand."""


Progress = Callable[[Tally], None]
"""Called after each prompt."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where examples and dropped answers are written, line by line, so that a run can be resumed."""

    path: Path

    @property
    def dropped(self) -> Path:
        """The file of the answers that stayed invalid: `NAME.dropped.jsonl`."""
        return self.path.with_suffix(".dropped.jsonl")

    def finished(self) -> set[str]:
        """The prompts that need no answer any more. A line that was cut in writing is taken away."""
        return _prompts_in(self.path) | _prompts_in(self.dropped)

    def keep(self, example: Example) -> None:
        """Write an example."""
        _append(self.path, example_line(example))

    def drop(self, example: Example, reasons: list[str], answer: str) -> None:
        """Write down a prompt whose answer stayed invalid."""
        row = {"id": example.id, "prompt": example.prompt, "reasons": reasons, "answer": answer}
        _append(self.dropped, json.dumps(row, ensure_ascii=False))


class Generator:
    """Runs one assignment for many prompts."""

    def __init__(
        self,
        api: TeacherApi,
        assignment: Assignment,
        *,
        concurrency: int = 4,
        retries: Retries = Retries(),
        sleep: Sleep = asyncio.sleep,
        seed: int = 0,
    ) -> None:
        self._api = api
        self._assignment = assignment
        self._brief = assignment.brief
        self._concurrency = concurrency
        self._retries = retries
        self._sleep = sleep
        self._rng = random.Random(seed)

    async def run(
        self,
        prompts: Sequence[Example],
        output: Output,
        *,
        progress: Progress = lambda _: None,
        stop: Callable[[Tally], bool] = lambda _: False,
    ) -> Tally:
        """Answer every prompt that `output` does not hold yet, and write the answers as they come.

        `stop` is asked before each prompt; when it says so, no further prompt is begun.

        Raises:
            SincError: the server refuses every request of this kind (key, model, address).
        """
        finished = output.finished()
        waiting = {p.prompt: p for p in reversed(prompts) if p.prompt not in finished}
        tally = Tally(skipped=len(prompts) - len(waiting))
        queue = iter(reversed(waiting.values()))

        async def work() -> None:
            for prompt in queue:
                if stop(tally):
                    return
                await self._answer(prompt, output, tally)
                progress(tally)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._concurrency):
                    group.create_task(work())
        except* SincError as errors:
            raise errors.exceptions[0] from None
        return tally

    async def _answer(self, prompt: Example, output: Output, tally: Tally) -> None:
        """Ask, ask once more with the reasons, and write the outcome down."""
        turns = [Turn("user", self._assignment.question(prompt))]
        reply = Reply("")
        reasons: list[str] = []
        for second in (False, True):
            try:
                reply = await self._ask(turns, tally)
                output.keep(self._assignment.read(reply, prompt))
            except (BusyError, RefusedError) as error:
                self._note_failure(prompt, str(error), tally)
                return
            except InvalidAnswerError as error:
                reasons = error.reasons
                turns += [
                    Turn("assistant", reply.text or "(nothing)"),
                    Turn("user", objection(reasons, self._assignment.again)),
                ]
                continue
            tally.made += 1
            tally.second += second
            tally.in_a_row = 0
            return
        tally.in_a_row = 0
        output.drop(prompt, reasons, reply.text)
        tally.dropped[prompt.id] = reasons

    def _note_failure(self, prompt: Example, reason: str, tally: Tally) -> None:
        tally.failed[prompt.id] = reason
        tally.in_a_row += 1
        if tally.in_a_row >= self._retries.prompts:
            raise SincError(
                f"{tally.in_a_row} prompts in a row got no answer: {reason}.",
                hint="What was answered is kept; the same command goes on from there.",
                retryable=True,
            )

    async def _ask(self, turns: Sequence[Turn], tally: Tally) -> Reply:
        """One reply, after as many attempts as it takes; `BusyError` when they are used up."""
        failed = 0
        while True:
            try:
                reply = await self._api.ask(self._brief, turns)
            except BusyError as error:
                failed += 1
                if failed >= self._retries.attempts:
                    raise
                tally.retries += 1
                await self._sleep(self._retries.wait(failed, error.retry_after, self._rng))
                continue
            tally.usage += reply.usage
            return reply


def price_of(model: str, given: tuple[float, float] | None = None) -> Price | None:
    """The price that was given (dollars for a million tokens read and written), else the known one."""
    if given is not None:
        return Price(given[0], given[1], given[0])
    return next((price for name, price in PRICES.items() if model.startswith(name)), None)


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as out:
        out.write(line + "\n")


def _prompts_in(path: Path) -> set[str]:
    if not path.exists():
        return set()
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        path.write_bytes(whole)
    try:
        return {json.loads(line)["prompt"] for line in whole.decode().split("\n") if line.strip()}
    except (ValueError, KeyError, TypeError) as error:
        raise SincError(
            f"{path} holds something else than examples.", hint="Choose another file for --out."
        ) from error
