"""The number guard: only the prompt's numbers, each whole."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinc_tui.engine.guards import NumberGuard, is_number

TEXTS = st.text(st.sampled_from("0123 4.a,½²Ⅳ٣日-:/"), max_size=14)


@pytest.mark.parametrize(
    ("text", "goes_on", "ends"),
    [
        ("", True, True),
        ("no digits", True, True),
        ("12", True, True),
        ("1", True, False),
        ("12 ", True, True),
        ("1 ", False, False),
        ("13", False, False),
        ("120", True, False),
        ("1204", True, True),
        ("12C and 1204", True, True),
        ("12C and 120", True, False),
        ("v2.3", True, True),
        ("v2.4", False, False),
        ("v2.1204", False, False),
        ("v2. 1204", True, True),
        ("12.", True, True),
        ("9:3", True, False),
        ("9:30", True, True),
        ("9:12", False, False),
        ("12:30", False, False),
        ("12,30", False, False),
        ("12, 30", True, True),
        ("3-30", False, False),
        ("½", True, True),
        ("²", False, False),
        ("٣", False, False),
    ],
)
def test_examples(text: str, goes_on: bool, ends: bool) -> None:
    guard = NumberGuard("12C, 1204, v2.3, 9:30 and ½ cup")
    assert (guard.allows(text), guard.closes(text)) == (goes_on, ends)


@given(TEXTS, TEXTS)
def test_a_text_may_close_exactly_when_its_numbers_are_the_prompts(prompt: str, text: str) -> None:
    runs, signs = re.findall(r"\d+", text), [c for c in text if c in "½²Ⅳ"]
    assert NumberGuard(prompt).closes(text) == (
        set(runs) <= set(re.findall(r"\d+", prompt))
        and _joined(text) <= _joined(prompt)
        and all(sign in prompt for sign in signs)
    )


def _joined(text: str) -> set[str]:
    """Two runs of digits with one mark between them."""
    parts = re.split(r"(\d+)", text)[1:-1]
    return {
        "".join(parts[n : n + 3])
        for n in range(0, len(parts) - 2, 2)
        if parts[n + 1] in {".", ",", ":", "/", "-"}
    }


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Keep 790.", "00"),
        ("Keep 790.0", "0"),
        ("Keep 69,7", "90"),
        ("Keep 69,", ""),
        ("Keep 22/", ""),
        ("Keep 79", ""),
        ("Keep 23.", ""),
        ("Keep", ""),
    ],
)
def test_the_rest_of_a_joined_number_is_known(text: str, rest: str) -> None:
    assert NumberGuard("Wed,69,790.00,22/23 or 22/24 feb").rest_of_joined(text) == rest


@pytest.mark.parametrize(
    ("text", "lists"),
    [("Keep 19,", True), ("Keep 69,", False), ("Keep 19", False), ("Keep,", False)],
)
def test_a_comma_behind_a_whole_number_is_a_lists(text: str, lists: bool) -> None:
    assert NumberGuard("69,790.00 at 19").lists(text) == lists


def test_a_dash_may_be_plain() -> None:
    guard = NumberGuard("open 9–12")
    assert guard.closes("open 9–12")
    assert guard.closes("open 9-12")


@given(TEXTS, TEXTS)
def test_a_text_may_go_on_exactly_when_it_can_be_mended(prompt: str, text: str) -> None:
    """Mending means to finish the number at the end."""
    guard = NumberGuard(prompt)
    endings = {"", *(run[n:] for run in re.findall(r"\d+", prompt) for n in range(len(run)))}
    assert guard.allows(text) == any(guard.closes(text + ending) for ending in endings)


@pytest.mark.parametrize(
    ("text", "goes_on", "ends"),
    [
        ("Keep 19 and 30%.", True, True),
        ("Keep 30, 30", False, False),
        ("Keep 30, 3", False, False),
        ("Keep 30. Multiply by 30", True, True),
        ("Is it 30? Use 30", True, True),
        ("保留30。使用30", True, True),
        ("Keep 5 and 5", True, True),
        ("Keep 5 and 5, 5", False, False),
        ("Keep 30 and 30. Add 19", False, False),
        # Were 19 counted, the second one would be turned into 12; and 406 belongs to 12,406.
        ("Keep 19 and 19", True, True),
        ("Keep 12,406 and 12,406", True, True),
    ],
)
def test_a_sparing_guard_counts_within_a_sentence(text: str, goes_on: bool, ends: bool) -> None:
    guard = NumberGuard("19 an hour, 30% of 12,406, 5 by 5", sparing=True)
    assert (guard.allows(text), guard.closes(text)) == (goes_on, ends)


@given(TEXTS, TEXTS)
def test_a_sparing_guard_goes_on_exactly_when_it_can_be_mended(prompt: str, text: str) -> None:
    guard = NumberGuard(prompt, sparing=True)
    endings = {"", *(run[n:] for run in re.findall(r"\d+", prompt) for n in range(len(run)))}
    assert guard.allows(text) == any(guard.closes(text + ending) for ending in endings)
    assert NumberGuard(prompt).closes(text) or not guard.closes(text)


@given(TEXTS, TEXTS)
def test_a_sparing_guard_stops_a_repeat_where_it_begins(prompt: str, text: str) -> None:
    """So that what the model began as one number cannot be turned into another."""
    guard, lenient = NumberGuard(prompt, sparing=True), NumberGuard(prompt)
    for n in range(1, len(text) + 1):
        before, now = text[: n - 1], text[:n]
        if guard.allows(before) and lenient.allows(now) and not guard.allows(now):
            assert now[-1].isdecimal()
            assert not re.search(r"\d[.,:/]?\Z", before)


@given(TEXTS)
def test_the_prompt_itself_is_allowed(prompt: str) -> None:
    guard = NumberGuard(prompt)
    assert guard.closes(prompt)
    assert all(guard.allows(prompt[:n]) for n in range(len(prompt) + 1))


@pytest.mark.parametrize(("char", "number"), [*zip("07½²Ⅳ①٣", [True] * 7, strict=True), ("日", False),
                                              ("三", False), ("x", False), (" ", False)])  # fmt: skip
def test_is_number(char: str, number: bool) -> None:
    assert is_number(char) == number
