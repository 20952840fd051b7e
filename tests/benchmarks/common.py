"""What the benchmarks share: the model, the fixed prompts, the engine's child process, memory, a table."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import gguf

from sinc_tui import paths
from sinc_tui.engine.layout import LAYOUT_KEY, TRAINED, Layout, Tokenizer
from sinc_tui.engine.protocol import (
    BandEnd,
    Cancel,
    Decompose,
    Delta,
    Done,
    EngineOptions,
    Load,
    Message,
    Ready,
    RunStats,
    SamplerOptions,
    Stopped,
    Wire,
    decode_message,
    encode,
)
from sinc_tui.models import gguf_io
from sinc_tui.sinc.bands import Band

HERE = Path(__file__).parent


def default_model() -> Path:
    """The prepared `tiny`; ends the program where it is not there yet."""
    model = paths.cache() / "models" / "tiny.gguf"
    if not model.is_file():
        sys.exit("The model is not prepared yet. Run once: sinc-tui rewrite 'fix line 3'")
    return model


def layout_of(model: Path, vocab: Tokenizer) -> Layout:
    """The layout that a student was trained in; ends the program for another model."""
    name = gguf_io.text(gguf.GGUFReader(model), LAYOUT_KEY)
    if name not in TRAINED:
        sys.exit(f"{model} is no student of this project; name one with --model.")
    return TRAINED[name](vocab)


def prompts(count: int) -> list[str]:
    """The first so many of the 30 fixed prompts: dev prompts of many kinds, 22 to 708 characters."""
    found: list[str] = json.loads((HERE / "prompts.json").read_text(encoding="utf-8"))
    return found[:count]


def memory(pid: int | str = "self", field_name: str = "VmHWM") -> int:
    """Bytes of a process' memory (`VmHWM`: the peak, `VmRSS`: now); 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field_name)), 0)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine(model: Path, threads: int) -> str:
    """A line on what the figures belong to."""
    cpu = platform.processor() or platform.machine()
    try:
        info = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(line.partition(": ")[2] for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    size = model.stat().st_size / 1e6
    load = os.getloadavg()[0]
    return f"{cpu}, {threads} threads; {model.name}, {size:.0f} MB; load at the end {load:.1f}"


@dataclass
class Answer:
    """One run as the process that asked for it saw it.

    Attributes:
        seconds: from the command to the last band's end; `first`: to the first character of a band.
    """

    texts: dict[Band, str] = field(default_factory=dict)
    seconds: float = 0.0
    first: float = 0.0
    stats: RunStats | None = None


class Worker:
    """The engine's child process, asked one thing at a time."""

    def __init__(
        self, model: Path, options: EngineOptions, *, log: int | IO[bytes] = subprocess.DEVNULL
    ) -> None:
        """`log` takes what llama.cpp says."""
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "sinc_tui.engine.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        self._run = 0
        self._send(Load(path=str(model), name=model.stem, options=options))
        self._until(lambda message: isinstance(message, Ready))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def run(self, prompt: str, sampler: SamplerOptions, *, only_first: bool = False) -> Answer:
        """Decompose a prompt; `only_first` stops it at the first character."""
        self._run += 1
        answer = Answer()
        began = time.perf_counter()
        self._send(Decompose(run=self._run, prompt=prompt, sampler=sampler))

        def take(message: Message) -> bool:
            if isinstance(message, Delta) and not answer.first and message.text.strip():
                answer.first = time.perf_counter() - began
                if only_first:
                    self._send(Cancel(run=self._run))
            elif isinstance(message, BandEnd):
                answer.texts[message.band] = message.text
            elif isinstance(message, Done):
                answer.stats = message.stats
            return isinstance(message, Done | Stopped)

        self._until(take)
        answer.seconds = time.perf_counter() - began
        return answer

    def _send(self, message: Wire) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(encode(message))
        self.process.stdin.flush()

    def _until(self, last: Callable[[Message], bool]) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            message = decode_message(line)
            if message.type == "error":
                raise RuntimeError(message.message)
            if last(message):
                return
        raise RuntimeError("The engine ended.")
