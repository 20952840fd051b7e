"""The engine as its child process offers it: load a model, decompose prompts, hand out messages."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

from sinc_tui.engine import layout as layouts
from sinc_tui.engine.decoder import Decoder
from sinc_tui.engine.job import Request
from sinc_tui.engine.llama_runtime import LlamaRuntime
from sinc_tui.engine.llama_vocab import LlamaVocab
from sinc_tui.engine.plan import EnginePlan
from sinc_tui.engine.protocol import (
    BandEnd,
    Decompose,
    Delta,
    Done,
    EngineOptions,
    Error,
    Load,
    Measure,
    Measured,
    ModelInfo,
    Planned,
    Progress,
    Reading,
    Ready,
    Stopped,
    Wire,
)
from sinc_tui.engine.runtime import Cancelled, RuntimeFailure
from sinc_tui.engine.speed import measure
from sinc_tui.engine.untrained import layout_of_untrained
from sinc_tui.engine.vocabulary import Vocabulary
from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band


class Service:
    """Answers commands with messages; `send` takes them one by one."""

    def __init__(self, send: Callable[[Wire], None]) -> None:
        self._send = send
        self._decoder: Decoder | None = None
        self._cancelled_runs: set[int] = set()
        self._lock = threading.Lock()
        self._current: int | None = None
        self._sender: _Sender | None = None

    def cancel(self, run: int) -> None:
        """Stop a run at the next token; called from another thread than the rest."""
        with self._lock:
            self._cancelled_runs.add(run)

    def load(self, command: Load) -> None:
        """Load a model and make it ready."""
        self._decoder = None
        try:
            self._decoder, info = self._loaded(command)
        except SincError as error:
            self._send(_error(None, error))
            return
        print(f"{info.name}: {info.settings}", *info.notes, sep="\n", file=sys.stderr, flush=True)
        self._send(Ready(info=info))

    def decompose(self, command: Decompose) -> None:
        """Run a prompt; ends in `Done`, `Stopped` or `Error`."""
        run = command.run

        def write(decoder: Decoder) -> Wire:
            request = Request(command.prompt, command.sampler, command.given)
            self._sender = _Sender(run, self._send)
            _, stats = decoder.decompose(request, self._sender, self._stopped)
            return Done(run=run, stats=stats)

        self._answer(run, write)

    def measure(self, command: Measure) -> None:
        """See how fast the model writes; ends in `Measured`, `Stopped` or `Error`."""
        run = command.run
        self._answer(
            run,
            lambda decoder: Measured(run=run, tokens_per_second=measure(decoder, self._stopped)),
        )

    def _answer(self, run: int, work: Callable[[Decoder], Wire]) -> None:
        """Send what comes of a run, be it its stop or its failure."""
        self._current = run
        try:
            if self._decoder is None:
                raise SincError("No model is loaded.", hint="Load one first.")
            self._send(work(self._decoder))
        except Cancelled:
            self._send(Stopped(run=run))
        except SincError as error:
            self._send(_error(run, error))
        finally:
            self._current = self._sender = None

    def _stopped(self) -> bool:
        with self._lock:
            return self._current in self._cancelled_runs

    def _loaded(self, command: Load) -> tuple[Decoder, ModelInfo]:
        return open_decoder(
            Path(command.path),
            command.options,
            name=command.name,
            adapter=Path(command.adapter) if command.adapter else None,
            progress=lambda fraction: self._send(Progress(fraction=fraction)),
            cancelled=self._stopped,
            planned=self._planned,
            reading=self._reading,
        )

    def _reading(self, fraction: float) -> None:
        """Of a run's prompt; what a model reads while it is loaded or measured is nobody's."""
        if self._sender is not None:
            self._sender.reading(fraction)

    def _planned(self, plan: EnginePlan) -> None:
        """Into the log and to the app, before the attempt."""
        print(f"trying: {plan.in_words}", file=sys.stderr, flush=True)
        self._send(Planned(settings=plan.in_words, n_gpu_layers=plan.n_gpu_layers))


def open_decoder(
    path: Path,
    options: EngineOptions = EngineOptions(),
    *,
    name: str = "",
    adapter: Path | None = None,
    progress: Callable[[float], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    planned: Callable[[EnginePlan], None] = lambda _: None,
    reading: Callable[[float], None] = lambda _: None,
) -> tuple[Decoder, ModelInfo]:
    """Load a model and warm it up; raises `SincError` for what cannot be loaded."""
    runtime = LlamaRuntime(
        path,
        options,
        adapter=adapter,
        progress=progress,
        cancelled=cancelled,
        planned=planned,
        reading=reading,
    )
    vocab = LlamaVocab(runtime.model)
    own = layouts.TRAINED.get(runtime.metadata(layouts.LAYOUT_KEY) or "")
    layout = own(vocab) if own else layout_of_untrained(runtime, vocab)
    decoder = Decoder(runtime, vocab, Vocabulary(vocab.pieces()), layout)
    decoder.warm_up()
    plan = runtime.plan
    return decoder, ModelInfo(
        name=name or path.stem,
        trained=own is not None,
        backend=plan.backend,
        n_ctx=plan.n_ctx,
        n_threads=plan.n_threads,
        n_gpu_layers=plan.n_gpu_layers,
        layout=layout.name,
        size=runtime.size,
        settings=plan.in_words,
        notes=list(plan.notes),
    )


class _Sender:
    """Turns what the decoder says into messages of one run (`engine.job.Listener`)."""

    def __init__(self, run: int, send: Callable[[Wire], None]) -> None:
        self._run, self._send = run, send
        self._writes = False

    def reading(self, fraction: float) -> None:
        """So much of the prompt is read; what is read between bands is not told."""
        if not self._writes:
            self._send(Reading(run=self._run, fraction=fraction))

    def delta(self, band: Band, text: str) -> None:
        self._writes = True
        self._send(Delta(run=self._run, band=band, text=text))

    def band_end(self, band: Band, text: str) -> None:
        self._send(BandEnd(run=self._run, band=band, text=text))


def _error(run: int | None, error: SincError) -> Error:
    return Error(
        run=run,
        message=error.message,
        hint=error.hint,
        retryable=error.retryable,
        logged=isinstance(error, RuntimeFailure),
    )
