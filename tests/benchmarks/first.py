"""The first visible character of a warm engine over the least that llama.cpp needs for it.

    python tests/benchmarks/first.py [--model FILE] [--rounds 11]

Five prompts of about 30 tokens, `--rounds` times in turn, so that no prompt is still in the cache. For each,
one after the other:

- bare: llama.cpp's default context with the layout's opening in its cache. One batch of all tokens between
  that and the first free one (the prompt, the end of the layout, the scaffold up to PERSONA's opening
  quote), then two steps of one token.
- runtime: the same through the engine's own runtime in this process, in the context that the engine makes
  (8,192 tokens, seven sequences, keys in bfloat16): what the engine's settings cost.
- sequential, parallel: the engine's child process through its client, from sending the request until the
  first delta with a visible character. The run is stopped then, and the time until it has stopped is not
  counted. A parallel run reads the opener of its first band in a batch of its own.

The ratios are medians of the ratios to the bare time just before. Exits with 1 when either order is above
`LIMIT`.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import llama_cpp
from common import default_model, layout_of, machine, table
from limit import Bare

from sinc_tui.engine.client import EngineClient
from sinc_tui.engine.llama_runtime import LlamaRuntime, silence
from sinc_tui.engine.llama_vocab import LlamaVocab
from sinc_tui.engine.machine import physical_cores
from sinc_tui.engine.protocol import (
    Cancel,
    DecodeMode,
    Decompose,
    Delta,
    Done,
    EngineOptions,
    Error,
    Load,
    Ready,
    SamplerOptions,
    Stopped,
)
from sinc_tui.engine.runtime import Run
from sinc_tui.sinc.bands import Band

LIMIT = 1.3
_STEPS = 2
_CONTEXT = 2048
_PROMPTS = (
    "bought a used bike from a private seller 5 days ago, the gearbox is dying. the contract says sold as seen",
    "wifi extender or mesh for a 2 floor house with concrete walls, 250 mbit, dead spot in the bedroom",
    "write a short thank you note to my neighbour who watered our 14 plants while we were in spain for 2 weeks",
    "my python script reads a csv with 3 header rows and fails on the second one, how do I skip them all",
    "plan a birthday party for a 6 year old, 8 kids, small flat, rain, 60 euros, one child has a nut allergy",
)


class Engine:
    """The engine's child process behind its client."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self._run = 0

    @classmethod
    async def start(cls, model: Path, options: EngineOptions, log: Path) -> Engine:
        """A child with the model loaded."""
        client = await EngineClient.start(log)
        await client.send(Load(path=str(model), name=model.stem, options=options))
        async for message in client.messages():
            if isinstance(message, Error):
                sys.exit(message.message)
            if isinstance(message, Ready):
                break
        return cls(client)

    async def first(self, prompt: str, mode: DecodeMode) -> float:
        """Seconds to the first visible character."""
        self._run += 1
        seconds = 0.0
        began = time.perf_counter()
        sampler = SamplerOptions(decode=mode)
        await self._client.send(Decompose(run=self._run, prompt=prompt, sampler=sampler))
        async for message in self._client.messages():
            if isinstance(message, Delta) and not seconds and message.text.strip():
                seconds = time.perf_counter() - began
                await self._client.send(Cancel(run=self._run))
            if isinstance(message, Done | Stopped):
                break
        return seconds

    async def close(self) -> None:
        """End the child."""
        await self._client.close()


class Least:
    """The tokens that have to be evaluated, bare and through the engine's runtime."""

    def __init__(self, model: Path, threads: int) -> None:
        self._runtime = LlamaRuntime(model, EngineOptions(n_threads=threads, n_gpu_layers=0))
        self._vocab = LlamaVocab(self._runtime.model)
        self._layout = layout_of(model, self._vocab)
        scaffold = self._layout.scaffold
        self._fixed = [*scaffold.head, *scaffold.openers[Band.PERSONA]]
        self._opening = list(self._layout.before)
        params = llama_cpp.llama_model_default_params()
        self._model = llama_cpp.llama_model_load_from_file(str(model).encode(), params)
        self._bare = Bare(self._model, threads, _CONTEXT)
        self._bare.prefill(self._opening)
        self._runtime.evaluate([Run(0, 0, self._opening)], logits=False)

    def tokens(self, prompt: str) -> list[int]:
        """What lies between the opening and the first free token."""
        return [*self._layout.prompt(self._vocab, prompt)[len(self._opening) :], *self._fixed]

    def length(self, prompt: str) -> int:
        """The prompt's own tokens."""
        return len(self._vocab.encode(prompt))

    def bare(self, prompt: str) -> float:
        """Seconds of the plainest calls."""
        return self._bare.prefill(self.tokens(prompt), len(self._opening)) + self._bare.decode(
            _STEPS
        )

    def runtime(self, prompt: str) -> float:
        """The same with the engine's settings."""
        tokens, start = self.tokens(prompt), len(self._opening)
        self._runtime.forget(0, start)
        began = time.perf_counter()
        (row,) = self._runtime.evaluate([Run(0, start, tokens)])
        for step in range(_STEPS):
            position = start + len(tokens) + step
            (row,) = self._runtime.evaluate([Run(0, position, [int(row.argmax())])])
        return time.perf_counter() - began


async def measure(
    model: Path, threads: int, rounds: int
) -> tuple[dict[str, list[float]], Sequence[int], Sequence[int]]:
    """Seconds of each contender; the prompts' tokens, and those of the whole batch."""
    least = Least(model, threads)
    with tempfile.TemporaryDirectory() as folder:
        options = EngineOptions(n_threads=threads, n_gpu_layers=0)
        engine = await Engine.start(model, options, Path(folder) / "engine.log")
        seconds: dict[str, list[float]] = {}
        for number in range(rounds + 1):
            for prompt in _PROMPTS:
                taken = {"bare": least.bare(prompt), "runtime": least.runtime(prompt)}
                taken["sequential"] = await engine.first(prompt, "sequential")
                taken["parallel"] = await engine.first(prompt, "parallel")
                for name, value in taken.items():
                    if number:  # the first round warms up
                        seconds.setdefault(name, []).append(value)
        await engine.close()
    lengths = [least.length(prompt) for prompt in _PROMPTS]
    return seconds, lengths, [len(least.tokens(prompt)) for prompt in _PROMPTS]


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--threads", type=int, default=physical_cores())
    options = parser.parse_args()
    silence()
    model = options.model or default_model()
    seconds, lengths, batches = asyncio.run(measure(model, options.threads, options.rounds))
    bare = seconds["bare"]
    ratios = {
        name: statistics.median(a / b for a, b in zip(times, bare, strict=True))
        for name, times in seconds.items()
    }
    rows = [
        [name, f"{statistics.median(times) * 1000:.0f}", f"{ratios[name]:.2f}"]
        for name, times in seconds.items()
    ]
    print(table(["first character", "ms", "over bare"], rows))
    print(
        f"\nPrompts of {min(lengths)} to {max(lengths)} tokens, batches of {min(batches)} to {max(batches)}; "
        f"medians of {options.rounds} rounds of {len(_PROMPTS)}. {machine(model, options.threads)}."
    )
    return 0 if max(ratios["sequential"], ratios["parallel"]) <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
