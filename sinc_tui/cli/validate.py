"""`sinc-tui validate`: a verdict for each file."""

from __future__ import annotations

import click

from sinc_tui.cli.diagnostics import DONE, FAILED, UNUSABLE, complain
from sinc_tui.cli.inputs import BOM, read_bytes
from sinc_tui.cli.output import write
from sinc_tui.errors import InputError
from sinc_tui.sinc.controls import one_line

RULES = ("sinc-tui", "article", "sinc-prompt")
"""The rule sets' names; written out, for they are loaded only when one is needed."""


@click.command(short_help="Check sinc documents, one verdict a line.")
@click.argument("files", metavar="FILE... | -", nargs=-1, required=True)
@click.option(
    "--rules",
    type=click.Choice(RULES),
    default=RULES[0],
    show_default=True,
    help="Whose rules: this program's (the strictest), the article's, or sinc-prompt 1.0.0's.",
)
def validate(files: tuple[str, ...], rules: str) -> int:
    """Say of each FILE whether it is a valid sinc document, and if not, why.

    Exits with 0 when all are valid, 1 when one is not, 2 when one cannot be read.
    """
    return max(_verdict(name, rules) for name in files)


def _verdict(name: str, rules: str) -> int:
    """Write the verdict on one file; its exit code."""
    try:
        found = _problems(read_bytes(name), rules)
    except InputError as error:
        complain(str(error))
        return UNUSABLE
    write(one_line(f"{name}: {'invalid: ' + ' '.join(found) if found else 'valid'}"))
    return FAILED if found else DONE


def _problems(raw: bytes, rules: str) -> list[str]:
    from sinc_tui.sinc.rulesets import problems

    try:
        return problems(raw.decode().removeprefix(BOM), rules)
    except UnicodeDecodeError as error:
        return [f"It is not UTF-8 (byte {error.start})."]
