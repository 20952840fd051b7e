"""A look at a model file before llama.cpp sees it: what a person can have got wrong, in words."""

from __future__ import annotations

from pathlib import Path

from sinc_tui.errors import SincError

_MAGIC = b"GGUF"
_HEADER = 24
"""Bytes of magic, version, tensor count and metadata count."""
_VERSIONS = (2, 3)


def check_gguf(path: Path) -> None:
    """Raise `SincError` when `path` cannot be a GGUF model: missing, a folder, unreadable, other."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
    except FileNotFoundError:
        raise SincError(f"There is no file {path}.", hint="Check the path.") from None
    except IsADirectoryError:
        raise SincError(f"{path} is a folder.", hint="Name the .gguf file in it.") from None
    except OSError as error:
        raise SincError(
            f"{path} cannot be read: {error.strerror or error}.", hint="Check its permissions."
        ) from None
    if header[:4] != _MAGIC:
        raise SincError(f"{path} is no GGUF model.", hint="Name a .gguf file.")
    version = int.from_bytes(header[4:8], "little")
    if len(header) < _HEADER or version not in _VERSIONS:
        raise SincError(
            f"{path} is damaged, or a GGUF of an unknown version ({version}).",
            hint="Download or copy it again.",
        )
