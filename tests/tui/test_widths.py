"""Output in which a character's width is in doubt: the cursor is where the app takes it to be."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from sinc_tui.tui.widths import resynchronized

CLUSTERS = ["👩‍👩‍👧", "🏳️‍🌈", "👍🏽", "🇩🇪", "1️⃣", "☺️", "नमस्ते", "🙂"]
PLAIN = ["word ", "日本語", "שלום", "e\u0301", "┃", "\x1b[1;31m", "\x1b[0m", "\x1b[?2026h"]
CODES = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")


def painted(data: str) -> list[tuple[int, int, str]]:
    """Row, column and text of what stands between two moves of the cursor, blanks left out."""
    pieces = re.split(r"\x1b\[(\d+);(\d+)H", data)
    places = zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True)
    return [(int(y), int(x), CODES.sub("", text)) for y, x, text in places]


@pytest.mark.parametrize("plain", PLAIN)
def test_output_without_doubt_is_left_alone(plain: str) -> None:
    data = f"\x1b[3;5H{plain}|\n\x1b[4;5H{plain}"
    assert resynchronized(data) == data


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_cursor_is_set_behind_a_cluster(cluster: str) -> None:
    width = cell_len(cluster)
    assert painted(resynchronized(f"\x1b[3;5Hab{cluster}|")) == [
        (3, 5, "ab"), (3, 7, " " * width), (3, 7, cluster), (3, 7 + width, "|"),
    ]  # fmt: skip


@given(st.lists(st.sampled_from([*CLUSTERS, *PLAIN])))
def test_every_text_begins_where_the_widths_before_it_end(words: list[str]) -> None:
    row = "".join(words)
    column = 1
    for _, x, text in painted(resynchronized(f"\x1b[1;1H{row}")):
        assert x <= column
        column = max(column, x + cell_len(text))
    assert column == 1 + cell_len(CODES.sub("", row))


def test_a_cluster_of_unknown_place_is_left_alone() -> None:
    assert resynchronized("title 👩‍👩‍👧") == "title 👩‍👩‍👧"
    assert resynchronized("\x1b[1;1Ha\n👩‍👩‍👧") == "\x1b[1;1Ha\n👩‍👩‍👧"
