"""The screen's side of the rewriter: one run at a time, every event and error into the state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from sinc_tui.tui.state import Phase, RunState

if TYPE_CHECKING:
    from sinc_tui.engine.protocol import SamplerOptions
    from sinc_tui.errors import SincError
    from sinc_tui.events import Event
    from sinc_tui.sinc.bands import Band


class Engine(Protocol):
    """The part of `Rewriter` that the screen uses."""

    def start(self) -> AsyncIterator[Event]:
        """Load the model."""

    def rewrite(
        self, prompt: str, sampler: SamplerOptions, *, given: Mapping[Band, str] | None
    ) -> AsyncIterator[Event]:
        """Write the bands of `prompt` that are not `given`."""

    async def measure(self) -> float | None:
        """Free tokens per second; None when it was stopped."""

    async def stop(self) -> None:
        """Stop the run under way."""

    async def close(self) -> None:
        """End the engine."""


class Session:
    """Feeds `state` from an engine, and says when it changed."""

    def __init__(self, connect: Callable[[], Engine], changed: Callable[[], None]) -> None:
        """`connect` makes the engine; it is called late, because that imports heavy modules."""
        self.state = RunState()
        self.sampler: SamplerOptions | None = None
        """How runs choose their tokens, None for the defaults; a variation adds to its seed."""
        self._connect = connect
        self._changed = changed
        self._engine: Engine | None = None
        self._turn = asyncio.Lock()
        self._wanted = 0

    async def load(self) -> None:
        """Load the model, so that the first run need not wait for it."""
        async with self._turn:
            await self._consume(lambda engine: engine.start(), lambda: True)

    async def run(
        self, prompt: str, *, seed: int = 0, given: Mapping[Band, str] | None = None
    ) -> None:
        """Decompose `prompt`, keeping the `given` bands; stops the run under way.

        Of several that wait, the last one runs.
        """
        self._wanted += 1
        wanted = self._wanted
        await self._stop_engine()
        if self.state.info is None:
            self.state.begin(prompt, seed=seed, given=given)
            self._changed()
        async with self._turn:
            if wanted == self._wanted:
                if not self.state.running:
                    self.state.begin(prompt, seed=seed, given=given)
                    self._changed()
                sampler = self._sampler(seed)
                await self._consume(
                    lambda engine: engine.rewrite(prompt, sampler, given=given),
                    lambda: wanted == self._wanted,
                )

    async def switch(self, connect: Callable[[], Engine]) -> SincError | None:
        """Load another model in place of this one; prompt and results stay.

        Where that fails, the model before is loaded again, and the reason is returned.
        """
        await self.stop()
        async with self._turn:
            before = self._connect if self.state.info is not None else None
            await self._reconnect(connect)
            error = self.state.error
            if error is not None and before is not None:
                await self._reconnect(before)
        return error

    async def measure(self) -> float | None:
        """Free tokens per second of the loaded model; None while there is none, or when a run came first.

        Raises `SincError`.
        """
        async with self._turn:
            if self._engine is None or self.state.info is None:
                return None
            return await self._engine.measure()

    async def stop(self) -> None:
        """Stop the run under way and keep what it wrote; drop a run that waits."""
        self._wanted += 1
        if self.state.running and self.state.phase is Phase.LOADING:
            self.state.abandon()
            self._changed()
        await self._stop_engine()

    async def clear(self) -> None:
        """Stop, then forget the bands."""
        await self.stop()
        async with self._turn:
            self.state.clear()
            self._changed()

    async def close(self) -> None:
        """End the engine."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.close()

    def _sampler(self, seed: int) -> SamplerOptions:
        from sinc_tui.engine.protocol import SamplerOptions

        options = self.sampler or SamplerOptions()
        return options.model_copy(update={"seed": options.seed + seed})

    async def _reconnect(self, connect: Callable[[], Engine]) -> None:
        await self.close()
        self._connect = connect
        self.state.unload()
        self._changed()
        await self._consume(lambda engine: engine.start(), lambda: True)

    async def _stop_engine(self) -> None:
        if self._engine is not None:
            await self._engine.stop()

    async def _consume(
        self, stream: Callable[[Engine], AsyncIterator[Event]], wanted: Callable[[], bool]
    ) -> None:
        """Apply a stream to the state; whatever is raised on the way is shown, not lost.

        A run that is not wanted any more is stopped again at its first event: while the engine still
        started, there was no run to stop.
        """
        from sinc_tui.errors import SincError

        try:
            if self._engine is None:
                self._engine = self._connect()
            async for event in stream(self._engine):
                self.state.apply(event)
                self._changed()
                if not wanted():
                    await self._stop_engine()
        except SincError as error:
            self.state.fail(error)
        except Exception as error:
            self.state.fail(
                SincError(
                    f"The run broke off: {type(error).__name__}: {error}",
                    hint="This is a bug in sinc-tui; run again to start a new engine.",
                    retryable=True,
                )
            )
        self._changed()
