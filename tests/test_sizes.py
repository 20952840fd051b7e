"""Bytes and times as people read them."""

from __future__ import annotations

import pytest

from sinc_tui.sizes import clock, in_memory, on_disk


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (491_400_064, "491 MB"),
        (999_499_999, "999 MB"),
        (999_600_000, "1.0 GB"),
        (4_683_074_240, "4.7 GB"),
        (9_949_999_999, "9.9 GB"),
        (9_950_000_000, "10 GB"),
        (77e9, "77 GB"),
        (5e15, "5000 TB"),
    ],
)
def test_on_disk(size: float, words: str) -> None:
    assert on_disk(size) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [(900 << 20, "900 MiB"), (11 << 30, "11 GiB"), (5500 << 20, "5.4 GiB"), (1023, "1 KiB")],
)
def test_in_memory(size: int, words: str) -> None:
    assert in_memory(size) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0:00"), (31.4, "0:31"), (59.6, "1:00"), (3727, "1:02:07")]
)
def test_clock(seconds: float, words: str) -> None:
    assert clock(seconds) == words
