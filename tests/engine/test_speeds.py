"""What was measured is kept, and an estimate is called one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sinc_tui.engine.speeds import Measurement, expected, read, remember

TINY = Measurement("here", "tiny", 100_000_000, 100.0)
MEDIUM = Measurement("here", "medium", 1_000_000_000, 20.0)


def test_kept_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "speeds.json"
    assert read(path) == []
    for one in (TINY, MEDIUM, replace(TINY, place="there"), replace(TINY, tokens_per_second=90.0)):
        remember(path, one)
    assert read(path) == [
        MEDIUM,
        replace(TINY, place="there"),
        replace(TINY, tokens_per_second=90.0),
    ]


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "speeds.json"
    for number in range(205):
        remember(path, replace(TINY, model=str(number)))
    assert [one.model for one in read(path)] == [str(number) for number in range(5, 205)]


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[1]", '[{"place": "here"}]', '{"a": 1}', "\udcff",
     '[{"place": "a", "model": "b", "size": 0, "tokens_per_second": 1}]',
     '[{"place": "a", "model": "b", "size": "c", "tokens_per_second": 1}]'],
)  # fmt: skip
def test_a_file_that_cannot_be_read_counts_as_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "speeds.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    assert read(path) == []
    remember(path, TINY)
    assert read(path) == [TINY]


def test_measured() -> None:
    speed = expected([MEDIUM, TINY], "here", "tiny", 5)
    assert speed is not None
    assert speed.in_words == "100 tokens/s, measured on this machine."
    assert speed.brief == "100 tok/s"


def test_estimated_from_the_closest_and_said_to_be_so() -> None:
    speed = expected([TINY, MEDIUM], "here", "small", 500_000_000)
    assert speed is not None
    assert speed.in_words == "About 40 tokens/s, estimated from medium's measured 20 by size."
    assert speed.brief == "~40 tok/s"
    slow = expected([TINY, MEDIUM], "here", "full", 5_000_000_000)
    assert slow is not None
    assert slow.brief == "~4.0 tok/s"


def test_nothing_is_said_of_another_machine_or_an_unknown_size() -> None:
    assert expected([TINY], "there", "tiny", 5) is None
    assert expected([TINY], "here", "small", None) is None
    assert expected([], "here", "small", 5) is None
