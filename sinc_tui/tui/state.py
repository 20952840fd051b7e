"""What the screen shows, and the one place where an event changes it.

Imports nothing heavy, so that the first paint does not wait for the models of the wire protocol.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.draft import Draft
from sinc_tui.tui.results import Result, Results

if TYPE_CHECKING:
    from sinc_tui.engine.protocol import ModelInfo, RunStats
    from sinc_tui.errors import SincError
    from sinc_tui.events import Event
    from sinc_tui.sinc.document import SincDocument
    from sinc_tui.sinc.invariants import Verdict


class Phase(StrEnum):
    """What is going on, as one word."""

    LOADING = "loading"
    READY = "ready"
    WRITING = "writing"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(slots=True)
class RunState:
    """The model, the run under way (or the last one) and its result.

    Attributes:
        phase: what is going on.
        running: whether a run was begun and has not ended; true while it waits for the model too.
        loaded, read: how much of the model is loaded, and of a long prompt is read, 0.0 to 1.0.
        info: the loaded model; None until there is one.
        results: what came of the runs of this session.
        writing: the bands that get text at this moment.
        locked: the bands that the next run must leave as they are.
        error: why loading or the run failed; kept until the next run begins.
    """

    phase: Phase = Phase.LOADING
    running: bool = False
    loaded: float = 0.0
    read: float | None = None
    info: ModelInfo | None = None
    results: Results = field(default_factory=Results)
    writing: set[Band] = field(default_factory=set)
    locked: set[Band] = field(default_factory=set)
    error: SincError | None = None
    _given: Mapping[Band, str] = field(default_factory=dict)
    _before: Result | None = None
    _begun: float = 0.0
    _ended: float = 0.0

    @property
    def result(self) -> Result:
        """The result in view."""
        return self.results.current

    @property
    def prompt(self) -> str:
        """The raw prompt of the result in view."""
        return self.result.prompt

    @property
    def draft(self) -> Draft:
        """The bands in view, as far as they are written."""
        return self.result.draft

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """The newest verdict of each invariant, by id."""
        return self.result.verdicts

    @property
    def document(self) -> SincDocument | None:
        """The bands in view as a document; None while they are none."""
        return self.result.document

    @property
    def stats(self) -> RunStats | None:
        """Figures of the finished run."""
        return self.result.stats

    @property
    def seconds(self) -> float:
        """How long the run takes or took; 0 when there was none."""
        end = time.monotonic() if self.running else self._ended
        return end - self._begun

    @property
    def empty(self) -> bool:
        """Whether no band holds any text."""
        return self.result.empty

    def locked_texts(self) -> dict[Band, str]:
        """The locked bands that hold something, as the next run is to keep them."""
        texts = self.draft.texts
        return {band: texts[band] for band in Band if band in self.locked and texts[band].strip()}

    def clear(self) -> None:
        """An empty result, unlocked; the model stays, and so do the earlier results."""
        self.locked.clear()
        self.open(Result())

    def open(self, result: Result) -> None:
        """Bring a result into view."""
        self.results.open(result)
        self._show_result()

    def step(self, by: int) -> bool:
        """Go to an earlier (-1) or a later (1) result; whether there was one."""
        if self.running or not self.results.step(by):
            return False
        self._show_result()
        return True

    def begin(self, prompt: str, *, seed: int = 0, given: Mapping[Band, str] | None = None) -> None:
        """A run begins, with bands that are `given`; it waits when the model is still loading."""
        self._given = dict(given or {})
        self._before = before = self.result
        result = Result(prompt, seed)
        result.draft.texts |= self._given
        result.draft.done |= self._given.keys()
        result.written = {b: before.written[b] for b in self._given if b in before.written}
        self.results.open(result)
        self.writing.clear()
        self.error, self.read = None, None
        self.running = True
        self.phase = Phase.WRITING if self.info else Phase.LOADING
        self._begun = time.monotonic()

    def unload(self) -> None:
        """The model goes, and another one is to come; what is in view stays."""
        self.info, self.error, self.loaded = None, None, 0.0
        self._end(Phase.LOADING)

    def abandon(self) -> None:
        """A run that waited for the model is not wanted any more."""
        self._end(Phase.LOADING)

    def fail(self, error: SincError, draft: Draft | None = None) -> None:
        """Loading or the run failed; what was written stays. A run that wrote nothing leaves the
        result before it in view."""
        self.error = error
        if draft is not None and (self._before is None or any(draft.texts.values())):
            self.result.draft = draft
        self._end(Phase.FAILED)

    def apply(self, event: Event) -> None:
        """Take in one event of the rewriter's stream."""
        from sinc_tui import events

        match event:
            case events.Loading(fraction=fraction):
                self.phase, self.loaded = Phase.LOADING, fraction
            case events.ModelReady(info=info):
                self.info, self.loaded, self.error = info, 1.0, None
                self.phase = Phase.WRITING if self.running else Phase.READY
            case events.Reading(fraction=fraction):
                self.read = fraction
            case events.BandDelta(band=band, text=text):
                self.phase, self.read = Phase.WRITING, None
                self.draft.texts[band] += text
                self.writing.add(band)
            case events.BandDone(band=band, text=text):
                self.draft.texts[band] = text
                self.draft.done.add(band)
                self.writing.discard(band)
            case events.InvariantChanged(verdict=verdict):
                self.verdicts[verdict.id] = verdict
            case events.Finished(document=document, stats=stats):
                self.result.document, self.result.stats = document, stats
                self.result.model = self.info.name if self.info else ""
                self._end(Phase.FINISHED)
            case events.Stopped(draft=draft):
                self.result.draft = draft
                self._end(Phase.STOPPED)
            case events.Failed(error=error, draft=draft):
                self.fail(error, draft)

    def _show_result(self) -> None:
        self.error = None
        self.writing.clear()
        self._begun = self._ended = 0.0
        if self.info:
            self.phase = Phase(self.result.ended or Phase.READY)

    def _end(self, phase: Phase) -> None:
        self.phase = phase
        if self.running:
            self._ended = time.monotonic()
            self._settle(phase)
        self.running = False
        self.writing.clear()

    def _settle(self, phase: Phase) -> None:
        """Keep what the model wrote beside what will become of it."""
        result, before = self.result, self._before
        news = {b: t for b, t in result.draft.texts.items() if t and b not in self._given}
        if not news and before is not None and not before.empty:
            self.results.current = before
            if phase is Phase.STOPPED:
                self.phase = Phase(before.ended or Phase.READY)
            return
        result.written |= news
        result.ended = phase
        if phase is not Phase.FINISHED:
            result.judge()
