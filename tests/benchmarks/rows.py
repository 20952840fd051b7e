"""What a step of several tokens costs, each in a sequence of its own.

    python tests/benchmarks/rows.py [--model FILE] [--rounds 15]

After a prefix of 200 tokens; all counts take turns; medians.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from common import default_model, machine, table

from sinc_tui.engine.llama_runtime import LlamaRuntime, silence
from sinc_tui.engine.machine import physical_cores
from sinc_tui.engine.protocol import EngineOptions
from sinc_tui.engine.runtime import Run
from sinc_tui.sinc.bands import Band

_PREFIX = 200
_SEQUENCES = range(1, len(Band) + 1)


def measure(path: Path, threads: int, rounds: int) -> dict[int, float]:
    """Milliseconds of a step, by its tokens."""
    runtime = LlamaRuntime(path, EngineOptions(n_ctx=1024, n_threads=threads))
    runtime.evaluate([Run(0, 0, list(range(1000, 1000 + _PREFIX)))])
    runtime.fork(0, _SEQUENCES)
    taken: dict[int, list[float]] = {count: [] for count in _SEQUENCES}
    for number in range(rounds):
        for count, times in taken.items():
            runs = [Run(s, _PREFIX, [2000 + 7 * s + number]) for s in _SEQUENCES[:count]]
            began = time.perf_counter()
            runtime.evaluate(runs)
            times.append((time.perf_counter() - began) * 1000)
            for run in runs:
                runtime.forget(run.sequence, _PREFIX)
    return {count: statistics.median(times) for count, times in taken.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=physical_cores())
    options = parser.parse_args()
    silence()
    model = options.model or default_model()
    found = measure(model, options.threads, options.rounds)
    rows = [[str(n), f"{ms:.1f}", f"{ms / found[1]:.2f}"] for n, ms in found.items()]
    print(table(["tokens a step", "ms", "over one"], rows))
    print(f"\nMedians of {options.rounds} rounds. {machine(model, options.threads)}.")


if __name__ == "__main__":
    main()
