"""The one use case: a raw prompt becomes a stream of events and a document.

Owns the engine's lifetime: starts its child process, loads the model, stops a run, and starts a new
child after a crash. Front ends hold one `Rewriter` and never see the engine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sinc_tui.engine.protocol import EngineOptions, ModelInfo, SamplerOptions
from sinc_tui.events import Event
from sinc_tui.sinc.bands import Band


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model on disk: its file and the name that is shown."""

    path: Path
    name: str


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
    ) -> None:
        """`model` None means the default model. `worker` is the child's command line, for tests."""
        raise NotImplementedError

    def start(self) -> AsyncIterator[Event]:
        """Start the child and load the model: `Loading`..., then `ModelReady` or `Failed`.

        Does nothing but yield `ModelReady` when the model is loaded already.
        """
        raise NotImplementedError

    def rewrite(
        self,
        prompt: str,
        sampler: SamplerOptions = SamplerOptions(),
        *,
        given: Mapping[Band, str] | None = None,
    ) -> AsyncIterator[Event]:
        """Decompose `prompt`; starts (or restarts) the engine first when it is not running.

        Yields `Loading`/`ModelReady` where the engine had to be started, `BandDelta`, `BandDone` and
        `InvariantChanged` while the bands fill, and one of `Finished`, `Stopped`, `Failed` at the end.
        """
        raise NotImplementedError

    async def stop(self) -> None:
        """Stop the run under way, if any; its stream ends with `Stopped`."""
        raise NotImplementedError

    async def close(self) -> None:
        """End the child process. Safe to call twice."""
        raise NotImplementedError
