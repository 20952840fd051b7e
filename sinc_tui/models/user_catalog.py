"""The user's own catalogue, `models.toml` beside the settings: entries are added, all else stays as it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sinc_tui import paths
from sinc_tui.errors import SincError
from sinc_tui.files import save_file
from sinc_tui.models.catalog import CatalogModel, catalog

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.IGNORECASE)
_HEAD = "Models of your own, by name. The form is that of sinc-tui's shipped catalogue."


def check_name(name: str) -> None:
    """Raise `SincError` for a name that an entry cannot have."""
    if not _NAME.fullmatch(name) or name.endswith(".gguf"):
        raise SincError(
            f"{name!r} cannot be a model's name.",
            hint="Take letters, digits, dots and dashes, and no .gguf at the end.",
        )
    if name in catalog():
        raise SincError(
            f"There is a model {name} already.",
            hint=f"Take another name, or change the entry in {paths.user_catalog()}.",
        )


def add(model: CatalogModel) -> Path:
    """Write an entry at the end of the user's catalogue; its path. Comments and order stay.

    Raises `SincError`, and leaves the file alone, for a name that is taken or a file that is no TOML.
    """
    import tomlkit

    check_name(model.name)
    path = paths.user_catalog()
    document = _read(path)
    files = tomlkit.array()
    for file in model.files:
        entry = tomlkit.inline_table()
        entry.update(file.model_dump(exclude_none=True))
        files.append(entry)
    table = tomlkit.table()
    for key, value in model.model_dump(exclude_defaults=True, exclude={"name", "files"}).items():
        table[key] = value
    table["files"] = files.multiline(True)
    document[model.name] = table
    save_file(path, tomlkit.dumps(document))
    return path


def forget(name: str) -> None:
    """Take an entry out, if there is one. Raises `SincError`."""
    import tomlkit

    path = paths.user_catalog()
    if not path.exists():
        return
    document = _read(path)
    if name in document:
        del document[name]
        save_file(path, tomlkit.dumps(document))


def _read(path: Path) -> Any:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            return tomlkit.parse(path.read_bytes().decode())
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise SincError(
            f"{path} cannot be changed: {error}.", hint="Mend the file by hand, then try again."
        ) from None
    document = tomlkit.document()
    document.add(tomlkit.comment(_HEAD))
    return document
