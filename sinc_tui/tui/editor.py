"""The user's own editor on a text."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sinc_tui.errors import SincError


def command(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The editor's command line, from VISUAL or EDITOR, else the first that is installed.

    Raises `SincError` when there is none.
    """
    named = environment.get("VISUAL") or environment.get("EDITOR") or ""
    try:
        words = [word.strip('"') for word in shlex.split(named, posix=sys.platform != "win32")]
    except ValueError:
        words = []
    for choice in [words] if named else [["nano"], ["vim"], ["vi"], ["notepad"]]:
        if choice and shutil.which(choice[0], path=environment.get("PATH")):
            return choice
    raise SincError(
        f"There is no editor {named!r}." if named else "There is no editor.",
        hint="Set the variable EDITOR to the name of one, such as nano or notepad.",
    )


def edit(text: str, name: str) -> str:
    """Let the user edit a text in the editor, on this terminal; what came of it.

    The file is in a folder that only its owner reads, and gone afterwards. Raises `SincError` when
    the editor fails; the text then stays as it was.
    """
    words = command()
    try:
        with tempfile.TemporaryDirectory(prefix="sinc-tui-", ignore_cleanup_errors=True) as folder:
            path = Path(folder, f"{name}.md")
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
            edited = _edited(words, path)
    except OSError as error:
        raise SincError(
            f"There is no file for {words[0]} to edit: {error.strerror}.",
            hint="Make room on the disk, or set TMPDIR (TEMP on Windows) to a folder that can be written.",
        ) from None
    return edited if text.endswith("\n") else edited.removesuffix("\n")


@contextmanager
def _interrupts_left_to_it() -> Iterator[None]:
    """Ctrl+C goes to every program on the terminal: let it mean what the editor makes of it, and no more."""
    ours = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, ours)


def _edited(words: list[str], path: Path) -> str:
    """What stands in a file after an editor had it."""
    try:
        with _interrupts_left_to_it():
            code = subprocess.run([*words, str(path)], check=False).returncode
        if code:
            raise SincError(f"{words[0]} ended with {code}; the text stays as it was.")
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SincError(f"{words[0]} left nothing to read: {error}.") from None
