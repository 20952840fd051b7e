"""`sinc-tui web`: the screen in a browser."""

from __future__ import annotations

import os
import sys

import click

from sinc_tui.cli.diagnostics import DONE, complain
from sinc_tui.cli.inputs import model_file
from sinc_tui.cli.output import write
from sinc_tui.cli.serving import listening, needs

PORT = 8462


@click.command(short_help="Open the app in a browser.")
@listening(PORT)
@click.option("--no-open", is_flag=True, help="Only print the address.")
@click.option("--model", metavar="MODEL", help="Use this model: see sinc-tui models --help.")
def web(port: int, host: str, no_open: bool, model: str | None) -> int:
    """Serve the app to browsers of this machine, until Ctrl-C.

    The address goes to standard output; whoever has it can use the app, so keep it to yourself. Each
    page is an app of its own.
    """
    needs("textual_serve", "web")
    if model is not None:  # with the one of the settings the page itself says what is wrong
        model_file(model)
    from sinc_tui.server.web import serve

    command = [sys.executable, "-P", "-m", "sinc_tui.cli.main"]
    if model is not None:
        command += ["--model", model]

    def tell(address: str) -> None:
        write(address)
        complain("Open this address in a browser; Ctrl-C ends.")

    serve(command, host=host, port=port, tell=tell, show=not no_open and _has_desktop())
    return DONE


def _has_desktop() -> bool:
    """Whether a browser of this machine is in front of the user, and not one of the terminal's."""
    from sinc_tui.clipboard_route import remote

    desktop = sys.platform == "darwin" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return desktop and not remote(os.environ)
