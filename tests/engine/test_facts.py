"""The fact keeper: what the model left out is put in, and nothing else."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinc_tui.engine.facts import FactKeeper
from sinc_tui.sinc.grounding import extract_facts, holds

PROMPT = "pay 1,200.50 EUR to Ms Okafor before 2024-02-01, see https://x.org/a?b=1 and src/app.py"
WORDS = st.lists(
    st.sampled_from(
        [
            "pay",
            "12%",
            "v2.3.1",
            "2024-02-01",
            "Anna",
            "“a b”",
            "/etc/x",
            "No data given.",
            "3",
            "日本",
            ";",
        ]
    ),
    max_size=12,
).map(" ".join)


def test_data_gets_the_facts_that_it_lacks() -> None:
    data = FactKeeper(PROMPT).data("Pay Ms Okafor before 2024-02-01.", 600)
    assert data.startswith("Pay Ms Okafor before 2024-02-01; ")
    assert data.endswith(".")
    assert all(holds(data, fact) for fact in extract_facts(PROMPT))
    assert data.count("2024-02-01") == 1


def test_data_that_lacks_nothing_stays() -> None:
    assert FactKeeper("fix line 3").data("line 3 of the code.", 600) == "line 3 of the code."
    assert FactKeeper("fix it").data("No data given.", 600) == "No data given."


@pytest.mark.parametrize("empty", ["No data given.", "no data was given;", "No data is given"])
def test_data_does_not_deny_what_it_holds(empty: str) -> None:
    assert FactKeeper("use 12 kg").data(empty, 600) == "use 12 kg."
    data = FactKeeper("use 12 kg").data(f"{empty} Ask for the table.", 600)
    assert data == "use 12 kg. Ask for the table."


def test_a_fact_comes_with_the_clause_that_it_stands_in() -> None:
    keeper = FactKeeper("script for parents, pay in 5 x £17 possible. calls between 6-8pm")
    assert keeper.data("script for parents.", 600) == (
        "script for parents; pay in 5 x £17 possible; calls between 6-8pm."
    )
    full = keeper.constraints("Be kind.", "pay in 5 x £17 possible", 0, 600)
    assert full == "Be kind. Keep as typed: calls between 6-8pm."
    assert keeper.constraints("Be kind.", "pay in 5 x £17", 0, len(full) - 1).endswith(": 6; 8pm.")


def test_a_clause_that_is_told_in_part_is_not_told_again() -> None:
    keeper = FactKeeper("pay 1,200.50 EUR to Ms Okafor before 2024-02-01")
    assert keeper.data("Ms Okafor.", 600) == "Ms Okafor; 1,200.50 EUR; 2024-02-01."


def test_a_fact_of_pasted_matter_comes_with_its_line() -> None:
    prompt = (
        "make it small\n\nFROM node:20\nRUN npm install\nENV DB_PASSWORD=hunter2-prod\nEXPOSE 3000"
    )
    data = FactKeeper(prompt).data("make it small.", 600)
    assert data == "make it small; FROM node:20; ENV DB_PASSWORD=hunter2-prod; EXPOSE 3000."


def test_a_line_of_code_is_not_parted() -> None:
    prompt = "whats wrong\nprint(total, late_fee(13, 2))\nit says nothing"
    assert FactKeeper(prompt).data("whats wrong.", 600) == (
        "whats wrong; print(total, late_fee(13, 2))."
    )


def test_a_fact_of_a_long_clause_comes_alone() -> None:
    keeper = FactKeeper(f"{'and so on ' * 9}12 kg {'and so on ' * 9}")
    assert keeper.data("Nothing of it.", 600) == "Nothing of it; 12 kg."


@given(WORDS, WORDS, st.integers(0, 100))
def test_data_stays_within_the_limit(prompt: str, text: str, more: int) -> None:
    data = FactKeeper(prompt).data(text, len(text) + more)
    assert len(data) <= max(len(text) + more, len(text))


@given(WORDS, WORDS)
def test_every_fact_is_in_data_when_there_is_room(prompt: str, text: str) -> None:
    data = FactKeeper(prompt).data(text, 10_000)
    assert [fact.text for fact in extract_facts(prompt) if not holds(data, fact)] == []


def test_characters_that_no_band_may_hold_are_not_brought_in() -> None:
    data = FactKeeper('say "a\u202eb" to 7 EUR').data("to people", 600)
    assert data == "to people; 7 EUR."


def test_constraints_name_what_no_band_holds() -> None:
    rules = "Keep the tone polite."
    keeper = FactKeeper("12 kg, 7 MB")
    full = keeper.constraints(rules, "Give 12 kg.", 0, 1000)
    assert full == f"{rules} Keep as typed: 7 MB."
    assert keeper.constraints(rules, "12 kg and 7 MB", 0, 1000) == rules
    assert keeper.constraints(rules, "Give 12 kg.", 0, len(full) - 1) == rules


def test_constraints_outgrow_the_others_with_facts() -> None:
    rules, others = "Be brief.", "12 kg, 7 MB, 99 ms"
    full = FactKeeper(others).constraints(rules, others, 30, 20)
    assert full.startswith(f"{rules} Keep as typed: 12 kg")
    assert 30 < len(full) < 50
    assert FactKeeper("nothing").constraints(rules, others, 30, 1000) == rules


def test_all_facts_that_fit_come_before_what_they_stand_in() -> None:
    lines = [
        f"guest paid for the bus and the lunch on the second day {17 * n + 101} EUR"
        for n in range(45)
    ]
    prompt = "\n".join(["make a table", *lines])
    data = FactKeeper(prompt).data("make a table.", 600)
    assert all(holds(data, fact) for fact in extract_facts(prompt))
    assert len(data) <= 600
    few = "\n".join(["make a table", *lines[:4]])
    assert FactKeeper(few).data("make a table.", 600) == f"make a table; {'; '.join(lines[:4])}."


@pytest.mark.parametrize(
    "prompt",
    [
        'order 3 of "red, 12 cm" for Anna',
        "he paid, 12 (or 13, ok) and «14, ok»",
        "set a[1] and b[22] please",
        f"foo_bar(1, 2) 30% {'and so on ' * 12}and (see 4, 5) so that 12",
        "x = [1, 2,\n3, 4]\nwhy",
        "for (int i = 0; i < 12; i++) { a[i] = 0; }\nwhy does it stop at 12",
        "i pay 12 EUR so that he may then go on and have a good time at it it  3.5 kg of flour and a lot more",
    ],
)
def test_nothing_is_torn_by_what_a_fact_comes_with(prompt: str) -> None:
    """Every piece of DATA closes what it opens, and every number of it is one of the prompt's."""
    data = FactKeeper(prompt).data("Nothing of it.", 600)
    facts = extract_facts(prompt)
    assert all(holds(data, fact) for fact in facts)
    plain = [fact.text for fact in facts]
    for piece in data.removeprefix("Nothing of it; ").removesuffix(".").split("; "):
        if piece not in plain:
            assert all(piece.count(a) == piece.count(b) for a, b in ("()", "[]", "{}", "«»")), piece
            assert piece.count('"') % 2 == 0, piece
        assert set(re.findall(r"\d[\d.]*\d|\d", piece)) <= set(re.findall(r"\d[\d.]*\d|\d", prompt))


@pytest.mark.parametrize(
    "prompt",
    [
        " ".join(f"{n * 7919 % 100_003}ms" for n in range(2500)),
        "\n".join(
            f"2024-02-01 12:{n % 60:02}:07 INFO worker[{n}] took {n * 7919 % 100_003}ms id=a{n}"
            for n in range(400)
        ),
        "\n".join(f"guest {n} paid for the bus {17 * n + 101} EUR" for n in range(700)),
    ],
    ids=["line", "log", "list"],
)
def test_a_prompt_full_of_facts_takes_little_time(prompt: str) -> None:
    """A close is asked for at many tokens; a pasted log must not make each of them slow."""
    keeper = FactKeeper(prompt)
    began = time.process_time()
    keeper.data("Nothing of it.", 600)
    keeper.constraints("Keep it.", "x" * 1500, 600, 1000)
    assert time.process_time() - began < 1.0
