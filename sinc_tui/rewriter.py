"""The one use case: a raw prompt becomes a stream of events and a document.

Owns the engine's lifetime: starts its child process, loads the model, stops a run, and starts a new
child after a crash. Front ends hold one `Rewriter` and never see the engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress

from sinc_tui import paths
from sinc_tui.engine.client import BEHIND, WORKER, EngineClient, EngineDied
from sinc_tui.engine.protocol import (
    BandEnd,
    Cancel,
    Decompose,
    Delta,
    Done,
    EngineOptions,
    Error,
    Load,
    Measure,
    Measured,
    Message,
    ModelInfo,
    Planned,
    Progress,
    Ready,
    RunStats,
    SamplerOptions,
)
from sinc_tui.engine.protocol import Reading as ReadingMessage
from sinc_tui.engine.protocol import Stopped as StoppedMessage
from sinc_tui.errors import SincError
from sinc_tui.events import (
    BandDelta,
    BandDone,
    Event,
    Failed,
    Finished,
    InvariantChanged,
    Loading,
    ModelReady,
    Reading,
    Stopped,
)
from sinc_tui.models.default import ModelFile, ready_model
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.invariants import Status, Verdict, check
from sinc_tui.sinc.strict_json import HALF_CHARACTER, has_lone_surrogate

__all__ = ["ModelFile", "Rewriter"]

_PREPARING = "preparing the model"
_LOADING = "loading the model"
_GPU_CRASHED = "The engine crashed with the model on the GPU, so the CPU does the work."


class Rewriter:
    """Turns raw prompts into sinc documents, one run at a time."""

    info: ModelInfo | None
    """The loaded model, or None while there is none."""

    def __init__(
        self,
        model: ModelFile | None = None,
        *,
        options: EngineOptions = EngineOptions(),
        worker: Sequence[str] | None = None,
        behind: bool = False,
    ) -> None:
        """`model` None means the default model. `worker` is the child's command line, for tests. `behind`
        lets this process go first where both want a core, for a screen that takes keys."""
        self.info = None
        self._model, self._options = model, options
        self._worker = tuple(worker or (BEHIND if behind else WORKER))
        self._client: EngineClient | None = None
        self._run = 0
        self._running = False
        self._on_gpu = False
        self._starting = asyncio.Lock()

    @property
    def engine_pid(self) -> int | None:
        """Process id of the engine's child, None while there is none."""
        return self._client.pid if self._client is not None else None

    async def start(self) -> AsyncGenerator[Event, None]:
        """Start the child and load the model: `Loading`..., then `ModelReady` or `Failed`.

        Does nothing but yield `ModelReady` when the model is loaded already.
        """
        async with self._starting:
            try:
                async with aclosing(self._started()) as started:
                    async for event in started:
                        yield event
            except SincError as error:
                await self._drop()
                yield Failed(error, Draft())
            except OSError as error:
                await self._drop()
                yield Failed(SincError(f"The engine could not be started: {error}."), Draft())
            except BaseException:
                await self._drop()
                raise

    async def rewrite(
        self,
        prompt: str,
        sampler: SamplerOptions = SamplerOptions(),
        *,
        given: Mapping[Band, str] | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Decompose `prompt`; starts (or restarts) the engine first when it is not running.

        Yields `Loading` and `ModelReady` where the engine had to be started, `BandDelta`, `BandDone`
        and `InvariantChanged` while the bands fill, and one of `Finished`, `Stopped`, `Failed` last.
        """
        if has_lone_surrogate(prompt):
            yield Failed(SincError(HALF_CHARACTER, hint="Send whole characters."), Draft())
            return
        # Students know no other line ends.
        prompt = prompt.replace("\r\n", "\n").replace("\r", "\n")
        failed = False
        async with aclosing(self.start()) as starting:
            async for event in starting:
                yield event
                failed = isinstance(event, Failed)
        if failed:
            return
        given = dict(given or {})
        run = _Run(given)
        self._run += 1
        self._running = True
        try:
            await self._engine().send(
                Decompose(run=self._run, prompt=prompt, sampler=sampler, given=given)
            )
            async for message in self._engine().messages():
                for event in run.take(message):
                    yield event
                if run.over:
                    return
        except SincError as error:
            await self._drop()
            yield Failed(error, run.draft)
        finally:
            self._running = False
            if not run.over:
                await self._drop()  # abandoned in mid-run: the child would go on writing

    async def measure(self) -> float | None:
        """Free tokens per second of the loaded model on this machine; None when stopped before it is known.

        Takes some seconds at most. Raises `SincError` where there is no model, or the engine fails.
        """
        if self._client is None or self.info is None:
            raise SincError("No model is loaded.", hint="Load one first.")
        self._run += 1
        self._running, over = True, False
        try:
            await self._client.send(Measure(run=self._run))
            async for message in self._client.messages():
                over = isinstance(message, Measured | StoppedMessage | Error)
                if isinstance(message, Error):
                    raise _as_error(message)
                if over:
                    break
            return message.tokens_per_second if isinstance(message, Measured) else None
        finally:
            self._running = False
            if not over:
                await self._drop()

    async def stop(self) -> None:
        """Stop the run or the measuring under way, if any; a run's stream ends with `Stopped`."""
        if self._running and self._client is not None:
            with suppress(SincError):  # the run's own stream reports the death
                await self._client.send(Cancel(run=self._run))

    async def close(self) -> None:
        """End the child process. Safe to call twice."""
        client, self._client, self.info = self._client, None, None
        if client is not None:
            await client.close()

    def _engine(self) -> EngineClient:
        assert self._client is not None
        return self._client

    async def _started(self) -> AsyncGenerator[Event, None]:
        if self._client is not None and self._client.alive and self.info is not None:
            yield ModelReady(self.info)
            return
        await self._drop()
        model: ModelFile | None = None
        async with aclosing(ready_model(self._model)) as steps:
            async for step in steps:
                if isinstance(step, ModelFile):
                    model = step
                else:
                    yield Loading(_PREPARING, step)
        assert model is not None
        self._on_gpu = False
        try:
            async with aclosing(self._loaded(model)) as events:
                async for event in events:
                    yield event
        except EngineDied:
            if not self._on_gpu:
                raise
            await self._drop()
            self._options = self._options.model_copy(update={"n_gpu_layers": 0})
            async with aclosing(self._loaded(model, [_GPU_CRASHED])) as events:
                async for event in events:
                    yield event

    async def _loaded(
        self, model: ModelFile, notes: Sequence[str] = ()
    ) -> AsyncGenerator[Event, None]:
        """Start a child and load the model in it; `notes` are added to what is known of it."""
        yield Loading(_LOADING, 0.0)
        self._client = await EngineClient.start(paths.engine_log(), self._worker)
        adapter = str(model.adapter) if model.adapter else None
        await self._client.send(
            Load(path=str(model.path), name=model.name, adapter=adapter, options=self._options)
        )
        async for message in self._client.messages():
            if isinstance(message, Progress):
                yield Loading(_LOADING, message.fraction)
            elif isinstance(message, Planned):
                self._on_gpu = message.n_gpu_layers != 0
            elif isinstance(message, Ready):
                known = [*message.info.notes, *model.notes, *notes]
                self.info = message.info.model_copy(update={"notes": known})
                yield ModelReady(self.info)
                return
            elif isinstance(message, Error):
                raise _as_error(message)

    async def _drop(self) -> None:
        """Forget the child, by force."""
        client, self._client, self.info = self._client, None, None
        if client is not None:
            client.kill()
            await client.close()


def _as_error(message: Error) -> SincError:
    log = f" The engine's log is {paths.engine_log()}." if message.logged else ""
    hint = (message.hint + log).strip()
    return SincError(message.message, hint=hint, retryable=message.retryable)


class _Run:
    """What is known of a run: its draft, its verdicts, whether it is over."""

    def __init__(self, given: Mapping[Band, str]) -> None:
        self.draft = Draft()
        self.draft.texts.update(given)
        self.draft.done.update(given)
        self.over = False
        self._verdicts: dict[str, Verdict] = {}

    def take(self, message: Message) -> list[Event]:
        """The events that a message stands for."""
        match message:
            case ReadingMessage(fraction=fraction):
                return [Reading(fraction)]
            case Delta(band=band, text=text):
                self.draft.texts[band] += text
                return [BandDelta(band, text), *self._changes()]
            case BandEnd(band=band, text=text):
                self.draft.texts[band] = text
                self.draft.done.add(band)
                return [BandDone(band, text), *self._changes()]
            case Done(stats=stats):
                self.over = True
                return [*self._changes(), self._result(stats)]
            case StoppedMessage():
                self.over = True
                return [Stopped(self.draft)]
            case Error():
                self.over = True
                return [Failed(_as_error(message), self.draft)]
        return []

    def _changes(self) -> list[Event]:
        changed = [v for v in check(self.draft) if self._verdicts.get(v.id) != v]
        self._verdicts |= {v.id: v for v in changed}
        return [InvariantChanged(verdict) for verdict in changed]

    def _result(self, stats: RunStats) -> Event:
        broken = [v.reason for v in self._verdicts.values() if v.status is not Status.PASS]
        if broken:
            error = SincError("The result is not valid: " + " ".join(broken), retryable=True)
            return Failed(error, self.draft)
        return Finished(SincDocument.from_bands(self.draft.texts), stats)
