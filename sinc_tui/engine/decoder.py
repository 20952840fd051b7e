"""The band decoder: the structure is its own, the model writes only inside the six strings.

Bands are written in chains (`engine.layout.CHAINS`). Sequential: one chain, each band sees those before
it. Parallel: a sequence for each chain over one shared prefix, all grow at once. Both hand out the same
events and end in a document whose invariants hold.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from sinc_tui.engine.facts import FactKeeper
from sinc_tui.engine.guards import Guard, NumberGuard
from sinc_tui.engine.layout import CHAINS, Layout, Scaffold, Tokenizer, escape
from sinc_tui.engine.limits import LEAST_RULES, Limit, limits
from sinc_tui.engine.prefix import Prefix
from sinc_tui.engine.protocol import RunStats, SamplerOptions
from sinc_tui.engine.runtime import Cancelled, Run, Runtime
from sinc_tui.engine.sampler import Logits, Sampler
from sinc_tui.engine.trimming import trim
from sinc_tui.engine.verbatim import VerbatimGuard
from sinc_tui.engine.vocabulary import Vocabulary
from sinc_tui.engine.writer import BandRules, BandWriter, Finish, Wait
from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band


class Listener(Protocol):
    """Who hears of a run as it goes."""

    def delta(self, band: Band, text: str) -> None:
        """More text of a band."""

    def band_end(self, band: Band, text: str) -> None:
        """A band's final text; a band can end twice when it has to be cut for CONSTRAINTS."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a run.

    Attributes:
        prompt: the raw prompt.
        sampler: how tokens are chosen, and the decoding mode.
        given: bands that are kept as they are.
        free: no mask and no limit at all, to measure what the model does by itself.
    """

    prompt: str
    sampler: SamplerOptions = SamplerOptions()
    given: Mapping[Band, str] = field(default_factory=dict)
    free: bool = False


class _Lane:
    """One band in the making: its writer, and where its sequence stands in the cache.

    Attributes:
        opener: tokens that stand before the band and are not in the cache yet.
        rest: the bands that follow in its chain.
        start: position of the band's first token; `position`: of the next one to be evaluated.
        cached: the text that the cache holds; None when it ends within a code point or an escape.
        waiting: the band would close and waits for the others.
    """

    def __init__(
        self,
        writer: BandWriter,
        sequence: int,
        position: int,
        opener: Sequence[int],
        rest: Sequence[Band],
    ) -> None:
        self.writer, self.rest = writer, rest
        self.sequence, self.position, self.opener = sequence, position, opener
        self.start = position + len(opener)
        self.logits: Logits | None = None
        self.cached: str | None = ""
        self.waiting = False

    def ask(self, *, alone: bool) -> int | Wait | Finish:
        """The writer's answer; a waiting one is asked again once all others are done."""
        if not self.waiting:
            assert self.logits is not None, "the opener comes first"
            return self.writer.write(self.logits)
        return self.writer.resume() if alone else Wait()

    def evaluated(self, count: int, logits: Logits) -> None:
        """So many tokens more, of the opener or the last answer, are in the cache."""
        self.logits = logits
        self.position += count
        self.cached = self.writer.text if self.writer.neutral else None


class _Job:
    """One run's state: the finished texts and the figures.

    Attributes:
        spare: tokens of the context that neither the prompt nor an answer at its limits takes.
    """

    def __init__(self, request: Request, listener: Listener, cancelled: Callable[[], bool]) -> None:
        self.request = request
        self.texts: dict[Band, str] = dict(request.given)
        self.limits = limits(request.given)
        self.masks: Counter[str] = Counter()
        self.spare = 0
        self._notes: list[str] = []
        self._free_tokens = 0
        self._listener, self._cancelled = listener, cancelled
        self._began = time.monotonic()
        self._first: float | None = None

    @cached_property
    def _keeper(self) -> FactKeeper | None:
        """Looks for the prompt's facts when first asked: the prompt must be known to fit by then."""
        return FactKeeper(self.request.prompt) if self.request.sampler.fact_keeper else None

    def _longest_other(self) -> int:
        """Length of the longest finished band other than CONSTRAINTS."""
        return max((len(t) for b, t in self.texts.items() if b is not Band.CONSTRAINTS), default=0)

    def rules_for(self, band: Band, limit: Limit) -> BandRules:
        """What one band has to obey."""
        keeper = self._keeper
        if band is Band.CONSTRAINTS:
            return BandRules(
                may_close=lambda n: (
                    not self._waits() and n > max(self._longest_other(), LEAST_RULES)
                ),
                may_wait=self._waits,
                complete=lambda text: (
                    keeper.constraints(
                        text, self._others(), self._longest_other(), limit.characters
                    )
                    if keeper and not self._waits()
                    else text
                ),
            )
        numbers = [NumberGuard(self.request.prompt)] if self.request.sampler.number_guard else []
        if band is Band.DATA:
            return self._data_rules(numbers, limit)
        return BandRules() if band is Band.FORMAT else BandRules(guards=numbers)

    def _data_rules(self, numbers: Sequence[Guard], limit: Limit) -> BandRules:
        keeper = self._keeper
        verbatim = VerbatimGuard(self.request.prompt) if self.request.sampler.verbatim else None

        def complete(text: str) -> str:
            text = verbatim.tidied(text) if verbatim else text
            return keeper.data(text, limit.characters) if keeper else text

        return BandRules(
            guards=[verbatim, *numbers] if verbatim else numbers,
            complete=complete,
        )

    def _waits(self) -> bool:
        """Whether CONSTRAINTS has to wait for a band that is still being written."""
        open_bands = (b for b in Band if b is not Band.CONSTRAINTS and b not in self.texts)
        return self.request.sampler.decode == "parallel" and any(open_bands)

    def _others(self) -> str:
        return "\n".join(text for band, text in self.texts.items() if band is not Band.CONSTRAINTS)

    def check(self) -> None:
        """Raise `Cancelled` when the run was stopped."""
        if self._cancelled():
            raise Cancelled

    def took(self, band: Band, added: str) -> None:
        """Count a token and send the text that it added."""
        self._free_tokens += 1
        if added:
            self._first = self._first or time.monotonic()
            self._listener.delta(band, added)

    def finish(self, band: Band, finish: Finish) -> None:
        """Take a band's final text; called again when the band has to be cut."""
        if finish.note:
            self._notes.append(finish.note)
        self.texts[band] = finish.text
        self._listener.band_end(band, finish.text)

    def stats(self, prompt_tokens: int) -> RunStats:
        """The figures so far."""
        now = time.monotonic()
        return RunStats(
            prompt_tokens=prompt_tokens,
            free_tokens=self._free_tokens,
            seconds=now - self._began,
            seconds_to_first=(self._first or now) - self._began,
            masks=dict(self.masks),
            notes=self._notes,
            seed=self.request.sampler.seed,
            decode=self.request.sampler.decode,
        )


class Decoder:
    """Decomposes prompts with one loaded model, one run at a time."""

    def __init__(
        self, runtime: Runtime, tokenizer: Tokenizer, vocabulary: Vocabulary, layout: Layout
    ) -> None:
        self._runtime, self._tokenizer, self._vocabulary = runtime, tokenizer, vocabulary
        self._layout = layout
        self._scaffold = Scaffold.of(tokenizer)
        self._prefix = Prefix(runtime, layout.before)

    def warm_up(self) -> None:
        """Evaluate what every run starts with."""
        self._prefix.warm_up()

    def decompose(
        self,
        request: Request,
        listener: Listener,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> tuple[dict[Band, str], RunStats]:
        """The six texts of a prompt and the run's figures.

        Raises `SincError` for a prompt that does not fit the context, `Cancelled` when stopped.
        """
        job = _Job(request, listener, cancelled)
        tokens = self._fitting(job)
        self._clear_branches()
        write = self._sequential if request.sampler.decode == "sequential" else self._parallel
        write(job, [*tokens, *self._scaffold.head])
        if not request.free:
            _mend(job)
        return {band: job.texts[band] for band in Band}, job.stats(len(tokens))

    def _fitting(self, job: _Job) -> list[int]:
        """The prompt in its layout, when it and an answer fit the context."""
        layout, given = self._layout, job.request.given
        tokens = layout.prompt(self._tokenizer, job.request.prompt)
        fixed = sum(len(self._encode(text)) for text in given.values())
        written = sum(job.limits[band].tokens for band in Band if band not in given)
        job.spare = self._runtime.n_ctx - fixed - written - self._scaffold.size - len(tokens)
        if job.spare < 0:
            own = len(tokens) - len(layout.before) - len(layout.after)
            raise _too_long(own, own + job.spare, given)
        return tokens

    def _clear_branches(self) -> None:
        """Drop what an earlier parallel run left: it takes room, and where in the cache the new cells
        lie decides the last bits of the logits."""
        for sequence in range(1, len(Band) + 1):
            self._runtime.forget(sequence, 0)

    def _encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(escape(text))

    def _writer(self, band: Band, job: _Job) -> BandWriter:
        request, limit = job.request, job.limits[band]
        if band is not Band.CONSTRAINTS and Band.CONSTRAINTS in job.texts:
            limit = limit.below(len(job.texts[Band.CONSTRAINTS]))
        rules = job.rules_for(band, limit)
        sampler = Sampler(request.sampler, band.n)
        return BandWriter(band, self._vocabulary, sampler, limit, rules, free=request.free)

    def _sequential(self, job: _Job, prefix: list[int]) -> None:
        """One band after the other in sequence 0; what lies between two texts is one batch."""
        (chain,) = CHAINS["sequential"]
        lane = self._lane(job, chain, 0, 0, prefix)
        if lane is not None:
            lane.evaluated(len(lane.opener), self._prefix.hold(lane.opener))
            self._write([lane], job)

    def _parallel(self, job: _Job, prefix: list[int]) -> None:
        """All chains at once, each in a sequence of its own over the shared prefix."""
        self._prefix.hold(prefix)
        chains = enumerate(CHAINS["parallel"], start=1)
        firsts = (self._lane(job, chain, number, len(prefix), []) for number, chain in chains)
        lanes = [lane for lane in firsts if lane is not None]
        self._runtime.fork(0, [lane.sequence for lane in lanes])
        self._write(lanes[:1], job, lanes[1:])

    def _lane(
        self, job: _Job, chain: Sequence[Band], sequence: int, position: int, before: Sequence[int]
    ) -> _Lane | None:
        """The first band of a chain that has to be written; `before` and those given stand before it."""
        opener = list(before)
        for number, band in enumerate(chain, start=1):
            opener += self._scaffold.openers[band]
            if band not in job.request.given:
                return _Lane(self._writer(band, job), sequence, position, opener, chain[number:])
            opener += [*self._encode(job.request.given[band]), *self._scaffold.joint]
        return None

    def _next(self, lane: _Lane, job: _Job) -> _Lane | None:
        """The band that follows a finished one in its chain."""
        if not lane.rest:
            return None
        text, position = self._settle(lane, job)
        before = [*text, *self._scaffold.joint]
        return self._lane(job, lane.rest, lane.sequence, position, before)

    def _settle(self, lane: _Lane, job: _Job) -> tuple[list[int], int]:
        """Tokens that bring a band's cached text to its final one, and the position they go to.

        What facts added beyond the band's limit is shown to the next bands as far as there is room.
        """
        band, position = lane.writer.band, lane.position
        rest = job.texts[band]
        if lane.cached is not None and rest.startswith(lane.cached):
            rest = rest[len(lane.cached) :]
        else:
            position = lane.start
            self._runtime.forget(lane.sequence, position)
        share = max(0, lane.start + job.limits[band].tokens - position)
        tokens = self._encode(rest)[: share + job.spare]
        job.spare -= max(0, len(tokens) - share)
        return tokens, position

    def _write(self, lanes: list[_Lane], job: _Job, joining: Sequence[_Lane] = ()) -> None:
        """Let all lanes write until each chain has ended; one batch a step.

        Those that are `joining` begin when one of the others has something to show, so that the reader
        does not wait for all openers.
        """
        while lanes or joining:
            job.check()
            alone = all(lane.waiting for lane in lanes) and not joining
            going: list[tuple[_Lane, Sequence[int]]] = []
            for lane in list(lanes):
                if lane.logits is None:
                    going.append((lane, lane.opener))
                    continue
                before = len(lane.writer.text)
                answer = lane.ask(alone=alone)
                lane.waiting = isinstance(answer, Wait)
                if isinstance(answer, Finish):
                    self._finish(lane.writer, answer, job)
                    lanes.remove(lane)
                    if (following := self._next(lane, job)) is not None:
                        lanes.append(following)
                        going.append((following, following.opener))
                elif isinstance(answer, int):
                    job.took(lane.writer.band, lane.writer.text[before:])
                    going.append((lane, [answer]))
            if all(lane.logits is not None for lane in lanes):
                going += [(lane, lane.opener) for lane in joining]
                lanes, joining = [*lanes, *joining], ()
            if going:
                self._evaluate(going)

    def _evaluate(self, going: Sequence[tuple[_Lane, Sequence[int]]]) -> None:
        """One batch of tokens for several lanes."""
        runs = [Run(lane.sequence, lane.position, tokens) for lane, tokens in going]
        for (lane, tokens), row in zip(going, self._runtime.evaluate(runs), strict=True):
            lane.evaluated(len(tokens), row)

    def _finish(self, writer: BandWriter, finish: Finish, job: _Job) -> None:
        job.masks += writer.masks
        job.finish(writer.band, finish)


def _too_long(tokens: int, room: int, given: Mapping[Band, str]) -> SincError:
    """Why a prompt of so many tokens does not fit where there is room for `room`."""
    if room > 0:
        return SincError(
            f"The prompt has {tokens:,} tokens; this model takes {room:,}.",
            hint="Shorten the prompt, or choose a model with a longer context.",
        )
    if given:
        band = max(given, key=lambda b: len(given[b]))
        return SincError(
            f"{band} is kept with {len(given[band]):,} characters, which leaves this model no room to write.",
            hint=f"Shorten {band}, or choose a model with a longer context.",
        )
    return SincError(
        "This model's context is too short for a document, even with an empty prompt.",
        hint="Choose a model with a longer context.",
    )


_RULES = (
    " Keep to what the prompt says.",
    " Keep every fact of DATA as it is written.",
    " Do not add facts that the prompt does not hold.",
    " State what is missing instead of guessing it.",
)


def _mend(job: _Job) -> None:
    """Where CONSTRAINTS could not outgrow a band, cut that band and say so.

    A given band is not cut: there general rules fill CONSTRAINTS up.
    """
    given, rules = job.request.given, job.texts[Band.CONSTRAINTS]
    fixed = max((len(t) for b, t in given.items() if b is not Band.CONSTRAINTS), default=0)
    if len(rules) <= fixed:
        for rule in itertools.cycle(_RULES):
            rules += rule
            if len(rules) > fixed:
                break
        job.finish(Band.CONSTRAINTS, Finish(rules, "CONSTRAINTS was filled up with general rules."))
    for band in Band:
        text = job.texts[band]
        if band is Band.CONSTRAINTS or band in given or len(text) < len(rules):
            continue
        cut = trim(text, len(rules) - 1)
        job.finish(band, Finish(cut, f"{band} was cut to stay under CONSTRAINTS."))
