"""`sinc-tui mcp`: tools for agents and editors."""

from __future__ import annotations

import sys
from typing import Any

import click

from sinc_tui.cli.diagnostics import DONE, report
from sinc_tui.cli.engine_options import engine_options
from sinc_tui.cli.output import write
from sinc_tui.cli.serving import new_handlers
from sinc_tui.errors import InputError, SincError


@click.command(short_help="Answer agents and editors over MCP.")
@click.option("--model", metavar="MODEL", help="Use this model: see sinc-tui models --help.")
@engine_options
def mcp(model: str | None, **values: Any) -> int:
    """Speak the Model Context Protocol on standard input and output, until the input ends.

    The tools: sinc_scatter, sinc_snr, sinc_validate, sinc_build. Agents start this command by
    themselves.
    """
    if sys.stdin is None:
        raise InputError("There is no standard input to read.")
    from sinc_tui.server.mcp import serve

    serve(new_handlers(model, values), _write)
    return DONE


def _write(text: str) -> None:
    """Write a line; where that cannot be done, end the program, since nobody hears it any more."""
    try:
        write(text)
    except SincError as error:
        raise SystemExit(report(error)) from None
