"""How fast 10,000 runs are searched and opened: `python tests/benchmarks/history.py [RUNS]`.

Prints medians in milliseconds and, for each question, how SQLite answers it.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sinc_tui.history import History, Run
from sinc_tui.sinc.bands import Band

_WORDS = [f"{first}{second}" for first in "bcdfghklmnprst" for second in (
    "arden", "etter", "ine", "ode", "able", "eport", "udget", "able", "indow", "rder",
)]  # fmt: skip
_REPEATS = 21


def fill(history: History, runs: int) -> None:
    """Runs of about 1,500 characters each."""
    chance = random.Random(1)

    def text(words: int) -> str:
        return " ".join(chance.choices(_WORDS, k=words))

    history._connection.execute("BEGIN")
    for number in range(runs):
        texts = {band: text(60 if band is Band.CONSTRAINTS else 30) for band in Band}
        history.save(
            Run(
                prompt=f"{text(20)} unique{number}",
                texts=texts,
                done=frozenset(Band),
                written=texts,
            )
        )
    history._connection.execute("COMMIT")


def median(call: Callable[[], object]) -> float:
    """Milliseconds."""
    times = []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


def main() -> None:
    """Fill, measure, print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "history.sqlite3")
        history = History(path)
        fill(history, runs)
        print(f"{runs} runs, {path.stat().st_size / 1e6:.0f} MB, indexed: {history._indexed}")
        questions: dict[str, Callable[[], object]] = {
            "open the database": lambda: History(path).close(),
            "list the newest 200": lambda: history.find(),
            "search, one run": lambda: history.find(f"unique{runs // 2}"),
            "search, one letter": lambda: history.find("b"),
            "search, two words": lambda: history.find("gard lett"),
            "search, no run": lambda: history.find("zzz"),
            "search without index (日)": lambda: history.find("日"),
            "open a run": lambda: history.get(runs // 2),
            "store a run": lambda: history.save(Run(prompt="another")),
        }
        for name, question in questions.items():
            print(f"{name:<28}{median(question):8.2f} ms")
        begun = time.perf_counter()
        history.delete(1)
        print(f"{'delete a run':<28}{(time.perf_counter() - begun) * 1000:8.2f} ms")


if __name__ == "__main__":
    main()
