"""The report of an evaluation: figures as JSON, a page with plots and every output, a picture."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sinc_tui.distill import scores
from sinc_tui.distill.baselines import save_decompositions
from sinc_tui.distill.charts import Bar, Group, bar_chart
from sinc_tui.distill.dataset import Example, data_hash
from sinc_tui.distill.evaluation import Evaluation
from sinc_tui.distill.scores import GOALS, METRICS, Metric, Value

PICTURED = ("valid", "valid_unmasked", "facts_kept", "foreign_numbers", "closest", "degenerate")
"""The figures in the picture, all shares."""


@dataclass(frozen=True, slots=True)
class Report:
    """Students that answered the same prompts.

    Attributes:
        source: where the prompts come from, in words.
    """

    source: str
    examples: Sequence[Example]
    evaluations: Sequence[Evaluation]

    def figures(self) -> dict[str, Any]:
        """Every figure, ready for JSON; `schema` counts up when the keys change."""
        return {
            "schema": 1,
            "prompts": {
                "source": self.source,
                "count": len(self.examples),
                "sha256": data_hash(self.examples),
            },
            "goals": GOALS,
            "students": [_student(evaluation) for evaluation in self.evaluations],
        }


def write_report(folder: Path, report: Report) -> list[Path]:
    """Write `report.json`, `report.html`, `report.svg` and one `.jsonl` of outputs for each student."""
    from sinc_tui.distill.page import page

    folder.mkdir(parents=True, exist_ok=True)
    figures = json.dumps(rounded(report.figures()), ensure_ascii=False, indent=1)
    files = {
        folder / "report.json": figures + "\n",
        folder / "report.html": page(report),
        folder / "report.svg": picture(report) + "\n",
    }
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    outputs = [_save_outputs(folder, evaluation) for evaluation in report.evaluations]
    return [*files, *outputs]


def picture(report: Report) -> str:
    """The main figures of all students as one SVG."""
    return bar_chart(
        f"Students on {len(report.examples)} prompts, {report.source} (↑ more is better, ↓ less)",
        [evaluation.name for evaluation in report.evaluations],
        [
            Group(
                f"{metric.title} {'↑' if metric.better == 'more' else '↓'}",
                [_bar(metric, metric.measure(e.rows)) for e in report.evaluations],
            )
            for metric in METRICS
            if metric.key in PICTURED
        ],
        width=1000,
    )


def shown(metric: Metric, value: Value) -> str:
    """A figure as a person reads it; a dash where there is none."""
    if value is None:
        return "–"
    if metric.unit == "share":
        return percent(value)
    return f"{value:.2f}" if metric.unit == "seconds" else f"{value:.0f}"


def percent(value: float) -> str:
    """A share in per cent with one decimal; never rounded up to 100% or down to 0%."""
    text = f"{100 * value:.1f}%"
    if text == "100.0%" and value < 1:
        return ">99.9%"
    return "<0.1%" if text == "0.0%" and value > 0 else text


def table(report: Report) -> str:
    """The main figures as text, a line for each, with the goals of the tiers."""
    names = [evaluation.name for evaluation in report.evaluations]
    rows = [["", *names, *(f"goal {tier}" for tier in GOALS)]]
    for metric in METRICS:
        values = [metric.measure(evaluation.rows) for evaluation in report.evaluations]
        goals = [goal_text(metric, tier) for tier in GOALS]
        rows.append([metric.title, *(shown(metric, value) for value in values), *goals])
    return aligned(rows)


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[int] | None = None) -> str:
    """Cells in columns; those of the columns `right` (None: all but the first) to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    to_right = range(1, len(widths)) if right is None else right
    lines = [
        "  ".join(
            cell.rjust(width) if at in to_right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def missed_goals(evaluation: Evaluation, tier: str) -> list[str]:
    """The goals of a tier that a student misses or that were not measured, one sentence each."""
    missed = []
    for metric in METRICS:
        goal = GOALS[tier].get(metric.key)
        if goal is None:
            continue
        value = metric.measure(evaluation.rows)
        if not scores.reaches(metric, value, goal):
            bound = "at least" if metric.better == "more" else "at most"
            missed.append(
                f"{metric.title}: {shown(metric, value)}, must be {bound} {percent(goal)}"
            )
    return missed


def rounded(value: Any) -> Any:
    """The same structure with numbers of five decimals, so that a committed report stays readable."""
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value


def _student(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "name": evaluation.name,
        "all": scores.summary(evaluation.rows),
        "masks": scores.masks(evaluation.rows),
        "bands": scores.by_band(evaluation.rows),
        "kinds": scores.by_kind(evaluation.rows),
    }


def _bar(metric: Metric, value: Value) -> Bar:
    return Bar(value, shown(metric, value) if value is not None else "not measured")


def goal_text(metric: Metric, tier: str) -> str:
    """What a tier has to reach in a figure; empty where it has no goal."""
    goal = GOALS[tier].get(metric.key)
    return "" if goal is None else f"{'≥' if metric.better == 'more' else '≤'} {percent(goal)}"


def _save_outputs(folder: Path, evaluation: Evaluation) -> Path:
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in evaluation.name).strip("-.")
    path = folder / f"outputs-{safe or 'student'}.jsonl"
    answers: Iterable[tuple[str, Any]] = ((row.example.prompt, row.made) for row in evaluation.rows)
    save_decompositions(path, evaluation.name, answers)
    return path
