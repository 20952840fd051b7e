"""Replacing a file in one step: who reads it finds the old content or the new, never a part."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from sinc_tui.errors import SincError

PRIVATE = 0o600
"""The mode of a new file: prompts are nobody else's business."""


def replace_file(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """Write a file through a temporary one beside it; raises `OSError` and leaves nothing behind.

    A link is followed, an existing file keeps its mode (unless it must be `private`), and a new one is
    readable by its owner only.
    """
    target = Path(os.path.realpath(path))
    data = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, PRIVATE if private else _mode(target))
        os.replace(name, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def save_file(path: Path, content: str | bytes) -> None:
    """The same for a file that a person asked for; raises `SincError`, which says what to do."""
    try:
        replace_file(path, content)
    except OSError as error:
        raise SincError(
            f"{path} cannot be written: {error.strerror or error}.",
            hint="Choose another folder, or make room.",
            retryable=True,
        ) from None


def _mode(target: Path) -> int:
    try:
        return target.stat().st_mode & 0o777
    except OSError:
        return PRIVATE
