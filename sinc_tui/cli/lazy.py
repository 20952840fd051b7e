"""Commands that are imported only when they are run."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """A group some of whose commands are known by name and one line of help only.

    `lazy` maps a command's name to that line. The command is the object of the same name in
    `sinc_tui.cli.<name>`; where no such module is installed, there is no such command.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = {name: text for name, text in (lazy or {}).items() if _installed(name)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *self._lazy]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(importlib.import_module(_module(cmd_name)), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, command.get_short_help_str()) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl([*rows, *self._lazy.items()])


def _module(name: str) -> str:
    return f"sinc_tui.cli.{name}"


def _installed(name: str) -> bool:
    return importlib.util.find_spec(_module(name)) is not None
