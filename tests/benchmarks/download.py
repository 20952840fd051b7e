"""Throughput of the downloader over curl's, and its memory for a file of 4.7 GB.

    python -m tests.benchmarks.download [--rounds 5] [--size 1000] [--large 4700] [--line 100]

A server of this machine, in a process of its own, sends files of no content (holes on the disk) from the
page cache with sendfile, so that it is not what limits. Both clients fetch them through the Hub's redirect
to the CDN, in turns, so that whatever else the machine does hits both; medians are compared. curl checks
nothing; ours hashes every byte and waits for the disk; the start of Python and its imports are not counted.
Ours runs without trio, which the HTTP library imports where it is installed: it comes with selenium, and so
with the tests only.
Once with the processor as the limit (curl followed by sha256sum is measured too), once over a line of
`--line` MB/s that all connections of a client share. Sizes in MB. The limit is `LIMIT` of curl's speed over
the line.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LIMIT = 0.9
MOST_MEMORY = 64 << 20
_FILE = "someone/models/m.gguf"
_COMMIT = "0123456789abcdef0123456789abcdef01234567"
_CLIENT = """
import sys, time
sys.modules["trio"] = None
from tests.benchmarks.common import memory
from sinc_tui.models.catalog import CatalogModel
from sinc_tui.models.download import Download
import filelock, httpcore2, httpx2, huggingface_hub.file_download, urllib3
model = CatalogModel(
    name="m", repository="someone/models", file="m.gguf", commit=sys.argv[1],
    size=int(sys.argv[2]), sha256=sys.argv[3],
)
start = time.monotonic()
Download(model).run()
print(time.monotonic() - start, memory())
"""
_BARE = "\n".join(
    line.strip()
    for line in """
    text = open('/proc/self/status').read()
    print(next(int(l.split()[1]) * 1024 for l in text.splitlines() if l.startswith('VmHWM')))
    """.strip().splitlines()
)


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--large", type=int, default=4700)
    parser.add_argument("--line", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sinc-tui-download-") as name:
        folder = Path(name)
        _throughput(folder, asked.size * 10**6, asked.rounds, 0)
        fast = _throughput(folder, asked.size * 10**6, asked.rounds, asked.line)
        small = _memory(folder, asked.large * 10**6)
    return 0 if fast and small else 1


def _throughput(folder: Path, size: int, rounds: int, line: int) -> bool:
    ours: list[float] = []
    curls: list[float] = []
    checked: list[float] = []
    with _served(folder, size, line) as (url, digest):
        for _ in range(rounds):
            plain, with_hash = _curl(folder, url)
            curls.append(plain)
            checked.append(with_hash)
            ours.append(_ours(folder, url, size, digest)[0])
    over = f"over a line of {line} MB/s" if line else "with no limit"
    load = os.getloadavg()[0]
    print(f"{size / 1e6:,.0f} MB {over}, {rounds} rounds, {os.cpu_count()} cores, load {load:.1f}:")
    speeds = [size / statistics.median(times) / 1e6 for times in (curls, checked, ours)]
    for name, speed, times in zip(
        ("curl", "curl, sha256sum", "sinc-tui"), speeds, (curls, checked, ours), strict=True
    ):
        print(
            f"  {name:16} {speed:7,.0f} MB/s, {speed / speeds[0]:.2f} of curl  (s: {_list(times)})"
        )
    return speeds[2] / speeds[0] >= LIMIT


def _memory(folder: Path, size: int) -> bool:
    with _served(folder, size) as (url, digest):
        seconds, peak = _ours(folder, url, size, digest)
    bare = int(subprocess.check_output([sys.executable, "-c", _BARE]))
    above = (peak - bare) / (1 << 20)
    print(f"{size / 1e6:,.0f} MB in {seconds:.1f} s: peak memory {peak >> 20} MiB,")
    print(f"  a bare interpreter {bare >> 20} MiB, so {above:.0f} MiB above it")
    return peak - bare < MOST_MEMORY


@contextmanager
def _served(folder: Path, size: int, line: int = 0) -> Iterator[tuple[str, str]]:
    path = folder / "served.gguf"
    with path.open("wb") as file:
        file.truncate(size)
    digest = _digest_of_zeros(size)
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.hub_server", _FILE, str(path), digest, "--rate", str(line)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    try:
        yield server.stdout.readline().split()[0], digest
    finally:
        server.kill()
        server.wait()
        path.unlink()


def _digest_of_zeros(size: int) -> str:
    hasher, piece = hashlib.sha256(), bytes(1 << 20)
    for _ in range(size >> 20):
        hasher.update(piece)
    hasher.update(bytes(size % (1 << 20)))
    return hasher.hexdigest()


def _curl(folder: Path, url: str) -> tuple[float, float]:
    """Seconds of the download alone, and with the check of its hash."""
    target = folder / "curl.gguf"
    start = time.monotonic()
    subprocess.run(
        ["curl", "-sSLf", "-o", str(target), f"{url}/someone/models/resolve/{_COMMIT}/m.gguf"],
        check=True,
    )
    took = time.monotonic() - start
    subprocess.run(["sha256sum", str(target)], check=True, stdout=subprocess.DEVNULL)
    checked = time.monotonic() - start
    target.unlink()
    return took, checked


def _ours(folder: Path, url: str, size: int, digest: str) -> tuple[float, int]:
    """Seconds from the first question to the file in its place, and the process' peak memory."""
    home = folder / "hf"
    environment = os.environ | {"HF_ENDPOINT": url, "HF_HOME": str(home), "PYTHONPATH": os.getcwd()}
    out = subprocess.check_output(
        [sys.executable, "-c", _CLIENT, _COMMIT, str(size), digest], env=environment, text=True
    )
    shutil.rmtree(home)
    seconds, peak = out.split()
    return float(seconds), int(peak)


def _list(times: list[float]) -> str:
    return " ".join(f"{seconds:.2f}" for seconds in times)


if __name__ == "__main__":
    sys.exit(main())
