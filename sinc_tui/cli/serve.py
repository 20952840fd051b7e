"""`sinc-tui serve`: HTTP for programs of this machine."""

from __future__ import annotations

from typing import Any

import click

from sinc_tui.cli.diagnostics import DONE, complain
from sinc_tui.cli.engine_options import engine_options
from sinc_tui.cli.output import write
from sinc_tui.cli.serving import listening, needs, new_handlers

PORT = 8461
"""Where sinc-llm's clients ask."""


@click.command(short_help="Answer programs of this machine over HTTP.")
@listening(PORT)
@click.option("--model", metavar="MODEL", help="Use this model: see sinc-tui models --help.")
@engine_options
def serve(port: int, host: str, model: str | None, **values: Any) -> int:
    """Answer over HTTP until Ctrl-C; the address goes to standard output.

    POST /scatter takes a raw prompt as plain text and answers a document; POST /snr and POST
    /validate take a document; GET /health says how the server is. Pages of other sites are refused;
    any program of this machine may ask.
    """
    needs("aiohttp", "serve")
    from sinc_tui.server import http

    handlers = new_handlers(model, values)

    def tell(address: str) -> None:
        write(address)
        complain("Answering; Ctrl-C ends.")

    http.serve(handlers, host=host, port=port, tell=tell)
    return DONE
