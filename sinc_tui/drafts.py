"""The prompt that is being typed, kept on disk so that a crash or a closed terminal loses none of it.

Each process has a file of its own, named after its id. What a process that is gone left behind goes
to the next one that starts.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from sinc_tui.files import replace_file

_SUFFIX = ".prompt"


class Drafts:
    """The draft of this process, and those left by others. Raises `OSError` from `keep` alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own = folder / f"{os.getpid()}{_SUFFIX}"

    def keep(self, text: str) -> None:
        """Write the draft; an empty one is none."""
        if not text.strip():
            self.forget()
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(self._own, text.encode("utf-8", "surrogatepass"))

    def forget(self) -> None:
        """The draft is not needed any more."""
        with suppress(OSError):
            self._own.unlink()

    def rescue(self) -> str:
        """The newest draft that nobody holds, made this process's own; empty when there is none.

        Taking it is a renaming, so that of two processes one gets it.
        """
        for path in sorted(self._orphans(), key=_age):
            with suppress(OSError):
                path.rename(self._own)
                return self._own.read_bytes().decode("utf-8", "surrogatepass")
        return ""

    def _orphans(self) -> list[Path]:
        try:
            names = os.listdir(self._folder)
        except OSError:
            return []
        numbers = [name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)]
        return [
            self._folder / f"{number}{_SUFFIX}"
            for number in numbers
            if number.isdigit() and (int(number) == os.getpid() or not _alive(int(number)))
        ]


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return not _ended(process)


def _ended(process: int) -> bool:
    """Whether a process is dead and only its parent has not noticed; told on Linux alone."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] == ["Z"]


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except OSError:
        return 0.0
