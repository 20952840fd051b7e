"""How long until the first paint, over a bare Textual app's, both measured in one run.

    python tests/benchmarks/startup.py [RUNS]

Each run starts a fresh interpreter on a pseudo-terminal and waits for a word of the first frame.
The two apps take turns, so that whatever else the machine does hits both; medians are compared.
Exits with 1 when the app takes more than `LIMIT` times as long.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import statistics
import struct
import sys
import termios
import time
from pathlib import Path
from subprocess import Popen

LIMIT = 1.6
_DEADLINE = 30.0
_REPOSITORY = Path(__file__).parents[2]

_BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("FIRSTPAINT")
Bare().run()
"""

_SINC = """
import sys
from sinc_tui.tui.app import run_app
run_app(worker=[sys.executable, "-c", "import time; time.sleep(60)"])
"""

_APPS = {"bare": (_BARE, b"FIRSTPAINT"), "sinc-tui": (_SINC, b"CONSTRAINTS")}


def first_paint(program: str, word: bytes) -> float:
    """Seconds from starting `program` to `word` on its terminal of 120 by 35."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 35, 120, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(_REPOSITORY)}
    begun = time.perf_counter()
    process = Popen(
        [sys.executable, "-c", program],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment,
        start_new_session=True,
    )
    os.close(follower)
    try:
        _wait_for(word, leader, begun + _DEADLINE)
        return time.perf_counter() - begun
    finally:
        process.kill()
        process.wait()
        os.close(leader)


def _wait_for(word: bytes, leader: int, deadline: float) -> None:
    seen = b""
    while word not in seen:
        readable, _, _ = select.select([leader], [], [], max(0.0, deadline - time.perf_counter()))
        if not readable:
            raise TimeoutError(f"no {word!r} within {_DEADLINE:g} s; saw {seen[-500:]!r}")
        seen += os.read(leader, 65536)


def measure(runs: int) -> dict[str, float]:
    """Median seconds to the first paint of each app; one warm-up round is not counted."""
    times: dict[str, list[float]] = {name: [] for name in _APPS}
    for round_number in range(runs + 1):
        for name, (program, word) in _APPS.items():
            seconds = first_paint(program, word)
            if round_number:
                times[name].append(seconds)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> int:
    """Measure, print, judge."""
    medians = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
    ratio = medians["sinc-tui"] / medians["bare"]
    for name, seconds in medians.items():
        print(f"{name:<10}{seconds * 1000:7.0f} ms")
    print(f"ratio     {ratio:7.2f}  (at most {LIMIT})")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
