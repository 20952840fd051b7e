"""Time to a complete document, ours and the peers', in one run and prompt by prompt in turn.

    python tests/benchmarks/documents.py --peers-python PEERS/bin/python [--prompts 30]
        [--model FILE] [--peers-model FILE]

The peers live in a virtual environment of their own; once (llama-cpp-python is compiled, 4 minutes):

    python -m venv PEERS
    PEERS/bin/pip install xllamacpp==2026.10.11549 llama-cpp-python==0.3.36 guidance==0.3.1

Same prompts, same threads, same context, greedy; every process is loaded and warmed up first, and keeps
what its own cache keeps of the system part. The peers' models have to write the whole JSON document, so
`--peers-model` should be a student that was trained in the layout `chatml`, of the same base and in the
same quantization; without it they get our file. A peer's answer may take
`MOST_TOKENS`, nearly twice what a document takes: students loop, two of the peers have no penalty
against it, and an answer without end would otherwise count for all the time it likes. Every answer goes
through our validator. Where a peer's documents differ in length, the time per free character (those
inside the six strings) is the fair figure.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from common import HERE, Worker, default_model, machine, memory, prompts, table

from sinc_tui import paths
from sinc_tui.engine.layout import SYSTEM, chatml
from sinc_tui.engine.llama_runtime import silence
from sinc_tui.engine.llama_vocab import LlamaVocab
from sinc_tui.engine.machine import physical_cores
from sinc_tui.engine.protocol import DecodeMode, EngineOptions, SamplerOptions
from sinc_tui.sinc.document import SincDocument
from sinc_tui.sinc.rulesets import problems

PEERS = ("llama-server", "llama-cpp-python", "guidance")
OURS: dict[str, DecodeMode] = {
    "sinc-tui, parallel": "parallel",
    "sinc-tui, sequential": "sequential",
}
_TEXT = re.compile(r'"x"\s*:\s*"((?:[^"\\]|\\.)*)')
_WARM_UP = "warm up, please"
MOST_TOKENS = 600
"""Most tokens of a peer's answer, the fixed parts included."""


@dataclass
class Record:
    """What one contender did. `per_character` and the rest are lists with one figure a prompt."""

    seconds: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    characters: list[int] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    memory: int = 0

    def take(self, text: str, seconds: float, first: float) -> None:
        """Judge and count one answer."""
        self.seconds.append(seconds)
        self.first.append(first)
        self.characters.append(sum(map(len, _TEXT.findall(text))))
        if found := problems(text):
            self.invalid.append(found[0].partition(": ")[0])

    @property
    def per_character(self) -> list[float]:
        """Seconds for each free character, prompt by prompt."""
        return [s / max(1, n) for s, n in zip(self.seconds, self.characters, strict=True)]


class Contender(Protocol):
    """Answers one prompt: text, seconds, seconds to the first visible character."""

    pid: int

    def ask(self, prompt: str) -> tuple[str, float, float]: ...


class Ours:
    """The engine's child process in one decoding mode."""

    def __init__(self, worker: Worker, decode: DecodeMode) -> None:
        self._worker, self._sampler = worker, SamplerOptions(decode=decode)
        self.pid = worker.process.pid
        worker.run(_WARM_UP, self._sampler)

    def ask(self, prompt: str) -> tuple[str, float, float]:
        answer = self._worker.run(prompt, self._sampler)
        text = SincDocument.from_bands(answer.texts).model_dump_json()
        return text, answer.seconds, answer.first


class Peer:
    """A peer in its own Python; see `peers.py`."""

    def __init__(self, process: subprocess.Popen[str], vocab: LlamaVocab) -> None:
        self._process, self._vocab = process, vocab
        self._layout = chatml(vocab)
        self.pid = process.pid
        self.version = self._exchange(_WARM_UP, warm=True, most=64)["version"]

    def ask(self, prompt: str) -> tuple[str, float, float]:
        answer = self._exchange(prompt, most=MOST_TOKENS)
        return answer["text"], answer["seconds"], answer["first"]

    def _exchange(self, prompt: str, **more: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        tokens = self._layout.prompt(self._vocab, prompt)
        request = {"system": SYSTEM, "prompt": prompt, "tokens": tokens, **more}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("it ended; run peers.py by hand to see why")
        return json.loads(line)


@contextmanager
def peer_process(python: str, name: str, model: Path, threads: int, context: int) -> Iterator[Any]:
    """A peer's process; ended with the benchmark."""
    command = [python, str(HERE / "peers.py"), name, str(model), str(threads), str(context)]
    process = subprocess.Popen(
        [*command, str(paths.assets() / "sinc.schema.json")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def contenders(
    stack: ExitStack,
    python: str | None,
    model: Path,
    peers_model: Path,
    threads: int,
    context: int,
) -> dict[str, Contender]:
    """All that can be started, ours first; of the others it is said why not."""
    options = EngineOptions(n_ctx=context, n_threads=threads)
    found: dict[str, Contender] = {
        name: Ours(stack.enter_context(Worker(model, options)), decode)
        for name, decode in OURS.items()
    }
    vocab = LlamaVocab.from_file(peers_model)
    for name in PEERS if python else ():
        assert python is not None
        try:
            process = stack.enter_context(peer_process(python, name, peers_model, threads, context))
            peer = Peer(process, vocab)
            found[f"{name} {peer.version}"] = peer
        except (OSError, RuntimeError) as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    return found


def measure(found: dict[str, Contender], texts: list[str]) -> dict[str, Record]:
    """Every prompt to every contender; who begins moves on by one from prompt to prompt."""
    records = {name: Record() for name in found}
    names = list(found)
    for number, prompt in enumerate(texts):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            records[name].take(*found[name].ask(prompt))
        print(f"\r{number + 1}/{len(texts)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for name, contender in found.items():
        records[name].memory = memory(contender.pid)
    return records


def report(records: dict[str, Record]) -> str:
    """The table; ratios are the medians of the ratios prompt by prompt."""
    ours = next(iter(records.values()))
    rows = []
    for name, record in records.items():
        total = sum(record.characters)
        rows.append(
            [
                name,
                f"{statistics.median(record.seconds):.2f}",
                f"{_ratio(record.seconds, ours.seconds):.2f}",
                f"{_ratio(record.per_character, ours.per_character):.2f}",
                f"{statistics.median(record.first) * 1000:.0f}",
                f"{total / sum(record.seconds):.0f}",
                f"{statistics.median(record.characters):.0f}",
                f"{len(record.seconds) - len(record.invalid)}/{len(record.seconds)}",
                f"{record.memory / 1e6:.0f}",
            ]
        )
    head = [
        "", "document, s", "over ours", "per character over ours", "first character, ms",
        "free characters/s", "free characters", "valid", "peak memory, MB",
    ]  # fmt: skip
    return table(head, rows)


def _ratio(theirs: list[float], ours: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(theirs, ours, strict=True))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peers-python", help="Python of the peers' virtual environment")
    parser.add_argument("--prompts", type=int, default=30)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--peers-model", type=Path, help="trained to write the JSON itself")
    parser.add_argument("--threads", type=int, default=physical_cores())
    parser.add_argument("--context", type=int, default=2048)
    options = parser.parse_args()
    silence()
    model = options.model or default_model()
    texts = prompts(options.prompts)
    with ExitStack() as stack:
        found = contenders(
            stack,
            options.peers_python,
            model,
            options.peers_model or model,
            options.threads,
            options.context,
        )
        records = measure(found, texts)
    print(report(records))
    print(f"\nMedians of {len(texts)} prompts. {machine(model, options.threads)}.")
    for name, record in records.items():
        if record.invalid:
            print(f"{name}, invalid: {'; '.join(sorted(set(record.invalid)))}")


if __name__ == "__main__":
    main()
