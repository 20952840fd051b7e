"""`sinc-tui distill`: train and judge a student of your own. Bodies import what they need."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sinc_tui.cli.diagnostics import DONE, FAILED, complain
from sinc_tui.cli.output import write
from sinc_tui.cli.teaching import correct, generate
from sinc_tui.cli.training import average, export, quantize, train
from sinc_tui.errors import SincError

if TYPE_CHECKING:
    from sinc_tui.distill.baselines import Student
    from sinc_tui.distill.dataset import Example

_STYLES = ("plain", "rich")
_BASELINES = ("teacher", "scatter", "echo")


@click.group()
def distill() -> None:
    """Train and judge a student of your own.

    Needs the extra `distill`: in a clone, pip install -e '.[distill]'.
    """


distill.add_command(generate)
distill.add_command(correct)
distill.add_command(train)
distill.add_command(average)
distill.add_command(export)
distill.add_command(quantize)


@distill.command(short_help="Check examples before they are trained on.")
@click.argument("source", metavar="FILE|plain|rich|corrections")
@click.option("--all", "every", is_flag=True, help="List every example that breaks a rule.")
def check(source: str, every: bool) -> int:
    """Check examples against the format's rules, their facts, and for duplicates and spread.

    FILE is JSON Lines as `distill generate` writes them; `plain`, `rich` and `corrections` ship with this.
    The exit code is 1 when an example must not be trained on.
    """
    from sinc_tui.distill.check import check_examples, report_text
    from sinc_tui.distill.dataset import load_examples

    report = check_examples(load_examples(source))
    write(report_text(report))
    if every:
        for finding in report.findings:
            for where, problem in finding.broken:
                write(f"{where}\t{finding.title}\t{problem}")
    return DONE if report.passed else FAILED


@distill.command(short_help="Judge students side by side and write a report.")
@click.argument("students", metavar="STUDENT...", nargs=-1, required=True)
@click.option(
    "--prompts",
    default="plain",
    show_default=True,
    metavar="plain|rich|FILE",
    help="The dev set of the shipped data, or every prompt of a file (.jsonl or .txt).",
)
@click.option("--limit", type=click.IntRange(min=1), help="Only so many prompts, always the same.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="evaluation",
    show_default=True,
    metavar="FOLDER",
)
@click.option(
    "--goal", type=click.Choice(["tiny", "small"]), help="Fail unless the first student reaches it."
)
def evaluate(
    students: Sequence[str], prompts: str, limit: int | None, out: Path, goal: str | None
) -> int:
    """Run students over prompts and write report.json, report.html, report.svg and all outputs.

    A STUDENT is a model (a GGUF file, or a name such as `tiny`), or `teacher`, `scatter` (the rules of
    sinc-prompt), `echo` (the prompt in every band), or an outputs file of an earlier report. Behind a
    model, `:free` takes every mask off, `:bare` only what guards facts, `:parallel` writes the bands
    side by side.
    """
    from sinc_tui.distill.evaluation import evaluate as judge
    from sinc_tui.distill.report import Report, missed_goals, table, write_report

    examples, source = _prompts(prompts, limit)
    opened = [_student(spec, examples) for spec in students]
    evaluations = []
    for student in opened:
        with click.progressbar(length=len(examples), label=student.name, file=sys.stderr) as bar:
            evaluation = judge(student, examples, bar.update)
        if examples and all(row.made.error for row in evaluation.rows):
            raise SincError(f"{student.name} answered no prompt: {evaluation.rows[0].made.error}")
        evaluations.append(evaluation)
    report = Report(source, examples, evaluations)
    write_report(out, report)
    write(table(report))
    click.echo(f"\nwritten: {out / 'report.html'}", err=True)
    missed = missed_goals(evaluations[0], goal) if goal else []
    for line in missed:
        complain(f"{evaluations[0].name} misses the goal {goal}: {line}")
    return FAILED if missed else DONE


def _prompts(source: str, limit: int | None) -> tuple[list[Example], str]:
    """The prompts and where they come from; a limit takes a sample that depends on nothing else."""
    from sinc_tui.distill.dataset import load_examples, load_prompts, sampled, split

    if source in _STYLES:
        examples, name = split(load_examples(source))[1], f"dev set of the {source} data"
    else:
        examples, name = load_prompts(source), Path(source).name
    if limit is not None and limit < len(examples):
        return sampled(examples, limit), f"{limit} of the {name}"
    return examples, name


def _student(spec: str, examples: Sequence[Example]) -> Student:
    from sinc_tui.distill import baselines

    if spec == "teacher":
        return baselines.Teacher.of(e for e in examples if e.bands)
    if spec in _BASELINES:
        return baselines.Scatter() if spec == "scatter" else baselines.Echo()
    if spec.endswith(".jsonl"):
        return baselines.load_decompositions(Path(spec))
    from sinc_tui.distill.student import open_student

    model, *modes = spec.split(":")
    others = ":".join([model, *(mode for mode in modes if mode != "free")])
    return open_student(others, free="free" in modes)
