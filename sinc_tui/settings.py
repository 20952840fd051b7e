"""What the user chose, in a TOML file that a person may edit by hand.

Nothing is read at import. What is wrong in the file is told, and the rest of it counts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sinc_tui.errors import SincError

DecodeMode = Literal["sequential", "parallel"]
CopyFormat = Literal["json", "compact", "text", "markdown", "xml"]
Seed = Literal["fixed", "random"]

_HEAD = "Settings of sinc-tui. Comments and the order of lines are kept when the app writes them."


class Settings(BaseModel):
    """Every setting has a default, so that a file names only what differs."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    model: str = ""
    """Name (`sinc-tui models list`) or GGUF file of the model in use; empty for the default one."""

    decode: dict[str, DecodeMode] = Field(default_factory=dict)
    """How the bands are written, by the model's name: `sequential` or `parallel`.

    A model that is not named writes them as its entry in the catalogue says.
    """

    theme: str = "sinc"
    """Name of the theme."""

    keymap: dict[str, str] = Field(default_factory=dict)
    """Keys by the id of a binding, several with commas: `copy_json = "ctrl+y,f7"`."""

    compact: bool = False
    """Whether margins and empty lines are left out."""

    reduced_motion: bool = False
    """Whether nothing glides or blinks."""

    history: bool = True
    """Whether runs are written to the history."""

    copy_format: CopyFormat = "json"
    """The format that the copy key starts with."""

    seed: Seed = "fixed"
    """`fixed`: the same prompt gives the same document; `random`: each run is another one."""

    verbatim: bool = True
    """Whether DATA may hold pieces of the prompt as typed only."""

    number_guard: bool = True
    """Whether the bands but FORMAT may hold the prompt's numbers only."""

    fact_keeper: bool = True
    """Whether facts that the model left out are put into DATA, or else CONSTRAINTS."""

    def decode_for(self, model: str, default: DecodeMode = "sequential") -> DecodeMode:
        """How a model's bands are written; `default` is what its catalogue says."""
        return self.decode.get(model, default)


CHOICES: Mapping[str, tuple[str, ...]] = {
    "copy_format": get_args(CopyFormat),
    "seed": get_args(Seed),
}
"""The values of settings that have few."""


class Loaded(NamedTuple):
    """Settings, and what was wrong with the file, each a sentence that names line and field."""

    settings: Settings
    problems: list[SincError]


def load(path: Path) -> Loaded:
    """Read the file; a missing one means the defaults. Never raises for what stands in it."""
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        return Loaded(Settings(), [])
    except OSError as error:
        return _nothing(
            f"{path} cannot be read: {error.strerror}.", "Check the file's permissions."
        )
    except UnicodeDecodeError as error:
        return _nothing(f"{path} is not UTF-8 (byte {error.start}).", "Save it as UTF-8.")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return _nothing(
            f"{path} is not TOML: {error}.", "Mend that line; the defaults hold so far."
        )
    return _checked(values, text, path)


def save(path: Path, changes: Mapping[str, Any]) -> None:
    """Write some fields into the file and keep all the rest of it, comments included.

    A field at its default is written too where the file has it. Raises `SincError`, and leaves the
    file alone, where a value is wrong, the file is no TOML, or it cannot be written.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    from sinc_tui.files import save_file

    try:
        Settings.model_validate(dict(changes))
    except ValidationError as error:
        raise _problem(error.errors()[0], "", path) from None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        old = path.read_bytes().decode() if path.exists() else ""
        document = tomlkit.parse(old)
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise SincError(
            f"{path} cannot be changed: {error}.", hint="Mend the file by hand, then try again."
        ) from None
    if not old:
        document.add(tomlkit.comment(_HEAD))
    for field, value in changes.items():
        if isinstance(value, Mapping):
            _write_table(document, field, value)
        else:
            document[field] = value
    save_file(path, tomlkit.dumps(document))


def _write_table(document: Any, field: str, values: Mapping[str, str]) -> None:
    """Bring a table to these values, line by line, so that comments in it stay."""
    import tomlkit

    if field not in document:
        if values:
            document[field] = tomlkit.table()
        else:
            return
    table = document[field]
    for key in [key for key in table if key not in values]:
        del table[key]
    for key, value in values.items():
        table[key] = value


def _nothing(message: str, hint: str) -> Loaded:
    return Loaded(Settings(), [SincError(message, hint=hint)])


def _checked(values: dict[str, Any], text: str, path: Path) -> Loaded:
    """The fields that are right; a wrong one falls back to its default, one of a table alone."""
    try:
        return Loaded(Settings.model_validate(values), [])
    except ValidationError as error:
        found = error.errors()
    for problem in found:
        table, place = values, problem["loc"]
        for key in place[:-1]:
            table = table[str(key)]
        table.pop(str(place[-1]), None)
    return Loaded(Settings.model_validate(values), [_problem(one, text, path) for one in found])


def _problem(found: Any, text: str, path: Path) -> SincError:
    place = ".".join(str(part) for part in found["loc"])
    line = _line_of(str(found["loc"][-1]), text)
    where = f"{path}, line {line}: " if line else f"{path}: "
    if found["type"] == "extra_forbidden":
        return SincError(
            f"{where}there is no setting {place}.",
            hint=f"There are: {', '.join(Settings.model_fields)}.",
        )
    what = found["msg"].removeprefix("Input ").strip()
    return SincError(
        f"{where}{place} {what}, and is {found['input']!r}.",
        hint="The default is used until you change it.",
    )


def _line_of(key: str, text: str) -> int:
    """The line of a key or a table, from 1; 0 when it is not found."""
    pattern = re.compile(rf"""^\s*(?:["']?{re.escape(key)}["']?\s*=|\[{re.escape(key)}\])""")
    for number, line in enumerate(text.splitlines(), 1):
        if pattern.match(line):
            return number
    return 0
