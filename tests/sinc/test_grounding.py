"""What counts as a fact, and when it is kept, lost or invented."""

from __future__ import annotations

import time

import pytest

from sinc_tui.distill.dataset import Style, load_examples
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.grounding import Fact, Kind, extract_facts, ground, holds, numbers


def found(prompt: str) -> list[tuple[str, str]]:
    return [(fact.kind.value, fact.text) for fact in extract_facts(prompt)]


def bands(**texts: str) -> dict[Band, str]:
    return {band: texts.get(band.value, "Nothing.") for band in Band}


@pytest.mark.parametrize(
    ("prompt", "facts"),
    [
        ("compress to 200 KB in 5 kg boxes", ["number 200 KB", "number 5 kg"]),
        ("12,500.75€ or $45k, 18% off, 3rd try",
         ["number 12,500.75€", "number $45k", "number 18%", "number 3"]),
        ('error "index out of range" and `x += y` pls', ["quoted index out of range", "quoted x += y"]),
        ("she said 'it doesn't work' again", ["quoted it doesn't work"]),
        ("rename user_id and userId, call get_all() then np.array(x)",
         ["identifier user_id", "identifier userId", "identifier get_all()", "identifier np.array"]),
        ("run with --dry-run and $HOME, ticket PAY-309",
         ["identifier --dry-run", "identifier $HOME", "identifier PAY-309"]),
        ("fix src/app/main.py and ../data.csv or ~/notes and .env",
         ["path src/app/main.py", "path ../data.csv", "path ~/notes", "path .env"]),
        ("see https://a.example/x?y=1, or mail me@b.example.",
         ["url https://a.example/x?y=1", "email me@b.example"]),
        ("upgrade 3.11.2 to v4.0", ["version 3.11.2", "version v4.0"]),
        ("from 2024-05-12 to 3 may 2025, then june 4 and 12.05.2024",
         ["date 2024-05-12", "date 3 may 2025", "date june 4", "date 12.05.2024"]),
        ("at 09:30 or 5pm", ["time 09:30", "time 5pm"]),
        ("call Anna and St John about the GDPR in New York",
         ["name Anna", "name St John", "name GDPR", "name New York"]),
        ("server 10.0.3.17:8080 is down", ["identifier 10.0.3.17:8080"]),
    ],
)  # fmt: skip
def test_facts_are_found_by_kind(prompt: str, facts: list[str]) -> None:
    assert [f"{kind} {text}" for kind, text in found(prompt)] == facts


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "???",
        "write a poem about the sea and/or the moon",
        "Please help. This is broken. I think I'm lost",
        "WHY DOES THIS NOT WORK PLEASE HELP ME",
        "it is REALLY slow",
        "1. apples\n2) pears",
        "so i need a packing list in october, w/ shoes",
    ],
)
def test_ordinary_words_are_no_facts(prompt: str) -> None:
    assert found(prompt) == []


def test_a_fact_says_where_it_stands_and_is_listed_once() -> None:
    prompt = "12 ducks, then 12 more ducks for Ben and ben@x.example"

    facts = extract_facts(prompt)

    assert [fact.text for fact in facts] == ["12", "Ben", "ben@x.example"]
    assert all(prompt[fact.start : fact.end] == fact.text for fact in facts)


def test_of_pasted_code_only_the_numbers_count() -> None:
    prompt = "why slow\n\ndef load_all(x):\n    return get_rows(x, limit=500);\n"

    assert found(prompt) == [("number", "500")]
    assert ("identifier", "load_all") in found("why is load_all(x) slow")


def test_a_long_quotation_counts_by_its_numbers() -> None:
    clause = "The Member may give notice of ninety days before the end of the Term, or pay 250"

    assert found(f'what does this mean: "{clause}"') == [("number", "250")]


def test_kept_lost_and_badge() -> None:
    result = ground(
        "email Ben at ben@x.example about 3 invoices, 'overdue' since 2024-05-12",
        bands(DATA="ben@x.example; 3 invoices.", CONTEXT="The user writes to BEN."),
    )

    assert [fact.text for fact in result.kept] == ["Ben", "ben@x.example", "3"]
    assert [fact.text for fact in result.lost] == ["overdue", "2024-05-12"]
    assert result.badge == "facts 3/5"


def test_a_prompt_without_facts_keeps_all_of_none() -> None:
    assert ground("hi", bands()).badge == "facts 0/0"


@pytest.mark.parametrize(
    ("prompt", "band", "kept"),
    [
        ("5 apples", "15 apples", False),
        ("5 apples", "5.2 apples", False),
        ("5 apples", "apples: 5.", True),
        ("use 200 KB", "200KB", True),
        ("use 200KB", "200 kb", True),
        ("say “hello there” now", "'hello there'", True),
        ("mind the “two\u00a0words” here", "two words", True),
        ("call my_func now", "My_Func", False),
        ("call my_func now", "my_func2", True),
        ("talk to Ann today", "Annabel", False),
        ("talk to Ann today", "ann", True),
        ("in report.csv please", "report.CSV", False),
        ("between 3–5 days", "3-5 days", True),
        ("she wrote 'see you!' then", "see you", True),
    ],
)
def test_what_counts_as_typed(prompt: str, band: str, kept: bool) -> None:
    facts = extract_facts(prompt)

    assert facts
    assert all(holds(band, fact) for fact in facts) == kept


@pytest.mark.parametrize(
    ("band", "text", "invented"),
    [
        ("DATA", "42 rows.", ["42"]),
        ("CONTEXT", "Started 2023-01-05.", ["2023-01-05"]),
        ("TASK", "Fix other_name in main.py.", ["other_name", "main.py"]),
        ("DATA", "The user said 'never again'.", ["never again"]),
        ("CONTEXT", "A so-called 'quick fix'.", []),
        ("PERSONA", "You are an SQL expert who knows JavaScript and GitHub.", []),
        ("CONSTRAINTS", "Use at most 5 rows and call fetch_all().", []),
        ("CONSTRAINTS", "Link to https://evil.example/x.", ["https://evil.example/x"]),
        ("FORMAT", "Mail it to someone@else.example.", ["someone@else.example"]),
        ("DATA", "7 days.", []),
        ("DATA", "'list ... ducks'.", []),
    ],
)
def test_inventions(band: str, text: str, invented: list[str]) -> None:
    result = ground("list the ducks of the last 7", bands(**{band: text}))

    assert [invention.fact.text for invention in result.invented] == invented
    assert all(invention.band == band for invention in result.invented)


def test_digit_runs_come_in_order_and_of_any_script() -> None:
    assert numbers("v2.3, 1,000 and ٣ of b12") == ["2", "3", "1", "000", "٣", "12"]


@pytest.mark.parametrize("style", ["plain", "rich"])
def test_the_teacher_keeps_its_facts_and_invents_few(style: Style) -> None:
    """Of prompts that a document can hold; of long pasted texts the teacher takes what decides."""
    examples = [example for example in load_examples(style) if len(example.prompt) <= 400]
    results = [ground(example.prompt, example.bands) for example in examples]
    kept = sum(len(result.kept) for result in results)
    lost = [fact for result in results for fact in result.lost]
    lost_numbers = [fact for fact in lost if fact.kind is Kind.NUMBER]

    assert kept / (kept + len(lost)) > 0.98
    assert len(lost_numbers) < 0.004 * kept
    assert sum(bool(result.invented) for result in results) < 0.03 * len(examples)


@pytest.mark.parametrize(
    ("prompt", "facts"),
    [
        ("web1,91,40,55 or db1,33,88", ["web1", "91,40,55", "db1", "33,88"]),
        ("1,2025-03-02,19.99,ok", ["2025-03-02"]),
        ("from 0:07.5 on", ["0:07.5"]),
        ("row 4711 w/ an error, 60 w/o, a 75 w lamp", ["4711", "60", "75 w"]),
        ("U is 3.5 W/kg", ["3.5 W"]),
        ("14:30,5 and 14:30:05,250", ["14:30", "14:30:05,250"]),
    ],
)
def test_values_of_a_table_are_facts_of_their_own(prompt: str, facts: list[str]) -> None:
    found = extract_facts(prompt)
    assert set(facts) <= {fact.text for fact in found}
    assert all(holds(prompt, fact) for fact in found)


@pytest.mark.parametrize(
    ("text", "number"), [("1,000", "1"), ("1,000", "000"), ("2.5", "2"), ("2,5", "2"), ("2,5", "5")]
)
def test_a_part_of_a_number_is_not_held(text: str, number: str) -> None:
    assert not holds(text, Fact(number, Kind.NUMBER, 0, len(number)))


def test_every_fact_is_held_by_its_own_prompt() -> None:
    missing = [
        (example.id, fact)
        for example in load_examples("plain")
        for fact in extract_facts(example.prompt)
        if not holds(example.prompt, fact)
    ]

    assert missing == []


@pytest.mark.parametrize(
    "piece", ["-", "a-", "a.", "/a", "'", '"', "“", "_", "1,", "a@", "+", "A-B", "{"]
)
def test_a_long_hostile_text_takes_no_quadratic_time(piece: str) -> None:
    text = piece * (40_000 // len(piece))
    began = time.process_time()

    extract_facts(text)

    assert time.process_time() - began < 6


def test_a_fact_holds_in_the_empty_text_never() -> None:
    assert not holds("", Fact("5", Kind.NUMBER, 0, 1))
