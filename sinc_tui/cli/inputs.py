"""Reading what a command is given: an argument, a file, standard input, a model's path."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sinc_tui.cli.diagnostics import complain
from sinc_tui.errors import InputError

if TYPE_CHECKING:
    from sinc_tui.engine.protocol import SamplerOptions
    from sinc_tui.models.default import ModelFile

STDIN = "-"
BOM = "\ufeff"
"""The mark that some editors put before a text in UTF-8."""


def read_prompt(argument: str | None, file: str | None) -> str | None:
    """The raw prompt, or None when there is none to read. Raises `InputError`.

    What comes from a file or a pipe loses its last newline, which the sender's tool put there.
    """
    if file is not None:
        return _text(read_bytes(file), file)
    if argument == STDIN or (argument is None and _piped()):
        return _text(read_bytes(STDIN), STDIN)
    return argument if argument is None else _argument(argument)


def read_bytes(name: str) -> bytes:
    """The content of a file, or of standard input for `-`; raises `InputError`."""
    if not name:
        raise InputError(
            "An empty name names no file.", hint="Give a file's path, or - for a pipe."
        )
    try:
        if name != STDIN:
            return Path(name).read_bytes()
        if sys.stdin is None:
            raise InputError("There is no standard input to read.")
        return sys.stdin.buffer.read()
    except FileNotFoundError:
        raise InputError(f"There is no file {name}.") from None
    except IsADirectoryError:
        raise InputError(f"{name} is a folder, not a file.") from None
    except OSError as error:
        raise InputError(f"{shown(name)} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise InputError(f"{name!r} is no file name.") from None


def shown(name: str) -> str:
    """How an input is called in messages."""
    return "standard input" if name == STDIN else name


def model_file(name: str | None) -> ModelFile | None:
    """The model that the user named in whatever way, else the one of the settings.

    None, where neither is, leaves the choice to the program. Raises `SincError` for what names no
    model, and for one that is not on this machine.
    """
    name = name or model_in_settings()
    if name is None:
        return None
    from sinc_tui.models.catalog import named

    return named(name)


def chosen_name(name: str | None) -> str:
    """What the list of models calls the one that `model_file` finds; empty for the default one."""
    name = name or model_in_settings()
    if name is None:
        return ""
    from sinc_tui.models.catalog import model_for

    return model_for(name).name


def usual_sampler(model: ModelFile | None) -> SamplerOptions:
    """How the model's bands are written where nothing else is asked: as settings and catalogue say."""
    from sinc_tui import paths, settings
    from sinc_tui.engine.protocol import SamplerOptions
    from sinc_tui.models.catalog import EMBEDDED, catalog

    name = EMBEDDED if model is None else model.name
    entry = catalog().get(name)
    chosen = settings.load(paths.settings_file()).settings
    return SamplerOptions(
        decode=chosen.decode_for(name, entry.decode if entry is not None else "sequential"),
        verbatim=chosen.verbatim,
        number_guard=chosen.number_guard,
        fact_keeper=chosen.fact_keeper,
    )


def tell_settings_problems() -> None:
    """Say on stderr what is wrong with the settings; the rest of them counts."""
    from sinc_tui import paths, settings

    for problem in settings.load(paths.settings_file()).problems:
        complain(str(problem))


def model_in_settings() -> str | None:
    """The model that the settings name, None where they name none."""
    from sinc_tui import paths, settings

    return settings.load(paths.settings_file()).settings.model or None


def _piped() -> bool:
    return sys.stdin is not None and not sys.stdin.isatty()


def _text(raw: bytes, name: str) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{shown(name)[:1].upper()}{shown(name)[1:]} is not UTF-8 (byte {error.start}).",
            hint="Convert it first, for example with iconv.",
        ) from None
    text = text.removeprefix(BOM)
    return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")


def _argument(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError("The prompt on the command line is not UTF-8.") from None
    return text
