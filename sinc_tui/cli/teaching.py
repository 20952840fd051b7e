"""`sinc-tui distill generate` and `correct`: what a large model is asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sinc_tui.cli.diagnostics import DONE, FAILED, complain
from sinc_tui.errors import InputError
from sinc_tui.sinc.bands import Band

if TYPE_CHECKING:
    from sinc_tui.distill.assignments import Assignment
    from sinc_tui.distill.dataset import Example, Style
    from sinc_tui.distill.teacher_api import Api

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _teacher_options(command: _Command) -> _Command:
    """The options of every command that asks a teacher; `_run` takes them."""
    options = [
        click.option(
            "--api", type=click.Choice(["anthropic", "openai"]), default="anthropic",
            show_default=True,
        ),
        click.option("--model", required=True, help="The teacher, by the name that the server knows."),
        click.option(
            "--base-url", metavar="URL", help="Another server that speaks the same, such as vLLM."
        ),
        click.option("--concurrency", type=click.IntRange(1, 256), default=4, show_default=True),
        click.option(
            "--limit", type=click.IntRange(min=1),
            help="Only so many of the prompts, always the same.",
        ),
        click.option(
            "--price", nargs=2, type=click.FloatRange(min=0), metavar="READ WRITTEN",
            help="Dollars for a million tokens.",
        ),
        click.option(
            "--max-cost", type=click.FloatRange(min=0), metavar="DOLLARS",
            help="Begin no prompt beyond this.",
        ),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command(short_help="Let a large model write examples for raw prompts.")
@click.argument("prompts", metavar="PROMPTS")
@_teacher_options
@click.option("--style", type=click.Choice(["plain", "rich"]), default="plain", show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path), default="training_data.jsonl", show_default=True,
    metavar="FILE",
)  # fmt: skip
def generate(prompts: str, style: Style, **options: Any) -> int:
    """Ask a teacher for the six bands of raw prompts and write them as training examples.

    PROMPTS is a file: .txt with a prompt on each line, or .jsonl with a key `prompt`. Keys are read
    from ANTHROPIC_API_KEY or OPENAI_API_KEY. The same command goes on where a run has stopped. Answers
    that stay invalid are kept apart in FILE's .dropped.jsonl.
    """
    from sinc_tui.distill.assignments import Writing
    from sinc_tui.distill.dataset import load_prompts

    return _run(Writing(style), load_prompts(prompts), **options)


@click.command(short_help="Let a large model correct what a student wrote.")
@click.argument("documents", type=click.Path(path_type=Path), metavar="DOCUMENTS")
@_teacher_options
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE",
    help="Where a prompt stands already it is not asked again.  [default: corrections-STUDENT.jsonl]",
)  # fmt: skip
def correct(documents: Path, out: Path | None, **options: Any) -> int:
    """Ask a teacher to mend a student's bands, with few changes, and write both as training examples.

    DOCUMENTS is a file outputs-STUDENT.jsonl of `distill evaluate STUDENT:bare:parallel --prompts FILE`:
    the student's own words, without those that the decoder adds. `distill train` then learns each
    corrected document, and to rank a correction above what the student wrote. Prompts of the dev set and
    those that got no document are left out. The rest is as in `distill generate`.
    """
    from sinc_tui.distill.assignments import Correcting
    from sinc_tui.distill.dataset import load_prompts, split

    rows = load_prompts(documents)
    whole = [row for row in rows if all(row.bands.get(band, "").strip() for band in Band)]
    asked, dev = split(whole)
    if not asked:
        raise InputError(
            f"{documents} holds no document on a prompt that may be trained on.",
            hint="Let a student write some: sinc-tui distill correct --help.",
        )
    if len(asked) < len(rows):
        complain(
            f"left out: {len(rows) - len(whole)} without a document, {len(dev)} of the dev set"
        )
    student = documents.stem.removeprefix("outputs-")
    asked = [replace(document, id=f"{student}-{document.id}") for document in asked]
    out = out or Path(f"corrections-{student}.jsonl")
    if out.resolve() == documents.resolve():
        raise InputError(f"--out is {documents} itself.", hint="Name another file.")
    return _run(Correcting(), asked, out=out, **options)


def _run(
    assignment: Assignment,
    examples: Sequence[Example],
    *,
    limit: int | None,
    api: Api,
    model: str,
    base_url: str | None,
    out: Path,
    concurrency: int,
    price: tuple[float, float] | None,
    max_cost: float | None,
) -> int:
    import asyncio

    from sinc_tui.distill.dataset import sampled
    from sinc_tui.distill.teacher import Generator, Output, Tally, price_of
    from sinc_tui.distill.teacher_api import open_api

    examples = examples if limit is None else sampled(examples, limit)
    cost = price_of(model, price)
    if max_cost is not None and cost is None:
        raise click.UsageError(
            f"--max-cost needs --price, for the prices of {model} are not known."
        )
    teacher = open_api(api, model, base_url=base_url)
    generator = Generator(teacher, assignment, concurrency=concurrency)
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
