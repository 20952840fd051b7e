"""Prompt length against the time to the first character and memory, and what that time is made of.

    python tests/benchmarks/scaling.py [--model FILE] [--rounds 3] [--lengths 10 30 100 ... 4000]

First table: the engine's child process, warm, from the command to the first visible character; each length
with `--rounds` prompts that it has not seen, and each prompt once more, which must not be read again. The
fit is a straight line through the medians. Second table: a 30-token prompt against llama.cpp alone doing
the same in one batch plus two decode steps, with what stands before the prompt in the cache on both sides;
once with the prompt alone, once with the part of the answer that the engine puts in (first opener).
"""

from __future__ import annotations

import argparse
import re
import statistics
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

import llama_cpp
import numpy as np
from common import Worker, default_model, layout_of, machine, memory, table
from limit import Bare

from sinc_tui.engine.layout import Layout
from sinc_tui.engine.llama_runtime import silence
from sinc_tui.engine.llama_vocab import LlamaVocab
from sinc_tui.engine.machine import physical_cores
from sinc_tui.engine.protocol import EngineOptions, SamplerOptions
from sinc_tui.sinc.bands import Band

LENGTHS = (10, 30, 100, 300, 1000, 2000, 4000)
SHORT = 30
_CONTEXT = 8192
_SEQUENTIAL = SamplerOptions(decode="sequential")
_WORDS = re.findall(
    r"\w+",
    "please help with the report about water and light in the old house near the river "
    "where people work every day and write short notes for the team that comes back later",
)


def prompt_of(tokens: int, variant: int, vocab: LlamaVocab) -> str:
    """A prompt of so many tokens; another one for each variant."""
    words = cycle(_WORDS[variant % len(_WORDS) :] + _WORDS[: variant % len(_WORDS)])
    many = list(islice(words, tokens + 8))
    count = next(
        n for n in range(len(many), 0, -1) if len(vocab.encode(" ".join(many[:n]))) <= tokens
    )
    return " ".join(many[:count])


def first_character(
    worker: Worker, vocab: LlamaVocab, lengths: Sequence[int], rounds: int
) -> tuple[list[list[str]], list[float]]:
    """Rows of the first table, and the median seconds for each length."""
    rows, medians = [], []
    for length in lengths:
        fresh, again = [], []
        for variant in range(rounds):
            prompt = prompt_of(length, variant, vocab)
            fresh.append(worker.run(prompt, _SEQUENTIAL, only_first=True).first)
            again.append(worker.run(prompt, _SEQUENTIAL, only_first=True).first)
        medians.append(statistics.median(fresh))
        second = statistics.median(again)
        rows.append(
            [
                f"{length:,}",
                f"{medians[-1] * 1000:.0f}",
                f"{medians[-1] / length * 1000:.2f}",
                f"{second * 1000:.0f}",
                f"{memory(worker.process.pid, 'VmRSS') / 1e6:.0f}",
            ]
        )
    return rows, medians


def line(lengths: Sequence[int], seconds: Sequence[float]) -> str:
    """The straight line through the points and how well it fits."""
    slope, start = np.polyfit(lengths, seconds, 1)
    rest = np.asarray(seconds) - (slope * np.asarray(lengths) + start)
    spread = np.asarray(seconds) - np.mean(seconds)
    fit = 1 - float(rest @ rest) / float(spread @ spread)
    return f"{start * 1000:.0f} ms + {slope * 1000:.3f} ms a token, R² {fit:.4f}"


def short_prompt(
    worker: Worker, vocab: LlamaVocab, layout: Layout, bare: Bare, rounds: int
) -> list[list[str]]:
    """Rows of the second table."""
    scaffold = layout.scaffold
    fixed = [*scaffold.head, *scaffold.openers[Band.PERSONA]]
    opening = len(layout.before)
    seconds: dict[str, list[float]] = {"prompt": [], "prompt and scaffold": [], "engine": []}
    evaluated = {"engine": 0}
    bare.prefill(layout.before)
    for variant in range(rounds + 1):
        prompt = prompt_of(SHORT, variant + 3, vocab)
        own = layout.prompt(vocab, prompt)[opening:]
        for name, tokens in (("prompt", own), ("prompt and scaffold", [*own, *fixed])):
            taken = bare.prefill(tokens, opening) + bare.decode(2)
            evaluated[name] = len(tokens)
            if variant:
                seconds[name].append(taken)
        first = worker.run(prompt, _SEQUENTIAL, only_first=True).first
        evaluated["engine"] = len(own) + len(fixed)
        if variant:
            seconds["engine"].append(first)
    return [
        [
            name,
            f"{evaluated[name]}",
            f"{statistics.median(times) * 1000:.0f}",
            f"{_ratio(seconds['engine'], times):.2f}",
        ]
        for name, times in seconds.items()
    ]


def _ratio(ours: Sequence[float], bare: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(ours, bare, strict=True))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    parser.add_argument("--threads", type=int, default=physical_cores())
    options = parser.parse_args()
    silence()
    model = options.model or default_model()
    engine = EngineOptions(n_ctx=_CONTEXT, n_threads=options.threads)
    vocab = LlamaVocab.from_file(model)
    with Worker(model, engine) as worker:
        worker.run("warm up, please", _SEQUENTIAL, only_first=True)
        rows, seconds = first_character(worker, vocab, options.lengths, options.rounds)
        head = ["prompt tokens", "first character, ms", "ms a token", "again, ms", "memory, MB"]
        print(table(head, rows))
        if len(seconds) > 1:
            print(f"\n{line(options.lengths, seconds)}.\n")
        loaded = llama_cpp.llama_model_load_from_file(
            str(model).encode(), llama_cpp.llama_model_default_params()
        )
        bare = Bare(loaded, options.threads, 2048)
        rows = short_prompt(worker, vocab, layout_of(model, vocab), bare, max(5, options.rounds))
    print(table([f"{SHORT}-token prompt", "tokens in the batch", "ms", "engine over it"], rows))
    print(f"\nMedians of {options.rounds} rounds. {machine(model, options.threads)}.")


if __name__ == "__main__":
    main()
