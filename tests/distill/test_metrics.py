"""Degenerate texts are found, and a large teacher's texts are not taken for them."""

from __future__ import annotations

import pytest

from sinc_tui.distill.dataset import Example, Style, load_examples, split
from sinc_tui.distill.metrics import (
    empty_talk,
    faults,
    find_loop,
    foreign_numbers,
)
from sinc_tui.distill.similarity import TfIdf, near_duplicates, swap_discrimination
from sinc_tui.sinc.bands import Band

STYLES: tuple[Style, ...] = ("plain", "rich")


def dev(style: Style) -> list[Example]:
    return split(load_examples(style))[1]


@pytest.mark.parametrize("style", STYLES)
def test_the_teacher_is_clean(style: Style) -> None:
    examples = load_examples(style)
    found = [faults(e.prompt, e.bands) for e in examples]

    assert sum(bool(f.loops) for f in found) <= 0.001 * len(examples)
    assert sum(bool(f.repeats) for f in found) <= 0.001 * len(examples)
    assert not any(f.empty for f in found)
    assert not any(foreign_numbers(e.prompt, e.bands[Band.DATA]).foreign for e in examples)


@pytest.mark.parametrize("style", STYLES)
def test_the_teacher_is_about_its_prompts_and_never_the_same(style: Style) -> None:
    examples = dev(style)

    assert all(swap_discrimination([e.prompt for e in examples], [e.bands for e in examples]))
    for band in Band:
        texts = [e.bands[band] for e in examples]
        if band is Band.FORMAT:  # two letters may want the same: "Only the letter, ready to send."
            texts = [text for text in texts if not text.startswith("Only the ")]
        assert not any(near_duplicates(texts))


@pytest.mark.parametrize(
    "text",
    [
        "columns: columns: columns: columns: columns",
        "Use the table and the table and the table and the table.",
        "Do not do it. " * 3,
        "Check that the code is not in a loop. Use one function. Check that the code is not in a loop.",
        "Keep the email short and polite today. State the date. Keep the email short and polite.",
        "Give the name of the file and the size. Give the name of the file and the date. Give the name of "
        "the file and the owner. Give the name of the file and the path. Give the name of the file and type.",
    ],
)
def test_loops_are_found(text: str) -> None:
    assert find_loop(text)


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("Give one row per file. Give the size in bytes. Do not read the files.", ""),
        ("1 1 1 1 1; 0 0 0 0", ""),
        ("ha ha ha ha ha", "why does he say ha ha ha ha ha"),
        ("row a b c; row a b d; row a b e; " * 4, "row a b c; row a b d; row a b e; " * 4),
        ("", ""),
    ],
)
def test_what_is_no_loop(text: str, prompt: str) -> None:
    assert not find_loop(text, prompt)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "value",
        "...",
        "You are a helpful assistant.",
        "Be clear and concise.",
        "Use the table. Be clear, specific and helpful.",
        "Make sure the answer is correct.",
        "Check that the output is good and clear.",
    ],
)
def test_empty_talk_is_found(text: str) -> None:
    assert empty_talk(text)


@pytest.mark.parametrize(
    "text",
    [
        "You are a librarian who is a helpful assistant to students.",
        "State which rule is clear and which is not.",
        "It must be clear who pays.",
        "Be specific about the date.",
        "5",
    ],
)
def test_what_is_no_empty_talk(text: str) -> None:
    assert not empty_talk(text)


def test_a_band_that_repeats_another_is_found() -> None:
    same = "Write a short email to the landlord about the heater."
    bands = {band: f"Quite something else, number {band.n}." for band in Band}
    bands |= {Band.CONTEXT: same, Band.TASK: same.replace("short", "very short")}

    assert faults("heater broken", bands).repeats == [(Band.CONTEXT, Band.TASK)]


def test_data_may_copy_a_short_prompt_that_the_task_repeats() -> None:
    prompt = "prove by induction that the sum of odd numbers is a square"
    bands = {band: f"Quite something else, number {band.n}." for band in Band}
    bands |= {Band.DATA: prompt + ".", Band.TASK: prompt.capitalize() + "."}

    assert not faults(prompt, bands).any
    assert faults(prompt, dict.fromkeys(Band, prompt)).any


def test_foreign_numbers_are_whole_runs_of_digits() -> None:
    result = foreign_numbers("pay 1,250 on day 3", "pay 1,250; day 13; 12 and 12")

    assert result.total == 5
    assert result.foreign == ["13", "12", "12"]


def test_swapped_decompositions_are_noticed() -> None:
    examples = dev("plain")[:40]
    swapped = examples[1:] + examples[:1]

    right = swap_discrimination([e.prompt for e in examples], [e.bands for e in swapped])

    assert not any(right)


def test_one_answer_to_everything_fits_nothing() -> None:
    examples = dev("plain")[:40]
    always = [examples[0].bands] * len(examples)

    right = swap_discrimination([e.prompt for e in examples], always)

    assert right.count(True) == 1
    assert all(near_duplicates([bands[Band.TASK] for bands in always]))


def test_an_empty_prompt_is_not_judged() -> None:
    bands = dict.fromkeys(Band, "sort the ducks by size")

    assert swap_discrimination(["", "sort ducks"], [bands, bands]) == [None, True]


def test_the_nearest_text_shares_the_rare_words() -> None:
    index = TfIdf(["a sql query for ducks", "a poem on the sea", "a sql query for cats"])

    scores = index.similarities("query the cats in sql")

    assert scores.argmax() == 2
    assert 0 <= scores.min() <= scores.max() <= 1.0 + 1e-9


def test_near_duplicates_differ_in_a_word_at_most() -> None:
    texts = [
        "You are a patient teacher of physics who explains free fall to students of any age.",
        "You are a patient teacher of physics who explains free fall to students of every age.",
        "You are a florist who knows which roses last in a vase.",
    ]

    assert near_duplicates(texts) == [True, True, False]
