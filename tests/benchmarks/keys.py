"""How long a key takes to its place on the screen, while nothing happens and while the model writes.

    python tests/benchmarks/keys.py [--keys 60] [--model tiny]

Starts the app on a pseudo-terminal of 120 by 35 with the real model and folders of its own, once for each
decoding order, and types into the prompt: first while the model writes the bands of a long prompt (as many
runs as it takes, each from Enter to its last band), then beside the finished bands. Counted is the time
from writing a key to the terminal until the first output that holds its character; a terminal's own
drawing comes on top. Each key is a letter that was never pressed and never shown before, so that nothing
else on the screen can be taken for it. Keys come 40 to 120 ms after the one before was seen, as from a
fast typist. Exits with 1 when the 95th percentile of a row is above `LIMIT`.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import random
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from common import default_model, machine, prompts, table

from sinc_tui.engine.machine import physical_cores
from sinc_tui.engine.protocol import DecodeMode

LIMIT = 0.050
"""Seconds."""
_PAUSE = (0.04, 0.12)
_WARM_UP = 3
"""Keys whose time is not counted: on the first ones modules are imported."""
_DEADLINE = 120.0
_LETTERS = (chr(code) for code in range(0x1401, 0x166D))
"""Canadian syllabics: one cell wide, and nothing that a model of ours writes."""
_REPOSITORY = Path(__file__).parents[2]
_APP = "from sinc_tui.tui.app import run_app; run_app(tour=False)"
_ENTER, _NEW_PROMPT = b"\r", b"\x0e"
_READY, _OVER = b"ready", b"tok/s"
"""Words of the status line; the second one is there as soon as a run is over."""


class Typist:
    """The app on a pseudo-terminal: keys in, bytes out."""

    def __init__(self, folder: Path, model: str, mode: DecodeMode) -> None:
        config = folder / "config" / "sinc-tui" / "settings.toml"
        config.parent.mkdir(parents=True)
        config.write_text(f'model = "{model}"\ndecode = {{ {model} = "{mode}" }}\n')
        own = {
            f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("CONFIG", "STATE", "DATA")
        }
        path = {"TERM": "xterm-256color", "PYTHONPATH": str(_REPOSITORY)}
        self._pid, self._leader = (
            pty.fork()
        )  # the app's own terminal: when this ends, so does the app
        if not self._pid:
            os.execve(sys.executable, [sys.executable, "-c", _APP], {**os.environ, **own, **path})
        fcntl.ioctl(self._leader, termios.TIOCSWINSZ, struct.pack("HHHH", 35, 120, 0, 0))
        self._random = random.Random(1)
        self._seen = b""
        self.wait_for(_READY)

    def close(self) -> None:
        """End the app; its engine ends with it."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._leader)

    def begin(self, prompt: str) -> None:
        """Put a prompt in place of the one before."""
        os.write(self._leader, _NEW_PROMPT)
        self._drain(0.5)
        os.write(self._leader, b"\x1b[200~" + prompt.encode() + b"\x1b[201~")
        self._drain(0.5)

    def press(self) -> float:
        """Press a letter; seconds until it is shown."""
        letter = next(_LETTERS).encode()
        began = time.perf_counter()
        os.write(self._leader, letter)
        self.wait_for(letter)
        return time.perf_counter() - began

    def keys_while_writing(self) -> Iterator[float]:
        """Run the prompt and press keys until it is over; those during which it ended do not count."""
        os.write(self._leader, _ENTER)
        self._seen = b""
        while _OVER not in self._seen:
            seconds = self.press()
            if _OVER not in self._seen:
                yield seconds
            self._drain(self._random.uniform(*_PAUSE))

    def idle_keys(self, count: int) -> Iterator[float]:
        """Press keys while nothing else happens."""
        for _ in range(count):
            yield self.press()
            self._drain(self._random.uniform(*_PAUSE))

    def wait_for(self, word: bytes) -> None:
        """Read on until a word was written."""
        start = max(0, len(self._seen) - len(word))
        deadline = time.perf_counter() + _DEADLINE
        while word not in self._seen[start:]:
            if not self._read(deadline - time.perf_counter()):
                raise TimeoutError(f"no {word!r}; saw {self._seen[-2000:]!r}")

    def _drain(self, seconds: float) -> None:
        """Read what comes within a time."""
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            self._read(left)

    def _read(self, seconds: float) -> bool:
        if not select.select([self._leader], [], [], max(0.0, seconds))[0]:
            return False
        self._seen += os.read(self._leader, 1 << 16)
        return True


def measure(model: str, mode: DecodeMode, count: int) -> dict[str, list[float]]:
    """Seconds of so many keys while the model writes and while it does not."""
    writing: list[float] = []
    longest = sorted(prompts(30), key=len, reverse=True)
    with tempfile.TemporaryDirectory() as folder:
        typist = Typist(Path(folder), model, mode)
        try:
            typist.begin("warm up")
            list(typist.idle_keys(_WARM_UP))
            list(typist.keys_while_writing())
            for prompt in longest:
                typist.begin(prompt)
                writing += typist.keys_while_writing()
                if len(writing) >= count:
                    break
            idle = list(typist.idle_keys(count))
        finally:
            typist.close()
    return {"idle": idle, "writing": writing[:count]}


def row(title: str, seconds: Sequence[float]) -> list[str]:
    """A row of the table, in milliseconds."""
    middle, most = statistics.median(seconds), max(seconds)
    figures = (middle, percentile(seconds), most)
    return [title, str(len(seconds)), *(f"{figure * 1000:.0f}" for figure in figures)]


def percentile(seconds: Sequence[float]) -> float:
    """The time within which 95 of 100 keys are on the screen."""
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keys", type=int, default=60)
    parser.add_argument("--model", default="tiny")
    options = parser.parse_args()
    modes: tuple[DecodeMode, ...] = ("sequential", "parallel")
    found = {mode: measure(options.model, mode, options.keys) for mode in modes}
    rows = {"idle": [s for by_state in found.values() for s in by_state["idle"]]}
    rows |= {f"while writing, {mode}": by_state["writing"] for mode, by_state in found.items()}
    head = ["", "keys", "median, ms", "95th percentile, ms", "maximum, ms"]
    print(table(head, [row(title, seconds) for title, seconds in rows.items()]))
    print(f"\n{machine(default_model().with_stem(options.model), physical_cores())}.")
    return 0 if all(percentile(seconds) <= LIMIT for seconds in rows.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
