"""What the engine takes of the memory beside the model's file and its KV cache.

    python tests/benchmarks/memory.py [--model NAME] [--long 4000] [--batch TOKENS]

Starts the engine's child process on a prepared model, runs a short prompt in both decoding orders and then
a long one up to its first character, and reads the child's peak (VmHWM of /proc/PID/status). All that is
resident counts, shared libraries too. Taken off are the size of the model's file, for every weight is in
memory once, as a page of the mapped file or in llama.cpp's own packing, and the KV cache, which llama.cpp
clears and thereby touches as a whole. What is left is "rest": Python with its libraries (also shown alone,
from a process that only imports the engine), the vocabulary's tables, llama.cpp's own tables of the
tokenizer, weights that are there twice, and its compute buffers. Of these the size that llama.cpp reserves
is shown; only what a batch has touched is resident, which is why the long prompt counts more. Exits with 1
when the rest is above `LIMIT`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from common import Worker, default_model, machine, memory, prompts, table
from scaling import prompt_of

from sinc_tui.engine.gguf_facts import read_facts
from sinc_tui.engine.llama_runtime import silence
from sinc_tui.engine.llama_vocab import LlamaVocab
from sinc_tui.engine.machine import physical_cores
from sinc_tui.engine.plan import context_length
from sinc_tui.engine.protocol import EngineOptions, SamplerOptions

LIMIT = 150e6
"""Bytes."""
_F16 = 2
_IMPORTS = (
    "import sinc_tui.engine.service, pathlib; print(pathlib.Path('/proc/self/status').read_text())"
)
_COMPUTE = re.compile(rb"compute buffer size = +([\d.]+) MiB")
_SEQUENTIAL, _PARALLEL = (SamplerOptions(decode=d) for d in ("sequential", "parallel"))


def imports_alone() -> int:
    """Resident bytes of a Python that has imported the engine and loaded nothing."""
    status = subprocess.run(
        [sys.executable, "-P", "-c", _IMPORTS], check=True, capture_output=True, text=True
    ).stdout
    return next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line) * 1024


def cache_size(model: Path, options: EngineOptions) -> int:
    """Bytes of the KV cache as the engine makes it on a CPU."""
    facts = read_facts(model)
    assert facts is not None
    tokens = context_length(options, facts.n_ctx_train)
    return tokens * len(facts.layers) * facts.kv_elements * _F16


def measure(model: Path, long: int, batch: int | None) -> tuple[list[str], float]:
    """The row of a model, and the larger rest in bytes."""
    options = EngineOptions(n_gpu_layers=0, n_batch=batch)
    cache, vocab = cache_size(model, options), LlamaVocab.from_file(model)
    with tempfile.TemporaryFile() as log, Worker(model, options, log=log) as worker:
        pid = worker.process.pid

        def rest() -> tuple[int, int]:
            peak = memory(pid)
            return peak, peak - model.stat().st_size - cache

        for sampler in (_SEQUENTIAL, _PARALLEL):
            worker.run(prompts(1)[0], sampler)
        short_peak, short_rest = rest()
        worker.run(prompt_of(long, 0, vocab), _SEQUENTIAL, only_first=True)
        long_peak, long_rest = rest()
        log.seek(0)
        compute = max(float(size) for size in _COMPUTE.findall(log.read())) * (1 << 20)
    figures = [
        model.stat().st_size,
        cache,
        compute,
        imports_alone(),
        short_peak,
        short_rest,
        long_peak,
        long_rest,
    ]
    return [model.stem, *(f"{size / 1e6:.0f}" for size in figures)], max(short_rest, long_rest)


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="tiny", help="a prepared model by name")
    parser.add_argument("--long", type=int, default=4000, help="tokens of the long prompt")
    parser.add_argument(
        "--batch", type=int, help="tokens evaluated at once, where not as by default"
    )
    options = parser.parse_args()
    silence()
    model = default_model().with_stem(options.model)
    if not model.is_file():
        sys.exit(
            f"{options.model} is not prepared yet. Run once: sinc-tui rewrite --model {options.model} hi"
        )
    row, rest = measure(model, options.long, options.batch)
    head = [
        "MB",
        "file",
        "KV cache",
        "compute buffers, reserved",
        "Python and libraries",
        "short prompts: peak",
        "rest",
        f"{options.long:,} tokens: peak",
        "rest",
    ]
    print(table(head, [row]))
    print(f"\n{machine(model, physical_cores())}.")
    return 0 if rest <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
