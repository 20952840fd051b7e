"""Examples that must not be trained on are found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sinc_tui.distill.check import broken_rules, check_examples, report_text
from sinc_tui.distill.dataset import Example, is_dev, load_examples, sampled
from sinc_tui.sinc.bands import Band

WORDS = ("please", "pls", "now", "thanks")


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return sampled(load_examples("plain"), 120)


def with_band(example: Example, band: Band, text: str) -> Example:
    return replace(example, bands={**example.bands, band: text})


def test_the_shipped_examples_pass(examples: list[Example]) -> None:
    report = check_examples(examples)

    assert report.passed
    text = report_text(report)
    assert text.startswith("120 examples, ")
    assert "keeps the invariants" in text
    assert "CONSTRAINTS" in text


@pytest.mark.parametrize("style", ["plain", "rich"])
def test_every_shipped_example_keeps_the_rules_of_one_example(style: str) -> None:
    assert [(e.id, p) for e in load_examples(style) for p in broken_rules(e)] == []


@pytest.mark.parametrize(
    ("band", "text", "reason"),
    [
        (Band.TASK, "Fix it. Then test it.", "TASK has 2 sentences"),
        (Band.TASK, "Fix it", "does not end"),
        (Band.CONSTRAINTS, "Use it.", "it must have more"),
        (Band.PERSONA, "  ", "blank"),
        (Band.FORMAT, "One line.\nTwo lines.", "line break"),
        (Band.FORMAT, "One line. ", "blanks at its ends"),
        (Band.DATA, "4711 ducks.", "4711, which the prompt lacks"),
        (Band.PERSONA, "You are a helpful assistant.", "filler"),
        (Band.CONTEXT, "The user wants and wants and wants and wants and wants it.", "repeats"),
    ],
)
def test_what_breaks_an_example(
    examples: list[Example], band: Band, text: str, reason: str
) -> None:
    sound = next(e for e in examples if not any(c.isdigit() for c in e.prompt))
    bad = with_band(sound, band, text)

    assert broken_rules(sound) == []
    assert any(reason in problem for problem in broken_rules(bad))
    assert not check_examples([bad, *examples[:3]]).passed


def test_a_lost_number_is_named(examples: list[Example]) -> None:
    bad = replace(examples[0], prompt=examples[0].prompt + " 98765")

    assert broken_rules(bad) == ["The number 98765 of the prompt is in no band."]


def test_duplicates_are_named(examples: list[Example]) -> None:
    copy = replace(examples[0], id="copy")
    report = check_examples([*examples[:3], copy, examples[1]])
    found = {finding.title: finding.broken for finding in report.findings}

    assert ("copy", f"as in {examples[0].id}") in found["prompts are unique"]
    assert (examples[1].id, f"as in {examples[1].id}") in found["ids are unique"]
    assert "copy" in dict(found["CONSTRAINTS differs from example to example"])
    assert not report.passed


def test_a_training_prompt_close_to_a_dev_prompt_is_named(examples: list[Example]) -> None:
    dev = max((e for e in examples if is_dev(e.prompt)), key=lambda e: len(e.prompt))
    cousins = (replace(dev, id="cousin", prompt=f"{dev.prompt}, {word}") for word in WORDS)
    cousin = next(e for e in cousins if not is_dev(e.prompt))
    report = check_examples([*examples, cousin])
    found = {finding.title: finding.broken for finding in report.findings}

    named = found["no training prompt is close to a dev prompt"]
    assert named[0] == ("cousin", f"close to {dev.id}")
    assert len(named) < 10, "prompts on other things are not named"


def test_nothing_at_all_passes() -> None:
    assert check_examples([]).passed
    assert report_text(check_examples([])).startswith("0 examples")
