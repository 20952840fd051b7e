"""Students are run, judged and reported; bad ones come out bad."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sinc_tui.distill import scores
from sinc_tui.distill.baselines import (
    Decomposition,
    Echo,
    Saved,
    Scatter,
    Teacher,
    load_decompositions,
    save_decompositions,
)
from sinc_tui.distill.charts import Bar, Group, bar_chart
from sinc_tui.distill.dataset import Example, load_examples, sampled, split
from sinc_tui.distill.evaluation import evaluate
from sinc_tui.distill.report import Report, missed_goals, percent, rounded, table, write_report
from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return sampled(split(load_examples("plain"))[1], 30)


@dataclass(frozen=True)
class Scripted:
    """A student that answers what a function says."""

    name: str
    answer: Callable[[str], Decomposition]

    def decompose(self, prompt: str) -> Decomposition:
        return self.answer(prompt)


@dataclass(frozen=True)
class Broken:
    """A student that never answers."""

    name: str = "broken"
    asked: list[str] = field(default_factory=list)

    def decompose(self, prompt: str) -> Decomposition:
        self.asked.append(prompt)
        raise SincError("The engine is gone.")


def changed(
    examples: list[Example], change: Callable[[dict[Band, str]], Mapping[Band, str]]
) -> Scripted:
    """The teacher with its bands changed."""
    answers = {e.prompt: e.bands for e in examples}
    return Scripted("changed", lambda prompt: Decomposition(change(dict(answers[prompt]))))


def figures(
    student: Teacher | Echo | Scatter | Scripted | Broken | Saved, examples: list[Example]
) -> dict[str, float | None]:
    return scores.summary(evaluate(student, examples).rows)


def test_the_teacher_reaches_every_goal_that_can_be_asked_of_it(examples: list[Example]) -> None:
    evaluation = evaluate(Teacher.of(examples), examples)

    assert all(row.valid for row in evaluation.rows)
    assert missed_goals(evaluation, "tiny") == [
        "valid with no mask at all: –, must be at least 97.0%"
    ]


def test_the_echo_keeps_all_facts_and_is_never_valid(examples: list[Example]) -> None:
    result = figures(Echo(), examples)

    assert result["facts_kept"] == 1.0
    assert result["valid"] == 0.0
    assert (result["repeats"] or 0) > 0.8


def test_rules_without_a_model_are_seldom_valid(examples: list[Example]) -> None:
    result = figures(Scatter(), examples)

    assert (result["valid"] or 0) < 0.5
    assert result["duplicates"] == 1.0


def test_a_student_without_answers_loses_everything_and_the_run_goes_on(
    examples: list[Example],
) -> None:
    student = Broken()

    evaluation = evaluate(student, examples)
    result = scores.summary(evaluation.rows)

    assert student.asked == [e.prompt for e in examples]
    assert evaluation.rows[0].reasons == ("The engine is gone.",)
    assert result["valid"] == 0.0
    assert result["facts_kept"] == 0.0
    assert result["closest"] == 0.0


def test_progress_counts_every_prompt(examples: list[Example]) -> None:
    steps: list[int] = []

    evaluate(Teacher.of(examples), examples, steps.append)

    assert sum(steps) == len(examples)


@pytest.mark.parametrize(
    ("band", "text", "figure"),
    [
        (Band.DATA, "77123 and 88123 of it.", "foreign_numbers"),
        (Band.CONSTRAINTS, "Use the table and the data. " * 12, "loops"),
        (Band.PERSONA, "You are a helpful assistant.", "empty"),
    ],
)
def test_what_a_bad_band_does_to_the_figures(
    examples: list[Example], band: Band, text: str, figure: str
) -> None:
    result = figures(changed(examples, lambda bands: {**bands, band: text}), examples)

    assert result[figure] is not None
    assert result[figure] == pytest.approx(1.0, abs=0.05)


def test_an_answer_to_another_prompt_is_noticed(examples: list[Example]) -> None:
    after = {a.prompt: b.bands for a, b in zip(examples, examples[1:] + examples[:1], strict=True)}

    result = figures(Scripted("swapped", lambda prompt: Decomposition(after[prompt])), examples)

    assert result["closest"] == 0.0
    assert (result["facts_kept"] or 0) < 0.5


def test_masks_speed_and_free_runs_come_from_the_student(examples: list[Example]) -> None:
    answers = {e.prompt: e.bands for e in examples}

    def answer(prompt: str) -> Decomposition:
        first = prompt == examples[0].prompt
        masks = {"number_guard": 3} if first else {}
        return Decomposition(answers[prompt], 100, 0.5, masks, valid_unmasked=not first)

    rows = evaluate(Scripted("counted", answer), examples).rows

    assert scores.summary(rows)["speed"] == pytest.approx(200)
    assert scores.summary(rows)["valid_unmasked"] == pytest.approx(29 / 30)
    assert scores.masks(rows) == {"number_guard": {"documents": 1 / 30, "uses": 3 / 30}}


def test_kinds_and_bands_add_up(examples: list[Example]) -> None:
    rows = evaluate(Teacher.of(examples), examples).rows

    kinds = scores.by_kind(rows)
    bands = scores.by_band(rows)

    assert sum(own["documents"] or 0 for own in kinds.values()) == len(examples)
    assert list(bands) == [band.value for band in Band]
    longest = max(bands, key=lambda band: bands[band]["length_median"] or 0)
    assert longest == "CONSTRAINTS"
    assert (bands["DATA"]["facts_held"] or 0) > 0.8


def test_a_report_is_whole(examples: list[Example], tmp_path: Path) -> None:
    evil = Scripted(
        "<b>&'", lambda prompt: Decomposition(dict.fromkeys(Band, "<script>x</script>"))
    )
    report = Report(
        "thirty", examples, [evaluate(s, examples) for s in (Teacher.of(examples), evil)]
    )

    written = write_report(tmp_path, report)

    data = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert [student["name"] for student in data["students"]] == ["teacher", "<b>&'"]
    assert data["prompts"]["count"] == 30
    assert data["students"][0]["all"]["valid"] == 1.0
    assert "<script>x" not in page
    assert "<b>&'" not in page
    assert not re.search(r"(?:src|href)=", page)
    assert page.count("<details>") == len(examples)
    ET.fromstring((tmp_path / "report.svg").read_text(encoding="utf-8"))
    assert all(path.is_file() for path in written)
    assert len(written) == 5


def test_a_report_can_be_made_again_from_its_outputs(
    examples: list[Example], tmp_path: Path
) -> None:
    first = Report("thirty", examples, [evaluate(Teacher.of(examples), examples)])
    *_, outputs = write_report(tmp_path, first)

    again = Report("thirty", examples, [evaluate(load_decompositions(outputs), examples)])

    assert rounded(again.figures()) == rounded(first.figures())
    assert table(again) == table(first)


def test_saved_outputs_keep_every_field(tmp_path: Path) -> None:
    made = Decomposition(
        dict.fromkeys(Band, "a ü \n"),
        7,
        1.25,
        {"m": 2},
        valid_unmasked=False,
        notes=("cut",),
        error="e",
    )
    path = tmp_path / "o.jsonl"
    save_decompositions(path, "me", [("p", made)])

    saved = load_decompositions(path)

    assert saved.name == "me"
    assert saved.decompose("p") == made
    with pytest.raises(SincError):
        saved.decompose("q")


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n', encoding="utf-8")

    with pytest.raises(SincError, match="holds no decompositions"):
        load_decompositions(path)


def test_a_sample_is_always_the_same(examples: list[Example]) -> None:
    few = sampled(examples, 10)

    assert len(few) == 10
    assert few == sampled(examples, 10)
    assert {e.id for e in few} == {e.id for e in sampled(list(reversed(examples)), 10)}


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "100.0%"), (0.9999, ">99.9%"), (0.0, "0.0%"), (0.0001, "<0.1%"), (0.123, "12.3%")],
)
def test_shares_never_look_better_than_they_are(value: float, text: str) -> None:
    assert percent(value) == text


def test_a_chart_is_well_formed_and_to_scale() -> None:
    svg = bar_chart(
        "a < b",
        ["one & two", "three"],
        [
            Group("row", [Bar(0.25, "25%"), Bar(0.5, "50%", (0.2, 0.9))]),
            Group("none", [Bar(None, "–"), Bar(2.0, "x")]),
        ],
        width=600,
    )

    root = ET.fromstring(svg)
    widths = [
        float(rect.attrib["width"])
        for rect in root.iter("{http://www.w3.org/2000/svg}rect")
        if rect.attrib.get("height") == "12" and rect.attrib["width"] != "12"
    ]
    assert widths[1] == pytest.approx(2 * widths[0], abs=0.3)
    assert widths[2] == pytest.approx(4 * widths[0], abs=0.3)
    assert "one & two" in "".join(root.itertext())
