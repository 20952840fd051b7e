"""How near the decoder comes to a bare loop of `llama_decode`, both measured in one run.

    python tests/benchmarks/limit.py [--model FILE] [--rounds 5]

Bare: llama.cpp's default context, one token a step, numpy's argmax, nothing else, from the same prompt on
and as many tokens as the sequential run took. Two figures for the decoder: the steps in which free tokens
are written (sampling, checks, masks and messages included), and the whole run, which also evaluates the
prompt and the scaffold. In parallel order one token rides in the batch of the other bands' openers, and its
time counts for the scaffold: half a percent in our favour. All take turns; medians. Also for a Q4_0 file of
the same student, made in a temporary folder (`tiny` only).
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import llama_cpp
import numpy as np
from common import default_model, layout_of, machine, prompts, table

from sinc_tui.engine.decoder import Decoder
from sinc_tui.engine.job import Request
from sinc_tui.engine.llama_runtime import LlamaRuntime, silence
from sinc_tui.engine.llama_vocab import LlamaVocab
from sinc_tui.engine.machine import physical_cores
from sinc_tui.engine.protocol import (
    BandEnd,
    DecodeMode,
    Delta,
    EngineOptions,
    SamplerOptions,
    Wire,
    encode,
)
from sinc_tui.engine.runtime import Run
from sinc_tui.engine.sampler import Logits
from sinc_tui.engine.vocabulary import Vocabulary
from sinc_tui.models.default import shipped_student
from sinc_tui.models.merging import merge
from sinc_tui.sinc.bands import Band

MODES: tuple[DecodeMode, ...] = ("sequential", "parallel")
_WARM_UP = "warm up, please"


class Bare:
    """A context of its own, and the plainest loop over it."""

    def __init__(self, model: object, threads: int, context: int) -> None:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = context
        params.n_threads = params.n_threads_batch = threads
        self._context = llama_cpp.llama_init_from_model(model, params)
        self._memory = llama_cpp.llama_get_memory(self._context)
        vocab = llama_cpp.llama_model_get_vocab(model)
        self._width = llama_cpp.llama_vocab_n_tokens(vocab)

    def prefill(self, tokens: Sequence[int], start: int = 0) -> float:
        """Evaluate tokens as one batch from a position on; seconds."""
        llama_cpp.llama_memory_seq_rm(self._memory, 0, start, -1)
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        began = time.perf_counter()
        llama_cpp.llama_decode(self._context, llama_cpp.llama_batch_get_one(array, len(tokens)))
        self._choice()
        return time.perf_counter() - began

    def decode(self, count: int) -> float:
        """Greedy steps of one token, end tokens ignored; seconds."""
        array = (llama_cpp.llama_token * 1)(self._choice())
        batch = llama_cpp.llama_batch_get_one(array, 1)
        began = time.perf_counter()
        for _ in range(count):
            llama_cpp.llama_decode(self._context, batch)
            array[0] = self._choice()
        return time.perf_counter() - began

    def _choice(self) -> int:
        pointer = llama_cpp.llama_get_logits_ith(self._context, -1)
        return int(np.ctypeslib.as_array(pointer, shape=(self._width,)).argmax())


class Timed(LlamaRuntime):
    """The engine's runtime; adds up what batches that hold scaffold or prompt take."""

    fixed = 0.0

    def evaluate(self, runs: Sequence[Run], *, logits: bool = True) -> list[Logits]:
        began = time.perf_counter()
        rows = super().evaluate(runs, logits=logits)
        if any(len(run.tokens) > run.wanted for run in runs):
            self.fixed += time.perf_counter() - began
        return rows


class Pipe:
    """Encodes and writes every message, as the engine's child process does."""

    def __init__(self) -> None:
        self._file = open(os.devnull, "wb", buffering=0)  # noqa: SIM115

    def delta(self, band: Band, text: str) -> None:
        self._send(Delta(run=1, band=band, text=text))

    def band_end(self, band: Band, text: str) -> None:
        self._send(BandEnd(run=1, band=band, text=text))

    def _send(self, message: Wire) -> None:
        self._file.write(encode(message))


@dataclass
class Figures:
    """Free tokens a second of one round.

    Attributes:
        steps: over the steps that write free tokens; `whole`: over the whole run.
    """

    steps: float
    whole: float


class Bench:
    """The decoder and the bare loop over one loaded model."""

    def __init__(self, path: Path, threads: int, context: int) -> None:
        self._runtime = Timed(path, EngineOptions(n_ctx=context, n_threads=threads))
        vocab = LlamaVocab(self._runtime.model)
        layout = layout_of(path, vocab)
        self._decoder = Decoder(self._runtime, vocab, Vocabulary(vocab.pieces()), layout)
        self._bare = Bare(self._runtime.model, threads, context)
        self._pipe = Pipe()
        self._tokens: Callable[[str], list[int]] = lambda raw: layout.prompt(vocab, raw)
        for mode in MODES:
            self.ours(_WARM_UP, mode)
        self.bare(_WARM_UP, 50)

    def ours(self, prompt: str, mode: DecodeMode) -> tuple[Figures, int]:
        """One run of the decoder, and its free tokens."""
        self._runtime.fixed = 0.0
        began = time.perf_counter()
        request = Request(prompt, SamplerOptions(decode=mode))
        _, stats = self._decoder.decompose(request, self._pipe)
        seconds = time.perf_counter() - began
        count = stats.free_tokens
        return Figures(count / (seconds - self._runtime.fixed), count / seconds), count

    def bare(self, prompt: str, count: int) -> float:
        """Tokens a second of the bare loop."""
        self._bare.prefill(self._tokens(prompt))
        return count / self._bare.decode(count)


def measure(path: Path, threads: int, context: int, rounds: int) -> list[list[str]]:
    """Rows of the table for one file."""
    bench = Bench(path, threads, context)
    found: dict[str, list[Figures]] = {mode: [] for mode in MODES}
    bare: list[float] = []
    for prompt in prompts(rounds):
        count = 0
        for mode in MODES:
            figures, free = bench.ours(prompt, mode)
            found[mode].append(figures)
            count = count or free
        bare.append(bench.bare(prompt, count))
    rows = [[path.stem, "bare loop", f"{statistics.median(bare):.0f}", "1.00", "", ""]]
    for mode, all_figures in found.items():
        steps, whole = [f.steps for f in all_figures], [f.whole for f in all_figures]
        rows.append(
            [path.stem, mode, *_with_ratio(steps, bare), *_with_ratio(whole, bare)],
        )
    return rows


def _with_ratio(figures: list[float], bare: list[float]) -> tuple[str, str]:
    ratio = statistics.median(a / b for a, b in zip(figures, bare, strict=True))
    return f"{statistics.median(figures):.0f}", f"{ratio:.2f}"


def rounded(folder: Path) -> Path:
    """The shipped student with its changed layers in Q4_0."""
    student = shipped_student()
    path = folder / "tiny-Q4_0.gguf"
    merge(student.base, student.adapter, path, quantization="Q4_0")
    return path


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path, help="measure this file alone")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=physical_cores())
    parser.add_argument("--context", type=int, default=2048)
    options = parser.parse_args()
    silence()
    model = options.model or default_model()
    with tempfile.TemporaryDirectory() as folder:
        files = [model] if options.model else [model, rounded(Path(folder))]
        rows = [
            row
            for file in files
            for row in measure(file, options.threads, options.context, options.rounds)
        ]
    print(
        table(
            [
                "file",
                "",
                "steps, free tokens/s",
                "over bare",
                "whole run, free tokens/s",
                "over bare",
            ],
            rows,
        )
    )
    print(f"\nMedians of {options.rounds} rounds. {machine(model, options.threads)}.")


if __name__ == "__main__":
    main()
