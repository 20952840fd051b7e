"""The band decoder: the structure is its own, the model writes only inside the six strings.

Bands are written in chains (`engine.layout.CHAINS`). Sequential: one chain, each band sees those before
it. Parallel: a sequence for each chain over one shared prefix, all grow at once. Both hand out the same
events and end in a document whose invariants hold. Where a batch has room that costs little, drafts of the
next tokens ride along (`engine.drafting`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sinc_tui.engine.answers import Answer, Finish, Retake, Wait
from sinc_tui.engine.closing import close
from sinc_tui.engine.drafting import PHRASES, Drafts
from sinc_tui.engine.job import Job, Listener, Request
from sinc_tui.engine.layout import CHAINS, SMALL, Layout, Tokenizer, escape
from sinc_tui.engine.prefix import Prefix
from sinc_tui.engine.protocol import RunStats
from sinc_tui.engine.repeats import beginnings, take_if_better
from sinc_tui.engine.runtime import Cancelled, Run, Runtime, RuntimeFailure
from sinc_tui.engine.sampler import Logits, Sampler
from sinc_tui.engine.vocabulary import Vocabulary
from sinc_tui.engine.words import dictionary
from sinc_tui.engine.writer import BandWriter
from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band

_HUNGRY = {Band.CONSTRAINTS: 0, Band.DATA: 1}
"""The bands that take the most steps get drafts first, in this order."""


class _Lane:
    """One band in the making: its writer, and where its sequence stands in the cache.

    Attributes:
        opener: tokens that stand before the band, and those it begins with, that are not in the cache yet.
        rest: the bands that follow in its chain.
        start: position of the band's first token; `position`: of the next one to be evaluated.
        cached: the text that the cache holds; None when it ends within a code point or an escape.
        drafted: tokens that the cache holds behind `position` on trial, each with the logits behind it.
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
        self.start = position + len(opener) - len(writer.tokens)
        self.logits: Logits | None = None
        self.cached: str | None = ""
        self.drafted: list[tuple[int, Logits]] = []
        self.waiting = False
        self._shown = 0

    def ask(self, *, alone: bool) -> Answer:
        """The writer's answer; a waiting one is asked again once all others are done."""
        if not self.waiting:
            assert self.logits is not None, "the opener comes first"
            return self.writer.write(self.logits)
        return self.writer.resume() if alone else Wait()

    def fresh(self) -> str:
        """What is new of the text that will not be taken back."""
        shown, self._shown = self._shown, len(self.writer.settled)
        return self.writer.settled[shown:]

    def evaluated(self, count: int, logits: Logits) -> None:
        """So many tokens more, of the opener or the last answer, are in the cache."""
        self.logits = logits
        self.position += count
        self.cached = self.writer.text if self.writer.neutral else None

    def hits(self, token: int) -> bool:
        """Whether an answer is the next draft, and so evaluated already."""
        if not self.drafted or self.drafted[0][0] != token:
            return False
        _, logits = self.drafted.pop(0)
        self.evaluated(1, logits)
        return True


class Decoder:
    """Decomposes prompts with one loaded model, one run at a time."""

    def __init__(
        self, runtime: Runtime, tokenizer: Tokenizer, vocabulary: Vocabulary, layout: Layout
    ) -> None:
        self._runtime, self._tokenizer, self._vocabulary = runtime, tokenizer, vocabulary
        self._layout = layout
        self._scaffold = layout.scaffold
        self._prefix = Prefix(runtime, layout.before)
        spellings = [phrase for text in PHRASES for phrase in (text, f" {text}")]
        self._drafts = Drafts(tokenizer.encode(text) for text in spellings)

    def warm_up(self) -> None:
        """Evaluate what every run starts with, and read the dictionary."""
        if self._layout.name == SMALL:
            dictionary()
        self._prepare(len(self._layout.before) + len(self._layout.after))
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
        job = Job(request, listener, cancelled, spells=self._layout.name == SMALL)
        tokens = self._fitting(job)
        self._prepare(len(tokens))
        self._clear_branches()
        if self._runtime.rows > 1:
            self._drafts.hold(self._encode(f" {request.prompt}"))
        write = self._sequential if request.sampler.decode == "sequential" else self._parallel
        prefix = [*tokens, *self._scaffold.head]
        write(job, prefix)
        if not request.free:
            close(job)
            self._part(job, len(prefix))
        return {band: job.texts[band] for band in Band}, job.stats(len(tokens))

    def _prepare(self, tokens: int) -> None:
        if self._runtime.prepare(tokens):
            self._prefix.lost()

    def _fitting(self, job: Job) -> list[int]:
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
        for sequence in range(1, len(CHAINS["parallel"]) + 1):
            self._runtime.forget(sequence, 0)

    def _encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(escape(text))

    def _writer(self, band: Band, job: Job) -> BandWriter:
        request, limit = job.request, job.limits[band]
        if band is not Band.CONSTRAINTS and Band.CONSTRAINTS in job.texts:
            limit = limit.below(len(job.texts[Band.CONSTRAINTS]))
        rules = job.rules_for(band, limit)
        sampler = Sampler(request.sampler, band.n)
        start = request.starts.get(band, "")
        begun = (start, self._encode(start))
        return BandWriter(
            band, self._vocabulary, sampler, limit, rules, start=begun, free=request.free
        )

    def _sequential(self, job: Job, prefix: list[int]) -> None:
        """One band after the other in sequence 0; what lies between two texts is one batch."""
        (chain,) = CHAINS["sequential"]
        lane = self._lane(job, chain, 0, 0, prefix)
        if lane is not None:
            lane.evaluated(len(lane.opener), self._prefix.hold(lane.opener))
            self._write([lane], job)

    def _parallel(self, job: Job, prefix: list[int]) -> None:
        """All chains at once, each in a sequence of its own over the shared prefix."""
        self._prefix.hold(prefix)
        self._branch(job, len(prefix))

    def _branch(self, job: Job, position: int) -> None:
        """Write the chains side by side behind the first `position` tokens of sequence 0."""
        chains = enumerate(CHAINS["parallel"], start=1)
        firsts = (self._lane(job, chain, number, position, []) for number, chain in chains)
        lanes = [lane for lane in firsts if lane is not None]
        self._runtime.fork(0, [lane.sequence for lane in lanes])
        for lane in lanes:
            self._runtime.forget(lane.sequence, position)
        self._write(lanes[:1], job, lanes[1:])

    def _part(self, job: Job, position: int) -> None:
        """Write a band anew that says once more what another says, from another beginning.

        The document is whole by now: a stop or a failure leaves it as it is.
        """
        try:
            for band, start in beginnings(job):
                draft = job.draft(band, start)
                self._clear_branches()
                self._prefix.trim()
                self._branch(draft, position)
                take_if_better(job, draft, band, start)
        except Cancelled:
            return
        except RuntimeFailure:
            self._prefix.lost()

    def _lane(
        self, job: Job, chain: Sequence[Band], sequence: int, position: int, before: Sequence[int]
    ) -> _Lane | None:
        """The first band of a chain that has to be written; `before` and those given stand before it."""
        opener = list(before)
        for number, band in enumerate(chain, start=1):
            opener += self._scaffold.openers[band]
            if band not in job.request.given:
                writer = self._writer(band, job)
                opener += writer.tokens
                return _Lane(writer, sequence, position, opener, chain[number:])
            opener += [*self._encode(job.request.given[band]), *self._scaffold.joint]
        return None

    def _next(self, lane: _Lane, job: Job) -> _Lane | None:
        """The band that follows a finished one in its chain."""
        if not lane.rest:
            return None
        text, position = self._settle(lane, job)
        before = [*text, *self._scaffold.joint]
        return self._lane(job, lane.rest, lane.sequence, position, before)

    def _settle(self, lane: _Lane, job: Job) -> tuple[list[int], int]:
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

    def _write(self, lanes: list[_Lane], job: Job, joining: Sequence[_Lane] = ()) -> None:
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
                answer = self._answer(lane, job, alone=alone)
                lane.waiting = isinstance(answer, Wait)
                if isinstance(answer, Finish):
                    self._finish(lane.writer, answer, job)
                    lanes.remove(lane)
                    if (following := self._next(lane, job)) is not None:
                        lanes.append(following)
                        going.append((following, following.opener))
                elif isinstance(answer, int):
                    job.took(lane.writer.band, lane.fresh())
                    going.append((lane, [answer]))
            if all(lane.logits is not None for lane in lanes):
                going += [(lane, lane.opener) for lane in joining]
                lanes, joining = [*lanes, *joining], ()
            if going:
                self._evaluate(going)

    def _answer(self, lane: _Lane, job: Job, *, alone: bool) -> int | Wait | Finish:
        """What a lane's writer answers behind all drafts that it agrees with; the others are dropped."""
        answer = lane.ask(alone=alone)
        while isinstance(answer, int) and lane.hits(answer):
            job.took(lane.writer.band, lane.fresh())
            answer = lane.ask(alone=alone)
        back = answer.back if isinstance(answer, Retake) else 0
        if back or lane.drafted:
            lane.position -= back
            lane.drafted.clear()
            self._runtime.forget(lane.sequence, lane.position)
        return answer.token if isinstance(answer, Retake) else answer

    def _evaluate(self, going: Sequence[tuple[_Lane, Sequence[int]]]) -> None:
        """One batch of tokens for several lanes, filled up with drafts."""
        drafts = self._draft(going)
        runs = [
            Run(lane.sequence, lane.position, [*tokens, *draft], wanted=1 + len(draft))
            for (lane, tokens), draft in zip(going, drafts, strict=True)
        ]
        rows = iter(self._runtime.evaluate(runs))
        for (lane, tokens), draft in zip(going, drafts, strict=True):
            lane.evaluated(len(tokens), next(rows))
            lane.drafted = [(token, next(rows)) for token in draft]

    def _draft(self, going: Sequence[tuple[_Lane, Sequence[int]]]) -> list[list[int]]:
        """Drafts for each lane, as many as make the batch's rows full.

        A batch of one token takes little more than half the time of a full one, and so wants a likelier draft.
        """
        drafts: list[list[int]] = [[] for _ in going]
        size = sum(len(tokens) for _, tokens in going)
        room = -size % self._runtime.rows
        if not room:
            return drafts
        writers = [lane.writer for lane, _ in going]
        for n in sorted(range(len(going)), key=lambda n: _HUNGRY.get(writers[n].band, len(Band))):
            drafts[n] = self._drafts.after(writers[n].tokens, room, least=2 if size == 1 else 1)
            room -= len(drafts[n])
        if room == 1:  # any token, for three rows take longer than four
            drafts[-1].append(going[-1][1][-1])
        return drafts

    def _finish(self, writer: BandWriter, finish: Finish, job: Job) -> None:
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
