"""Cutting a text that is too long."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinc_tui.engine.trimming import trim

WORDS = st.lists(
    st.sampled_from(
        ["Use", "rows.", "e.g.", "12", "3.5;", "v2,", "日本12日本", "!", "—", '"a"', "a; b"]
    ),
    min_size=1,
    max_size=20,
).map(" ".join)
TEXTS = st.one_of(WORDS, st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))


@given(TEXTS.filter(str.strip), st.integers(1, 80))
def test_within_the_limit_and_never_blank(text: str, limit: int) -> None:
    cut = trim(text, limit)
    assert len(cut) <= limit
    assert cut.strip()
    assert cut == cut.strip()


@given(TEXTS.filter(str.strip))
def test_short_enough_is_left_alone(text: str) -> None:
    assert trim(text, len(text)) == text.strip()


@given(TEXTS.filter(str.strip), st.integers(1, 80))
def test_nothing_but_the_closing_mark_is_added(text: str, limit: int) -> None:
    cut = trim(text, limit)
    assert text.strip().startswith(cut) or text.strip().startswith(cut[:-1])
    assert text.strip().startswith(cut) or cut.endswith(".") or cut == "…"


@given(WORDS, st.integers(2, 80))
def test_no_number_is_cut_in_two(text: str, limit: int) -> None:
    """A number guard has seen the whole ones only."""
    assert set(re.findall(r"\d+", trim(text, limit))) <= set(re.findall(r"\d+", text))


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("One is here. Two is here. Three is here.", 30, "One is here. Two is here."),
        ("One is here. Two is here.", 24, "One is here."),
        ('He said "stop." Then he left the room.', 20, 'He said "stop."'),
        ("これは一つ。これは二つ。これは三つ。", 12, "これは一つ。これは二つ。"),
        ("12 rows; 3 columns; 7 tables", 22, "12 rows; 3 columns."),
        ("Use only what the prompt gives", 20, "Use only what the."),
        ("Hi. Use only what the prompt gives", 26, "Hi. Use only what the."),
        ("Use only, what the prompt gives", 12, "Use only."),
        ("Use the incomprehensibilities", 20, "Use the incomprehen."),
        ("用 Python 写一个函数，读取文件，然后排序", 21, "用 Python 写一个函数，读取文件."),
        ("12", 1, "…"),
        ("incomprehensibilities", 10, "incompreh."),
        ("ab", 1, "a"),
        ("  padded text  ", 11, "padded text"),
    ],
)
def test_where_it_cuts(text: str, limit: int, cut: str) -> None:
    assert trim(text, limit) == cut
