"""`sinc-tui models`: what can be had by name, what is here, getting the rest, and taking care of it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from sinc_tui import paths
from sinc_tui.cli.diagnostics import DONE, INTERRUPTED, Narrator, complain
from sinc_tui.cli.output import write

if TYPE_CHECKING:
    from sinc_tui.models.catalog import CatalogModel
    from sinc_tui.models.download import Progress
    from sinc_tui.models.store import StoredModel


@click.group(short_help="List, download and choose models.")
def models() -> None:
    """Models: which there are, which are here, and getting the rest.

    MODEL is a name of the list, hf:owner/repo/file.gguf[@revision], the https: address of a .gguf
    file, or a file's path; so is what --model of the other commands takes.
    """


@models.command("list", short_help="The models that have a name, and which of them are here.")
@click.option("--json", "as_json", is_flag=True, help="Print everything that is known, as JSON.")
def list_models(as_json: bool) -> int:
    """A line a model: name, whether it is here, the disk that it takes (or its download), what it is."""
    from sinc_tui.models.store import list_stored

    entries = list_stored()
    if as_json:
        import json

        write(json.dumps([_record(entry) for entry in entries], indent=2, ensure_ascii=False))
        return DONE
    width = max(len(entry.model.name) for entry in entries)
    for entry in entries:
        model = entry.model
        about = " ".join(filter(None, (model.about, model.licence and f"{model.licence}.")))
        write(f"{model.name:{width}}  {entry.state:8} {_disk(entry):>18}  {about}")
        if entry.problem:
            write(f"{'':{width}}  {entry.problem} {entry.hint}")
    return DONE


@models.command(short_help="Download a model, or find it where it is already.")
@click.argument("model")
@click.option("--repair", is_flag=True, help="Compare what is here with its hash first.")
def pull(model: str, repair: bool) -> int:
    """Download MODEL, compare it with its sha256, and print where it is.

    A file that is here already, in the Hub's cache too, is used as it is. Ctrl-C keeps what has
    arrived, and the same command goes on from there. HF_ENDPOINT, HF_TOKEN, HF_HOME and
    HF_HUB_OFFLINE are heeded.
    """
    from sinc_tui.models.catalog import located, model_for
    from sinc_tui.models.download import Download
    from sinc_tui.models.download_errors import kept, resume_hint

    wanted = model_for(model)
    narrator = Narrator(verbose=True)
    if repair:
        _throw_away_damage(wanted, narrator)
    new = located(wanted) is None
    teller = _Teller(model, narrator)
    try:
        done = Download(wanted, teller.tell).run()
    except KeyboardInterrupt:
        narrator.clear()
        complain(f"Stopped.{kept(teller.done, teller.total)} {resume_hint(model)}")
        return INTERRUPTED
    finally:
        narrator.clear()
    for note in (*done.notes, *([_terms(wanted)] if new else [])):
        narrator.note(note)
    write(str(done.path))
    return DONE


@models.command(short_help="Give a model a name of its own.")
@click.argument("name")
@click.argument("model")
@click.option("--about", default="", metavar="TEXT", help="A line for the list.")
@click.option("--licence", default="", metavar="TEXT", help="Its licence, for the list.")
@click.option("--adapter", metavar="PATH", help="An adapter of yours that is merged into it.")
@click.option(
    "--decode", type=click.Choice(["sequential", "parallel"]), help="How its bands are written."
)
def add(name: str, model: str, **values: Any) -> int:
    """Write MODEL into models.toml beside the settings, as NAME; comments in that file stay.

    What is written holds the commit, size and sha256 of today, so that the same content comes at
    every pull. Nothing is downloaded yet.
    """
    from pathlib import Path

    from sinc_tui.models import user_catalog
    from sinc_tui.models.catalog import catalog, known
    from sinc_tui.models.pinning import pinned
    from sinc_tui.models.references import NameReference, parse
    from sinc_tui.models.store import State, named_by_path, stored

    user_catalog.check_name(name)
    if values["adapter"] is not None:
        values["adapter"] = str(Path(values["adapter"]).expanduser().absolute())
    reference = parse(model, catalog())
    if isinstance(reference, NameReference):
        entry = known(reference.name).model_copy(update={"name": name})
    else:
        entry = pinned(reference, name)
    given = {key: value for key, value in values.items() if value}
    path = user_catalog.add(entry.model_copy(update=given))
    if not entry.pinned and not named_by_path(entry):
        Narrator(verbose=True).note("The server tells no sha256, so any content will be taken.")
    found = stored(known(name))
    if found.state is State.HERE:
        way = f"Use it: sinc-tui models use {shlex.quote(name)}"
    elif found.problem:
        way = f"{found.problem} {found.hint}".rstrip()
    else:
        way = f"Get it: sinc-tui models pull {shlex.quote(name)}"
    write(f"{name} stands in {path}. {way}")
    return DONE


@models.command(short_help="Compare a model's file with its sha256.")
@click.argument("model")
@click.option("--quick", is_flag=True, help="Look at size and head only.")
def verify(model: str, quick: bool) -> int:
    """Check MODEL's files; for damaged ones the command fails and says how to repair them."""
    from sinc_tui.models.catalog import model_for
    from sinc_tui.models.store import verify as check

    narrator = Narrator(verbose=False)

    def show(done: int, total: int) -> None:
        narrator.step(f"reading {model}", f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB")

    try:
        notes = check(model_for(model), content=not quick, progress=show)
    finally:
        narrator.clear()
    write(" ".join([f"{model}: as expected.", *notes]) if not notes else " ".join(notes))
    return DONE


@models.command("rm", short_help="Delete a model's files.")
@click.argument("model")
@click.option("--forget", is_flag=True, help="Take it out of your models.toml too.")
def remove(model: str, forget: bool) -> int:
    """Delete what was downloaded of MODEL, parts and merged files too.

    Files in the Hub's cache go as well, other programs' use of them notwithstanding. A file that is
    named by its path stays.
    """
    from sinc_tui.models import user_catalog
    from sinc_tui.models.catalog import catalog, model_for
    from sinc_tui.models.store import named_by_path, stored
    from sinc_tui.models.store import remove as delete

    wanted = model_for(model)
    said = [f"{model}: {delete(wanted) / 1e6:,.0f} MB freed."]
    if named_by_path(wanted):
        if stored(wanted).path is not None:
            said.append("Its file stays, since it is named by its path.")
        if model in catalog() and not forget:
            said.append(
                f"Take it out of models.toml: sinc-tui models rm --forget {shlex.quote(model)}"
            )
    if forget:
        user_catalog.forget(model)
    write(" ".join(said))
    return DONE


@models.command(short_help="Open the app and `rewrite` on this model from now on.")
@click.argument("model")
def use(model: str) -> int:
    """Write MODEL into the settings; it must be here."""
    from pathlib import Path

    from sinc_tui.cli.inputs import model_file
    from sinc_tui.models.catalog import model_for
    from sinc_tui.models.references import PathReference, parse
    from sinc_tui.models.store import verify as check
    from sinc_tui.settings import save

    wanted = model_for(model)
    check(wanted, content=False)
    chosen = model_file(model)
    assert chosen is not None
    path = isinstance(parse(model, {wanted.name}), PathReference)
    save(paths.settings_file(), {"model": str(Path(wanted.files[0].file)) if path else model})
    write(f"The app opens on {chosen.name}.")
    return DONE


class _Teller:
    """Puts a download's progress on stderr: a line that changes, or one at every tenth of it."""

    def __init__(self, name: str, narrator: Narrator) -> None:
        self._name, self._narrator = name, narrator
        self._note = ""
        self.done = 0
        self.total: int | None = None

    def tell(self, progress: Progress) -> None:
        """Show it."""
        self.done, self.total = progress.done, progress.total
        if progress.note and progress.note != self._note:
            self._narrator.note(f"{self._name}: {progress.note}")
        self._note = progress.note
        self._narrator.step(self._step(progress), self._detail(progress))

    def _step(self, progress: Progress) -> str:
        match progress.phase:
            case "looking":
                return f"looking for {self._name}"
            case "waiting":
                return f"waiting for another program that downloads {self._name}"
            case "checking":
                return f"checking {self._name}"
        if not progress.total:
            return f"downloading {self._name}"
        return f"downloading {self._name}: {progress.done * 10 // progress.total * 10}%"

    def _detail(self, progress: Progress) -> str:
        if progress.phase not in ("fetching", "checking"):
            return ""
        of = f" of {progress.total / 1e6:,.0f}" if progress.total else ""
        words = [f"{progress.done / 1e6:,.0f}{of} MB"]
        if progress.speed:
            words.append(f"{progress.speed / 1e6:,.1f} MB/s")
        if progress.seconds_left:
            words.append(f"{_duration(progress.seconds_left)} left")
        return ", ".join(words)


def _terms(model: CatalogModel) -> str:
    """What the user may do with a model, or where it stands."""
    if model.licence:
        return f"{model.name} has the licence {model.licence}."
    return f"Nothing is known of the licence of {model.name}; see where it comes from."


def _duration(seconds: float) -> str:
    whole = int(seconds) + 1
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def _throw_away_damage(model: CatalogModel, narrator: Narrator) -> None:
    """Delete what is damaged of a model that is here, so that it is fetched or made again."""
    from sinc_tui.models.store import remove_damage, stored

    if stored(model).path is not None:
        narrator.note(remove_damage(model) or f"{model.name} is as expected.")


def _disk(entry: StoredModel) -> str:
    from sinc_tui.models.store import State

    if entry.state is State.GONE:
        return ""
    here = entry.on_disk + entry.merged
    if here:
        return f"{here / 1e6:,.0f} MB"
    size = f"{entry.model.size / 1e6:,.0f} MB" if entry.model.size else "? MB"
    return f"{entry.partial / 1e6:,.0f} of {size}" if entry.partial else f"({size})"


def _record(entry: StoredModel) -> dict[str, Any]:
    model = entry.model
    return {
        "name": model.name, "about": model.about, "state": entry.state.value,
        "path": None if entry.path is None else str(entry.path), "size": model.size,
        "on_disk": entry.on_disk, "partial": entry.partial, "merged": entry.merged,
        "problem": entry.problem, "hint": entry.hint, "licence": model.licence,
        "trained": model.trained, "context": model.context,
        "decode": model.decode, "memory_mib": model.memory,
        "files": [str(model.reference(file)) for file in model.files] if not entry.problem else [],
        "sha256": [file.sha256 for file in model.files],
    }  # fmt: skip
