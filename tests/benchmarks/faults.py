"""A table of what comes of downloads that something happens to.

    python -m tests.benchmarks.faults [--each 8] [--seed 0]

Each download is a process of its own, and fetches 1.6 MB in chunks of 64 KiB over three connections from a
Hub of this machine; one fault strikes at a place that the seed chooses. Where it ended the first try, the
fault is taken away and the same is asked for again. Exits with 1 where anything is not as it should be.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.support.download_child import Downloads
from tests.support.faults import CHUNK, CONNECTIONS, FAULTS, Outcome, strike


def main() -> int:
    """Strike and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--each", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    downloads = Downloads()
    print("| fault | downloads | got through | ended with a message | wrong file | again at most |")
    print("|---|---|---|---|---|---|")
    outcomes: list[Outcome] = []
    for kind in FAULTS:
        found = [_strike(kind, asked.seed + n, downloads) for n in range(asked.each)]
        print(_row(kind, found), flush=True)
        outcomes += found
    downloads.close()
    bad = [one for one in outcomes if one.wrong or not one.whole or one.again > one.allowed]
    print(f"\n{len(outcomes)} downloads, {len(bad)} of them not as they should be.", *bad, sep="\n")
    print("\nMessages:")
    for kind in FAULTS:
        said = {f"{one.message} {one.hint}" for one in outcomes if one.kind == kind and one.message}
        print(
            *(f"- {kind}: {line}" for line in sorted(said)[:1]), sep="\n", end="\n" if said else ""
        )
    return 1 if bad else 0


def _strike(kind: str, seed: int, downloads: Downloads) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="sinc-tui-faults-") as folder:
        return strike(kind, seed, downloads, Path(folder))


def _row(kind: str, found: list[Outcome]) -> str:
    through = sum(not one.ended for one in found)
    told = sum(bool(one.message) for one in found)
    wrong = sum(one.wrong for one in found)
    again = max(one.again for one in found) / CHUNK
    words = "all of it" if again > 2 * CONNECTIONS else f"{again:.1f} chunks"
    return f"| {kind} | {len(found)} | {through} | {told} | {wrong} | {words} |"


if __name__ == "__main__":
    sys.exit(main())
