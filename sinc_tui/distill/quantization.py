"""What rounding costs a student: loss on dev examples, bytes and speed, a row a quantization."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sinc_tui.distill.dataset import Example
from sinc_tui.distill.packing import Packer
from sinc_tui.engine.llama_quantize import quantize
from sinc_tui.engine.llama_runtime import LlamaRuntime, silence
from sinc_tui.engine.protocol import EngineOptions
from sinc_tui.engine.runtime import Run

KINDS: tuple[tuple[str, str | None], ...] = (
    ("F16", None),
    ("Q8_0", None),
    ("Q4_K_M", None),
    ("IQ4_NL", "Q8_0"),
    ("IQ4_NL", "IQ4_NL"),
    ("Q4_0", "Q8_0"),
    ("Q4_0", "Q4_0"),
)
"""Quantization, and the type of the tied head; None: as llama.cpp chooses. No Q6_K head: it needs rows
divisible by 256, and SmolLM2's have 576."""


@dataclass(frozen=True, slots=True)
class Row:
    """One quantization: loss in nats a token in sequential order, size, and single-token steps."""

    name: str
    loss: float
    bytes: int
    tokens_per_second: float


def compare(
    merged: Path, packer: Packer, examples: Sequence[Example], folder: Path
) -> Iterator[Row]:
    """Quantize `merged` (F16) each way into `folder` and measure it there."""
    silence()
    for kind, head in KINDS:
        name = kind if head is None else f"{kind}, {head} head"
        path = folder / f"{name.replace(', ', '-').replace(' ', '-')}.gguf"
        quantize(merged, path, kind, head=head)
        yield measure(name, path, packer, examples)


def measure(name: str, path: Path, packer: Packer, examples: Sequence[Example]) -> Row:
    """Loss over what the student writes, token by token as it would, and the speed of doing so."""
    runtime = LlamaRuntime(path, EngineOptions(n_ctx=2048, flash_attention=False))
    loss = seconds = 0.0
    count = 0
    for example in examples:
        sequence = packer.pack(example, "sequential")
        runtime.forget(0, 0)
        start = 0
        for i, weight in enumerate(sequence.weights):
            if weight != 1.0:
                continue
            began = time.perf_counter()
            (row,) = runtime.evaluate([Run(0, start, sequence.tokens[start:i])])
            if i - start == 1:
                seconds += time.perf_counter() - began
                count += 1
            loss += float(np.logaddexp.reduce(row.astype(np.float64)) - row[sequence.tokens[i]])
            start = i
    written = sum(w == 1.0 for e in examples for w in packer.pack(e, "sequential").weights)
    return Row(name, loss / written, path.stat().st_size, count / seconds)


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""
    head = ["| quantization | dev loss | bytes | tokens/s |", "|---|---|---|---|"]
    cells = ((r.name, f"{r.loss:.3f}", f"{r.bytes:,}", f"{r.tokens_per_second:.0f}") for r in rows)
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in cells)])
