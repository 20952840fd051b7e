"""The shipped examples, their split, and the replacing of numbers."""

from __future__ import annotations

import json
import lzma
import random
from dataclasses import replace
from pathlib import Path

import pytest

from sinc_tui.distill.dataset import (
    Example,
    Style,
    data_hash,
    example_line,
    is_dev,
    jitter_numbers,
    load_examples,
    load_prompts,
    split,
)
from sinc_tui.distill.jitter import NUMBER
from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band

STYLES: tuple[Style, ...] = ("plain", "rich")


def example(prompt: str, data: str, **bands: str) -> Example:
    texts = {band: bands.get(band.value, "x") for band in Band} | {Band.DATA: data}
    return Example("e-1", "test", prompt, texts, "plain")


@pytest.mark.parametrize(("style", "count"), [("plain", 12202), ("rich", 1727)])
def test_the_shipped_examples_are_whole(style: str, count: int) -> None:
    examples = load_examples(style)

    assert len(examples) == count
    assert len({e.id for e in examples}) == count
    assert all(e.style == style and list(e.bands) == list(Band) for e in examples)
    assert all(text.strip() for e in examples for text in e.bands.values())


def test_corrections_differ_from_what_they_replace_and_touch_no_dev_prompt() -> None:
    corrections = load_examples("corrections")

    assert len({e.id for e in corrections}) == len(corrections) == 4079
    assert sum(len(e.rejected) for e in corrections) == 10245
    assert all(text != e.bands[b] for e in corrections for b, text in e.rejected.items())
    assert not any(is_dev(e.prompt) for e in corrections)


def test_both_styles_split_alike() -> None:
    plain_train, plain_dev = split(load_examples("plain"))
    rich_train, rich_dev = split(load_examples("rich"))

    assert {e.prompt for e in rich_dev}.isdisjoint(e.prompt for e in plain_train)
    assert {e.prompt for e in plain_dev}.isdisjoint(e.prompt for e in rich_train)
    assert 0.08 < len(rich_dev) / (len(rich_dev) + len(rich_train)) < 0.12


def test_a_tenth_of_all_prompts_is_dev() -> None:
    """Of later plain examples the dev share was left out, so that the dev set stays as it is."""
    assert 0.09 < sum(is_dev(f"prompt number {n}") for n in range(10_000)) / 10_000 < 0.11


def test_a_prompt_is_dev_whatever_its_case_and_blanks() -> None:
    prompt = next(e.prompt for e in load_examples("plain") if is_dev(e.prompt) and " " in e.prompt)

    assert is_dev("  " + prompt.upper().replace(" ", " \n "))


def test_a_file_is_read_plain_or_compressed(tmp_path: Path) -> None:
    kept = example("sort 12 ducks", "12 ducks.")
    text = example_line(kept) + "\n\n" + example_line(kept) + "\n"
    plain, packed = tmp_path / "some.jsonl", tmp_path / "some.jsonl.xz"
    plain.write_text(text, encoding="utf-8")
    packed.write_bytes(lzma.compress(text.encode()))

    assert load_examples(plain) == load_examples(packed) == [kept, kept]


@pytest.mark.parametrize(
    "line",
    [
        "{", "[]", '{"id": "a"}',
        json.dumps({"id": 1, "kind": "k", "prompt": "p", "bands": dict.fromkeys(Band, "x")}),
    ],
)  # fmt: skip
def test_a_line_that_is_no_example_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(f"\n{line}\n", encoding="utf-8")

    with pytest.raises(SincError, match=r"bad\.jsonl:2 is no example"):
        load_examples(path)


def test_what_was_rejected_is_kept_and_gets_the_same_other_numbers(tmp_path: Path) -> None:
    kept = replace(example("sort 12 ducks", "12 ducks."), rejected={Band.TASK: "Sort 12 sorts."})
    path = tmp_path / "some.jsonl"
    path.write_text(example_line(kept) + "\n", encoding="utf-8")
    assert load_examples(path) == [kept]

    other = jitter_numbers(kept, random.Random(1))
    (number,) = NUMBER.findall(other.prompt)
    assert number != "12"
    assert NUMBER.findall(other.rejected[Band.TASK]) == [number]


def test_a_fresh_number_is_none_of_those_that_were_rejected() -> None:
    wrong = " ".join(str(n) for n in range(10, 100) if n not in (12, 57))
    kept = replace(example("sort 12 ducks", "12 ducks."), rejected={Band.TASK: f"Sort {wrong}."})

    other = {jitter_numbers(kept, random.Random(seed)).prompt for seed in range(40)}
    assert other <= {"sort 12 ducks", "sort 57 ducks"}
    assert len(other) == 2


@pytest.mark.parametrize(
    "rejected", ['{"TASKS": "x"}', '{"TASK": 1}', '["TASK"]', '{"TASK": " "}', "null"]
)
def test_what_was_rejected_is_text_by_band(tmp_path: Path, rejected: str) -> None:
    path = tmp_path / "some.jsonl"
    line = example_line(example("sort 12 ducks", "12 ducks."))
    path.write_text(line[:-1] + f', "rejected": {rejected}}}\n', encoding="utf-8")
    with pytest.raises(SincError, match=r"some\.jsonl:1 is no example"):
        load_examples(path)


def test_a_missing_file_is_an_error_that_can_be_shown(tmp_path: Path) -> None:
    with pytest.raises(SincError, match="can't be read"):
        load_examples(tmp_path / "none.jsonl")


def test_prompts_come_from_text_or_json_lines(tmp_path: Path) -> None:
    text, lines = tmp_path / "p.txt", tmp_path / "p.jsonl"
    text.write_text("fix it\n\n  sort 12 ducks \n", encoding="utf-8")
    whole = example_line(example("whole", "x"))
    lines.write_text('{"prompt": "fix it", "kind": "bug"}\n' + whole + "\n", encoding="utf-8")

    assert [(p.id, p.prompt, p.bands) for p in load_prompts(text)] == [
        ("1", "fix it", {}),
        ("3", "sort 12 ducks", {}),
    ]
    assert [(p.id, p.kind, len(p.bands)) for p in load_prompts(lines)] == [
        ("1", "bug", 0),
        ("e-1", "test", 6),
    ]


def test_a_line_without_a_prompt_is_named(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"text": "fix it"}\n', encoding="utf-8")

    with pytest.raises(SincError, match=r"p\.jsonl:1 holds no prompt"):
        load_prompts(path)


def test_the_data_hash_sees_content_and_order() -> None:
    a, b = example("a 10", "10"), example("b 20", "20")

    assert data_hash([a, b]) != data_hash([b, a])
    assert data_hash([a, b]) == data_hash([a, b])


@pytest.mark.parametrize("style", STYLES)
def test_jitter_keeps_what_the_data_promises(style: Style) -> None:
    rng = random.Random(7)
    changed = 0
    for before in load_examples(style):
        after = jitter_numbers(before, rng)
        changed += after != before
        assert [len(t) for t in texts(after)] == [len(t) for t in texts(before)]
        assert [NUMBER.sub("#", t) for t in texts(after)] == [
            NUMBER.sub("#", t) for t in texts(before)
        ]
        assert lost(after) <= lost(before), after.id
        assert foreign(after) <= foreign(before), after.id
    assert changed > 600


def texts(e: Example) -> list[str]:
    return [e.prompt, *e.bands.values()]


def lost(e: Example) -> int:
    everything = " ".join(e.bands.values())
    return sum(number not in everything for number in set(NUMBER.findall(e.prompt)))


def foreign(e: Example) -> int:
    data = set(NUMBER.findall(e.bands[Band.DATA]))
    return sum(len(number) > 1 and number not in e.prompt for number in data)


def test_a_number_changes_alike_everywhere_and_keeps_its_shape() -> None:
    before = example("pay 42,500 at 18%", "42,500; 18%.", TASK="Add 18% to 42,500.")

    after = jitter_numbers(before, random.Random(1))

    amount, rate = NUMBER.findall(after.prompt)
    assert amount != "42,500"
    assert amount[2] == ","
    assert rate != "18"
    assert after.bands[Band.DATA] == f"{amount}; {rate}%."
    assert after.bands[Band.TASK] == f"Add {rate}% to {amount}."


@pytest.mark.parametrize(
    "prompt",
    [
        "read img_2045.png", "see https://a.example/p/2045?x=77", "use v12 of it", "hash 9f86d081",
        "on 2024-05-12", "at 09:30", "error 404 in nginx", "python 3.11 fails", "host 10.0.0.12",
        "mail bob99@example.org", "5 ducks", "august 31", "the 15th floor",
    ],
)  # fmt: skip
def test_numbers_that_mean_something_where_they_stand_stay(prompt: str) -> None:
    before = example(prompt, prompt + ".")

    assert jitter_numbers(before, random.Random(2)) == before


def test_one_fixed_place_keeps_the_number_everywhere() -> None:
    before = example("42 rows in table_42.csv", "42 rows; table_42.csv.")

    assert jitter_numbers(before, random.Random(3)) == before


def test_a_number_that_a_band_spells_out_stays() -> None:
    before = example("give me 10 names", "10 names.", TASK="Give ten names.")

    assert jitter_numbers(before, random.Random(4)) == before


def test_a_year_stays_a_year() -> None:
    before = example("taxes for 2023 please", "2023.")
    years = {
        int(NUMBER.findall(jitter_numbers(before, random.Random(seed)).prompt)[0])
        for seed in range(60)
    }

    assert len(years) > 20
    assert all(1900 <= year <= 2099 for year in years)
