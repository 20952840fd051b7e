"""`sinc-tui mcp`: tools for agents and editors."""

from __future__ import annotations

import sys
from typing import Any

import click

from sinc_tui.cli.diagnostics import DONE
from sinc_tui.cli.engine_options import engine_options
from sinc_tui.cli.output import write
from sinc_tui.cli.serving import new_handlers
from sinc_tui.errors import InputError


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

    serve(new_handlers(model, values), write)
    return DONE
