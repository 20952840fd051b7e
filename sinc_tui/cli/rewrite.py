"""`sinc-tui rewrite`: one raw prompt in, one document out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from sinc_tui.cli.diagnostics import DONE, Narrator
from sinc_tui.cli.engine_options import engine_options, take_engine_options
from sinc_tui.cli.inputs import model_file, read_prompt, tell_settings_problems, usual_sampler
from sinc_tui.cli.output import write
from sinc_tui.errors import InputError

if TYPE_CHECKING:
    from sinc_tui.engine.protocol import EngineOptions, ModelInfo, RunStats, SamplerOptions
    from sinc_tui.events import Event, Finished
    from sinc_tui.models.default import ModelFile
    from sinc_tui.rewriter import Rewriter

FORMATS = ("json", "compact", "text", "markdown", "xml")
"""The exporters' names; written out, for the exporters are loaded only when one is needed."""
_MAX_SEED = 2**32 - 1


def _finite(_context: click.Context, _option: click.Parameter, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise click.BadParameter("must be a number.")
    return value


@click.command(short_help="Turn a raw prompt into a sinc document on stdout.")
@click.argument("prompt", required=False)
@click.option("--file", metavar="PATH", help="Read the prompt from a file.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="json", show_default=True)
@click.option(
    "--seed",
    type=click.IntRange(0, _MAX_SEED),
    help="0: the likeliest text; any other: a variation, the same for the same seed. [default: 0]",
)
@click.option(
    "--temperature",
    type=click.FloatRange(0, 5),
    callback=_finite,
    help="How freely words are chosen, 0 to 5; 0 takes the likeliest. [default: 0, or 0.6 for a variation]",
)
@click.option(
    "--decode",
    type=click.Choice(["sequential", "parallel"]),
    help="Write the bands one after the other, or side by side. [default: the model's]",
)
@click.option(
    "--verbatim/--no-verbatim",
    default=None,
    help="Whether DATA may hold pieces of the prompt as typed only. [default: yes]",
)
@click.option(
    "--number-guard/--no-number-guard",
    default=None,
    help="Whether bands may hold the prompt's numbers and file names, and English words, only. [default: yes]",
)
@click.option(
    "--fact-keeper/--no-fact-keeper",
    default=None,
    help="Whether facts that the model left out are put into DATA. [default: yes]",
)
@click.option("--model", metavar="MODEL", help="Use this model: see sinc-tui models --help.")
@click.option("-v", "--verbose", is_flag=True, help="Say on stderr what is being done.")
@engine_options
def rewrite(
    prompt: str | None,
    file: str | None,
    form: str,
    model: str | None,
    verbose: bool,
    **values: Any,
) -> int:
    """Turn PROMPT into a sinc document on standard output.

    The prompt is the argument, a --file, or standard input (a pipe, or `-`). Write `--` before a
    prompt that starts with a dash. Nothing but the document goes to standard output.
    """
    if prompt is not None and file is not None:
        raise click.UsageError("Give a prompt or a --file, not both.")
    raw = read_prompt(prompt, file)
    if raw is None:
        raise click.UsageError("Give a prompt, a --file, or pipe text in.")
    if not raw.strip():
        raise InputError("The prompt is empty.", hint="Give one, a --file, or pipe text in.")
    import asyncio

    tell_settings_problems()
    options = take_engine_options(values)
    chosen = {name: value for name, value in values.items() if value is not None}
    narrator = Narrator(verbose=verbose)
    try:
        file_of_model = model_file(model)
        sampler = usual_sampler(file_of_model).model_copy(update=chosen)
        rewriter = new_rewriter(file_of_model, options)
        document = asyncio.run(_document(raw, sampler, rewriter, narrator))
    finally:
        narrator.clear()
    write(_export(document, form))
    return DONE


def new_rewriter(model: ModelFile | None, options: EngineOptions) -> Rewriter:
    """The one use case, not started yet."""
    from sinc_tui.rewriter import Rewriter

    return Rewriter(model, options=options)


async def _document(
    prompt: str, sampler: SamplerOptions, rewriter: Rewriter, narrator: Narrator
) -> Finished:
    try:
        finished = await _finished(rewriter, prompt, sampler, narrator)
        _tell(narrator, finished.stats, rewriter.info)
        return finished
    finally:
        await rewriter.close()


async def _finished(
    rewriter: Rewriter, prompt: str, sampler: SamplerOptions, narrator: Narrator
) -> Finished:
    """The last event of a run that went well; raises `SincError` for one that did not."""
    from sinc_tui.errors import SincError
    from sinc_tui.events import Failed, Finished, Stopped

    async for event in rewriter.rewrite(prompt, sampler):
        match event:
            case Finished():
                return event
            case Failed(error=error):
                raise error
            case Stopped():
                break
            case _:
                _follow(narrator, event)
    raise SincError("The run ended without a document.", retryable=True)


def _follow(narrator: Narrator, event: Event) -> None:
    from sinc_tui.events import BandDelta, Loading, ModelReady, Reading

    match event:
        case Loading(what=what, fraction=fraction):
            narrator.step(what, f"{fraction:.0%}")
        case ModelReady(info=info):
            for note in info.notes:
                narrator.note(note)
            narrator.step(f"reading the prompt with {info.name}")
        case Reading(fraction=fraction):
            narrator.step("reading the prompt", f"{fraction:.0%}")
        case BandDelta(band=band):
            narrator.step("writing", band)


def _tell(narrator: Narrator, stats: RunStats, info: ModelInfo | None) -> None:
    """Notes of the decoder, then one line of figures."""
    for note in stats.notes:
        narrator.note(note)
    figures = [f"{stats.free_tokens} tokens", f"{stats.seconds:.1f} s", f"seed {stats.seed}"]
    if info is not None:
        trained = "" if info.trained else ", untrained"
        figures.insert(0, f"{info.name} ({info.backend}{trained})")
    narrator.note(", ".join(figures))


def _export(finished: Finished, form: str) -> str:
    from sinc_tui.sinc.export import EXPORTERS

    return EXPORTERS[form](finished.document)
