"""What the commands that serve have in common: where they listen, and what must be installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sinc_tui.errors import SincError
from sinc_tui.extras import install_line

if TYPE_CHECKING:
    from sinc_tui.server.handlers import Handlers

_Command = TypeVar("_Command", bound=Callable[..., Any])


def listening(port: int) -> Callable[[_Command], _Command]:
    """Give a command the options `--port` and `--host`."""

    def give(command: _Command) -> _Command:
        command = click.option(
            "--host", default="127.0.0.1", show_default=True,
            help="Another loopback address; others are refused.",
        )(command)  # fmt: skip
        return click.option(
            "--port", type=click.IntRange(0, 65535), default=port, show_default=True,
            help="Port on this machine; 0 takes any that is free.",
        )(command)  # fmt: skip

    return give


def new_handlers(model: str | None, values: dict[str, Any]) -> Handlers:
    """The answers of one engine on the model that the user named; `values` are the engine's options."""
    from sinc_tui.cli.engine_options import take_engine_options
    from sinc_tui.cli.inputs import model_file, tell_settings_problems, usual_sampler
    from sinc_tui.cli.rewrite import new_rewriter
    from sinc_tui.server.handlers import Handlers

    tell_settings_problems()
    file = model_file(model)
    return Handlers(new_rewriter(file, take_engine_options(values)), usual_sampler(file))


def needs(module: str, extra: str) -> None:
    """Raise `SincError` where what an extra installs is not there."""
    if importlib.util.find_spec(module) is None:
        raise SincError(
            f"This needs a package that is not installed ({module}).",
            hint=f"Install it with: {install_line(extra)}",
        )
