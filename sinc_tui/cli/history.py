"""`sinc-tui history`: what ran, listed, searched, shown, exported, deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from sinc_tui.cli.diagnostics import DONE, Narrator
from sinc_tui.cli.output import write
from sinc_tui.errors import InputError
from sinc_tui.sinc.controls import one_line
from sinc_tui.sinc.strict_json import has_lone_surrogate

if TYPE_CHECKING:
    from sinc_tui.history import History, Run

_WIDTH = 60
"""Characters of a prompt in a list."""
_MOST = 1_000_000_000
"""More runs, or days, than anybody has."""
_ID = click.IntRange(0, 2**63 - 1)
"""The numbers that the database takes."""


@click.group()
def history() -> None:
    """List, search and export what ran in the app."""


@history.command("list")
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1, _MOST), help="At most."
)
def list_runs(limit: int) -> int:
    """The newest runs, pinned ones first: id, time, how they ended, prompt."""
    return _list("", limit)


@history.command()
@click.argument("words", nargs=-1, required=True)
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1, _MOST), help="At most."
)
def search(words: tuple[str, ...], limit: int) -> int:
    """Runs in which every WORD begins a word of the prompt or of a band."""
    query = " ".join(words)
    if has_lone_surrogate(query):
        raise InputError("The words on the command line are not UTF-8.")
    return _list(query, limit)


@history.command()
@click.argument("run", type=_ID)
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "compact", "text", "markdown", "xml", "prompt"]),
    default="json",
    show_default=True,
    help="How the document is written; `prompt` is what was typed.",
)
def show(run: int, form: str) -> int:
    """The document of a RUN, by its id."""
    with _opened() as database:
        found = _found(database, run)
    write(found.prompt if form == "prompt" else _document(found, form))
    return DONE


@history.command()
def export() -> int:
    """Every run as a line of JSON, the oldest first."""
    from sinc_tui.history import as_line

    with _opened() as database:
        for run in database.all():
            write(as_line(run))
    return DONE


@history.command()
@click.argument("runs", type=_ID, nargs=-1, required=True)
def delete(runs: tuple[int, ...]) -> int:
    """Delete RUNS, by their ids."""
    with _opened() as database:
        for run in runs:
            _found(database, run)
        for run in runs:
            database.delete(run)
    return DONE


@history.command()
@click.option("--pinned", is_flag=True, help="The pinned ones too.")
@click.option("--days", type=click.IntRange(0, _MOST), help="Only what is older than so many days.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(pinned: bool, days: int | None, yes: bool) -> int:
    """Delete all runs that are not pinned."""
    if not yes:
        click.confirm("Delete these runs for good?", abort=True, err=True)
    before = None if days is None else time.time() - days * 86_400
    with _opened() as database:
        count = database.purge(pinned=pinned, before=before)
    Narrator(verbose=True).note(f"{count} {'run' if count == 1 else 'runs'} deleted")
    return DONE


@contextmanager
def _opened() -> Iterator[History]:
    from sinc_tui import paths
    from sinc_tui.history import History

    database = History(paths.history_file())
    try:
        yield database
    finally:
        database.close()


def _list(query: str, limit: int) -> int:
    with _opened() as database:
        found = database.find(query, limit=limit)
    for run in found:
        write(_line(run))
    return DONE


def _line(run: Run) -> str:
    begun = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.created))
    prompt = one_line(run.prompt)
    if len(prompt) > _WIDTH:
        prompt = prompt[: _WIDTH - 1] + "…"
    return f"{run.id}\t{begun}\t{'pinned' if run.pinned else run.ended}\t{prompt}"


def _found(database: History, run_id: int) -> Run:
    run = database.get(run_id)
    if run is None:
        raise InputError(
            f"There is no run {run_id} in the history.", hint="`sinc-tui history list` lists them."
        )
    return run


def _document(run: Run, form: str) -> str:
    from sinc_tui.sinc.document import DocumentError, SincDocument
    from sinc_tui.sinc.export import EXPORTERS

    try:
        return EXPORTERS[form](SincDocument.from_bands(run.texts))
    except DocumentError as error:
        raise InputError(
            f"Run {run.id} left no whole document: {' '.join(error.reasons)}",
            hint="`sinc-tui history export` has what there is of it.",
        ) from None
