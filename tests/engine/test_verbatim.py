"""Verbatim DATA: pieces of the prompt as typed, each once."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sinc_tui.engine.verbatim import VerbatimGuard

ORDER = """Ship 2x40HC  from "Cat Lai"
to Felixstowe; 34 days, £245/box. r.json()[‘id’] 日本語のテキスト"""


@pytest.mark.parametrize(
    ("text", "goes_on", "ends"),
    [
        ("", True, True),
        ("34 days", True, True),
        ("34 da", True, False),
        ("34 days, 2x40HC from", True, True),
        ("34 days, 2x40HC to", False, False),
        ("4 days", False, False),
        ("days; from Cat", False, False),
        ('days; from "Cat Lai" to Felix', True, False),
        ('days; from "Cat Lai" to Felixstowe.', True, True),
        ('"34 days"', True, True),
        ("ship 2x40HC, £245", True, True),
        ("ship 2x40HC: £245", False, False),
        ("SHIP", False, False),
        ("34 days; feli", True, False),
        ("£245/bo; 34", False, False),
        ("r.json()['id']", True, True),
        ("r.json()['version", False, False),
        ("テキスト", True, True),
        ("本語", True, True),
        ("34 days. Most us", True, False),
        ("34 days. Most useful: the weight of a box", True, True),
        ("34 days Most useful", False, False),
        ("No data given.", True, True),
    ],
)
def test_pieces_of_the_prompt(text: str, goes_on: bool, ends: bool) -> None:
    guard = VerbatimGuard(ORDER)
    assert (guard.allows(text), guard.closes(text)) == (goes_on, ends)


def test_a_value_stays_with_what_has_it() -> None:
    guard = VerbatimGuard("first row\nsecond row: 44 errors")
    assert guard.closes("second row: 44 errors; first row")
    assert not guard.allows("first row: 44")


def test_a_name_is_not_left_for_a_word_that_begins_like_it() -> None:
    guard = VerbatimGuard('translate this: "Theo is a lively member of the class."')
    assert guard.allows("The")
    assert not guard.closes("The")
    assert not guard.allows('The "; ')
    assert not guard.allows("The class")
    assert guard.closes("theo is a lively member; the class")


def test_a_phrase_of_the_prompt_begins_no_remark() -> None:
    guard = VerbatimGuard("The input is a CSV file, no data given yet")
    assert guard.closes("The input is a CSV; no data given")
    assert not guard.closes("The input is a table")
    assert not guard.closes("No data given, so ask")
    assert guard.closes("The input is a CSV. Most useful: its columns")
    assert not VerbatimGuard("fix it").closes("No database yet")


WORDS = st.text(st.sampled_from("ab1 ,.;:\"'\n語"), max_size=12)


@given(WORDS)
def test_a_prompt_may_be_quoted_as_a_whole(prompt: str) -> None:
    guard = VerbatimGuard(prompt)
    assert all(guard.allows(prompt.strip()[:n]) for n in range(len(prompt.strip()) + 1))
    assert guard.closes(prompt.strip())


@given(WORDS, WORDS)
@example("", "'").via("a quotation mark with nothing to quote")
def test_what_may_end_may_stand_and_what_may_stand_can_be_mended(prompt: str, text: str) -> None:
    """Mending means to finish the piece at the end as the prompt goes on."""
    guard = VerbatimGuard(prompt)
    if guard.closes(text):
        assert guard.allows(text)
    endings = {prompt[n:m] for n in range(len(prompt)) for m in range(n, len(prompt) + 1)}
    if guard.allows(text):
        assert any(guard.closes(text + ending) for ending in endings | {""})


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("34 days; £245.", "34 days; £245."),
        ("34 days; £245; 34 days.", "34 days; £245."),
        ("34; 34 days; 34.", "34 days."),
        ("34 days, £245/box, 34.", "34 days, £245/box."),
        ("34, 34, 34 days", "34 days."),
        ("34 days; ; Cat  Lai;", "34 days; Cat Lai."),
        ("34 days. Most useful: the days; the days.", "34 days. Most useful: the days; the days."),
        ("No data given.", "No data given."),
    ],
)
def test_tidied(text: str, tidied: str) -> None:
    guard = VerbatimGuard(ORDER)
    assert guard.closes(text)
    assert guard.tidied(text) == tidied
    assert guard.tidied(tidied) == tidied
    assert guard.closes(tidied)
