"""`sinc-tui models`: what can be had by name, what is here, and getting the rest."""

from __future__ import annotations

import click

from sinc_tui import paths
from sinc_tui.cli.diagnostics import DONE, Narrator


@click.group(short_help="List, download and choose models.")
def models() -> None:
    """Models with a name: `--model NAME` takes them wherever a model is asked for."""


@models.command("list", short_help="The models that have a name, and which of them are here.")
def list_models() -> int:
    """A line a model: name, here or the size of its download, what it is."""
    from sinc_tui.models.catalog import EMBEDDED, catalog, located

    click.echo(f"{EMBEDDED:8} {'here':>12}  135M parameters, the embedded student: quick, offline.")
    for model in catalog().values():
        here = "here" if located(model) is not None else f"{model.size / 1e6:,.0f} MB"
        click.echo(f"{model.name:8} {here:>12}  {model.about} {model.licence}.")
    return DONE


@models.command(short_help="Download a model, or find it in the Hub's cache.")
@click.argument("name")
def pull(name: str) -> int:
    """Download NAME from the Hugging Face Hub (or HF_ENDPOINT) and hold it against its sha256."""
    from sinc_tui.models.catalog import known
    from sinc_tui.models.hub import pull as fetch

    model = known(name)
    narrator = Narrator(verbose=True)

    def show(done: int, total: int) -> None:
        narrator.step(f"downloading {name}", f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB")

    try:
        path = fetch(model, show)
    finally:
        narrator.clear()
    click.echo(path)
    return DONE


@models.command(short_help="Read a model's file again and hold it against its sha256.")
@click.argument("name")
def verify(name: str) -> int:
    """Check NAME's file; a damaged one is deleted, and the command fails."""
    from sinc_tui.errors import SincError
    from sinc_tui.models.catalog import known, located
    from sinc_tui.models.hub import verify as check

    model = known(name)
    path = located(model)
    if path is None:
        raise SincError(f"{name} is not on this machine.", hint=f"sinc-tui models pull {name}")
    check(model, path)
    click.echo(f"{path}: as expected")
    return DONE


@models.command(short_help="Open the app and `rewrite` on this model from now on.")
@click.argument("name")
def use(name: str) -> int:
    """Write NAME (of the list, or a GGUF file) into the settings."""
    from sinc_tui.cli.inputs import model_file
    from sinc_tui.engine.gguf_check import check_gguf
    from sinc_tui.models.catalog import EMBEDDED, catalog
    from sinc_tui.settings import save

    model = model_file(name)
    assert model is not None
    if model.student is None:
        check_gguf(model.path)
    has_name = name == EMBEDDED or name in catalog()
    save(paths.settings_file(), {"model": name if has_name else str(model.path)})
    click.echo(f"The app opens on {model.name}.")
    return DONE
