"""`sinc-tui distill`: train and judge a student of your own. Bodies import what they need."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sinc_tui.cli.diagnostics import DONE, FAILED, complain
from sinc_tui.cli.output import write
from sinc_tui.cli.training import average, export, quantize, train
from sinc_tui.errors import SincError

if TYPE_CHECKING:
    from sinc_tui.distill.baselines import Student
    from sinc_tui.distill.dataset import Example, Style
    from sinc_tui.distill.teacher_api import Api

_STYLES = ("plain", "rich")
_BASELINES = ("teacher", "scatter", "echo")


@click.group()
def distill() -> None:
    """Train and judge a student of your own.

    Needs the extra `distill`: in a clone, pip install -e '.[distill]'.
    """


distill.add_command(train)
distill.add_command(average)
distill.add_command(export)
distill.add_command(quantize)


@distill.command(short_help="Let a large model write examples for raw prompts.")
@click.argument("prompts", metavar="PROMPTS")
@click.option(
    "--api", type=click.Choice(["anthropic", "openai"]), default="anthropic", show_default=True
)
@click.option("--model", required=True, help="The teacher, by the name that the server knows.")
@click.option(
    "--base-url", metavar="URL", help="Another server that speaks the same, such as vLLM."
)
@click.option("--style", type=click.Choice(_STYLES), default="plain", show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="training_data.jsonl",
    show_default=True,
    metavar="FILE",
)
@click.option("--concurrency", type=click.IntRange(1, 256), default=4, show_default=True)
@click.option(
    "--limit", type=click.IntRange(min=1), help="Only so many of the prompts, always the same."
)
@click.option(
    "--price",
    nargs=2,
    type=click.FloatRange(min=0),
    metavar="READ WRITTEN",
    help="Dollars for a million tokens.",
)
@click.option(
    "--max-cost",
    type=click.FloatRange(min=0),
    metavar="DOLLARS",
    help="Begin no prompt beyond this.",
)
def generate(prompts: str, limit: int | None, **options: Any) -> int:
    """Ask a teacher for the six bands of raw prompts and write them as training examples.

    PROMPTS is a file: .txt with a prompt on each line, or .jsonl with a key `prompt`. Keys are read
    from ANTHROPIC_API_KEY or OPENAI_API_KEY. The same command goes on where a run has stopped. Answers
    that stay invalid are kept apart in FILE's .dropped.jsonl.
    """
    from sinc_tui.distill.dataset import load_prompts, sampled

    examples = load_prompts(prompts)
    if limit is not None:
        examples = sampled(examples, limit)
    return _generate(examples, **options)


def _generate(
    examples: Sequence[Example],
    *,
    api: Api,
    model: str,
    base_url: str | None,
    style: Style,
    out: Path,
    concurrency: int,
    price: tuple[float, float] | None,
    max_cost: float | None,
) -> int:
    import asyncio

    from sinc_tui.distill.teacher import Generator, Output, Tally, price_of
    from sinc_tui.distill.teacher_api import open_api

    cost = price_of(model, price)
    if max_cost is not None and cost is None:
        raise click.UsageError(
            f"--max-cost needs --price, for the prices of {model} are not known."
        )
    teacher = open_api(api, model, base_url=base_url)
    generator = Generator(teacher, style, concurrency=concurrency)
    with click.progressbar(
        length=len(examples),
        label="examples",
        file=sys.stderr,
        item_show_func=lambda item: item or "",
    ) as bar:

        def show(tally: Tally) -> None:
            done = tally.skipped + tally.made + len(tally.dropped) + len(tally.failed)
            bar.update(done - bar.pos, tally.in_words(cost))

        def spent(tally: Tally) -> bool:
            return max_cost is not None and cost is not None and cost.of(tally.usage) >= max_cost

        async def run() -> Tally:
            try:
                return await generator.run(examples, Output(out), progress=show, stop=spent)
            finally:
                await teacher.close()

        tally = asyncio.run(run())
    click.echo(f"{out}: {tally.in_words(cost)}", err=True)
    for where, reasons in tally.dropped.items():
        complain(f"dropped {where}: {' '.join(reasons)}")
    for where, reason in tally.failed.items():
        complain(f"no answer to {where}: {reason}")
    return FAILED if tally.failed else DONE


@distill.command(short_help="Check examples before they are trained on.")
@click.argument("source", metavar="FILE|plain|rich")
@click.option("--all", "every", is_flag=True, help="List every example that breaks a rule.")
def check(source: str, every: bool) -> int:
    """Check examples against the format's rules, their facts, and for duplicates and spread.

    FILE is JSON Lines as `distill generate` writes them; `plain` and `rich` are the shipped data.
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
