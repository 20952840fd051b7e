"""What the screen shows, and the one place where an event changes it.

Imports nothing heavy, so that the first paint does not wait for the models of the wire protocol.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.draft import Draft

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
        loaded: how much of the model is loaded, 0.0 to 1.0.
        info: the loaded model; None until there is one.
        prompt: the raw prompt of the run.
        draft: the bands as far as they are written; kept when a run stops or fails.
        writing: the bands that get text at this moment.
        verdicts: the newest verdict of each invariant, by id.
        document: the result; None unless the run finished.
        stats: figures of the finished run.
        error: why loading or the run failed; kept until the next run begins.
    """

    phase: Phase = Phase.LOADING
    running: bool = False
    loaded: float = 0.0
    info: ModelInfo | None = None
    prompt: str = ""
    draft: Draft = field(default_factory=Draft)
    writing: set[Band] = field(default_factory=set)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    document: SincDocument | None = None
    stats: RunStats | None = None
    error: SincError | None = None
    _begun: float = 0.0
    _ended: float = 0.0

    @property
    def seconds(self) -> float:
        """How long the run takes or took; 0 when there was none."""
        end = time.monotonic() if self.running else self._ended
        return end - self._begun

    @property
    def empty(self) -> bool:
        """Whether no band holds any text."""
        return not any(self.draft.texts.values())

    def clear(self) -> None:
        """Forget the last run; the model stays."""
        self.phase = Phase.READY if self.info else self.phase
        self.prompt = ""
        self._forget()

    def begin(self, prompt: str) -> None:
        """A run begins; it waits when the model is still loading."""
        self.prompt = prompt
        self._forget()
        self.running = True
        self.phase = Phase.WRITING if self.info else Phase.LOADING
        self._begun = time.monotonic()

    def abandon(self) -> None:
        """A run that waited for the model is not wanted any more."""
        self._end(Phase.LOADING)

    def fail(self, error: SincError, draft: Draft | None = None) -> None:
        """Loading or the run failed; what was written stays."""
        self.error = error
        self.draft = draft or self.draft
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
            case events.BandDelta(band=band, text=text):
                self.phase = Phase.WRITING
                self.draft.texts[band] += text
                self.writing.add(band)
            case events.BandDone(band=band, text=text):
                self.draft.texts[band] = text
                self.draft.done.add(band)
                self.writing.discard(band)
            case events.InvariantChanged(verdict=verdict):
                self.verdicts[verdict.id] = verdict
            case events.Finished(document=document, stats=stats):
                self.document, self.stats = document, stats
                self._end(Phase.FINISHED)
            case events.Stopped(draft=draft):
                self.draft = draft
                self._end(Phase.STOPPED)
            case events.Failed(error=error, draft=draft):
                self.fail(error, draft)

    def _forget(self) -> None:
        self.draft, self.verdicts, self.writing = Draft(), {}, set()
        self.document = self.stats = self.error = None
        self._begun = self._ended = 0.0

    def _end(self, phase: Phase) -> None:
        self.phase = phase
        if self.running:
            self._ended = time.monotonic()
        self.running = False
        self.writing.clear()
