"""The `sinc-tui` command."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence

import click

from sinc_tui import __version__
from sinc_tui.cli.diagnostics import DONE, INTERRUPTED, PIPE_CLOSED, report
from sinc_tui.cli.lazy import LazyGroup
from sinc_tui.cli.output import abandon
from sinc_tui.cli.rewrite import rewrite
from sinc_tui.cli.validate import validate
from sinc_tui.errors import SincError

LAZY = {
    "models": "List, download and choose models.",
    "history": "List, search and export what ran in the app.",
    "doctor": "Look at machine, engine, models, terminal; say what is wrong.",
    "serve": "Answer programs of this machine over HTTP.",
    "mcp": "Answer agents and editors over MCP.",
    "web": "Open the app in a browser.",
    "distill": "Train and judge a student of your own.",
}
"""Commands of other modules, with the line of help that stands in the list."""


@click.group(
    cls=LazyGroup,
    lazy=LAZY,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--model", metavar="MODEL", help="Open the app on this model (name, file or address)."
)
@click.version_option(__version__, prog_name="sinc-tui", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context, model: str | None) -> int:
    """Turn careless prompts into valid six-band sinc documents, offline.

    Without a command, the app opens.
    """
    if context.invoked_subcommand is not None:
        if model is not None:
            raise click.UsageError("Write --model after the command.")
        return DONE
    from sinc_tui.cli.app import open_app

    return open_app(model)


cli.add_command(rewrite)
cli.add_command(validate)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (None: the process's own); the exit code."""
    try:
        code = cli.main(arguments, prog_name="sinc-tui", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SincError as error:
        return report(error)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except OSError as error:
        if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EIO):
            raise
        abandon()  # that is click, mostly, which could not write its help
        return report(SincError(f"It could not be finished: {error.strerror}."))
    except SystemExit as error:
        if error.code not in (PIPE_CLOSED, 1):
            raise
        return PIPE_CLOSED  # `write` ends so where the reader is gone, and click, which calls it 1
    return code if isinstance(code, int) else DONE


if __name__ == "__main__":
    sys.exit(main())
