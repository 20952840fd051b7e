"""An engine in the app's own process, whose every event the test hands out itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

from sinc_tui import events
from sinc_tui.engine.protocol import ModelInfo, RunStats, SamplerOptions
from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.sinc.draft import Draft

INFO = ModelInfo(
    name="test-model",
    trained=False,
    backend="CPU",
    n_ctx=2048,
    n_threads=2,
    n_gpu_layers=0,
    layout="fake",
)
STATS = RunStats(prompt_tokens=4, free_tokens=222, seconds=2.0, seconds_to_first=0.1)


class FakeEngine:
    """Implements what the screen needs of a rewriter.

    Attributes:
        info: the model that is loaded; `fails`: why it is not.
        may_load: cleared, loading stays at 40% until it is set.
        prompts: every prompt that a run was begun with; `seeds` and `given` belong to them.
        speed: what measuring gives, or raises; while it is None, it waits for a stop.
        stops: how often a stop was asked for.
        closed: whether the engine was closed.
    """

    def __init__(self, *, loads: bool = True, info: ModelInfo = INFO) -> None:
        self.info = info
        self.fails: SincError | None = None
        self.speed: float | SincError | None = 137.0
        self.measured = 0
        self.may_load = asyncio.Event()
        self._stop_measuring = asyncio.Event()
        if loads:
            self.may_load.set()
        self.prompts: list[str] = []
        self.seeds: list[int] = []
        self.given: list[dict[Band, str]] = []
        self.stops = 0
        self.closed = False
        self._events: asyncio.Queue[events.Event | Exception] = asyncio.Queue()
        self._draft = Draft()
        self._running = False

    async def start(self) -> AsyncIterator[events.Event]:
        """Load; waits at 40% while it may not."""
        yield events.Loading("test-model", 0.4)
        await self.may_load.wait()
        if self.fails is not None:
            yield events.Failed(self.fails, Draft())
            return
        yield events.ModelReady(self.info)

    async def measure(self) -> float | None:
        """What the test says."""
        self.measured += 1
        if isinstance(self.speed, SincError):
            raise self.speed
        if self.speed is None:
            await self._stop_measuring.wait()
        return self.speed

    async def rewrite(
        self,
        prompt: str,
        sampler: SamplerOptions = SamplerOptions(),
        *,
        given: Mapping[Band, str] | None = None,
    ) -> AsyncIterator[events.Event]:
        """Yield what the test says until a last event of a stream."""
        self.prompts.append(prompt)
        self.seeds.append(sampler.seed)
        self.given.append(dict(given or {}))
        self._draft = Draft(dict.fromkeys(Band, "") | self.given[-1], set(self.given[-1]))
        self._running = True
        while self._running:
            event = await self._events.get()
            if isinstance(event, Exception):
                self._running = False
                raise event
            self._running = not isinstance(event, events.Finished | events.Stopped | events.Failed)
            yield event

    async def stop(self) -> None:
        """End the stream under way with `Stopped`, as the rewriter does."""
        self.stops += 1
        self._stop_measuring.set()
        if self._running:
            self.say(events.Stopped(self._draft))

    async def close(self) -> None:
        """Remember it."""
        self.closed = True

    def say(self, *what: events.Event | Exception) -> None:
        """Put events into the stream; an exception is raised out of it."""
        for event in what:
            self._events.put_nowait(event)

    def write(self, texts: Mapping[Band, str], *, unfinished: Band | None = None) -> None:
        """Write bands in one delta each, and end each but the unfinished one."""
        for band, text in texts.items():
            self.say(events.BandDelta(band, text))
            self._draft.texts[band] = text
            if band is not unfinished:
                self.say(events.BandDone(band, text))
                self._draft.done.add(band)

    def finish(self, document: SincDocument, stats: RunStats = STATS) -> None:
        """End the run well."""
        self.say(events.Finished(document, stats))
