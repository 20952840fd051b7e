"""The clipboard: which way out reaches the user's desk, and what is known to have arrived.

Over SSH a helper program would fill the clipboard of the wrong machine, so the terminal is asked
(OSC 52). tmux swallows that sequence by default, so inside tmux its own command is used, over SSH
too. In a browser the page takes the terminal's part. A file is always written, because the terminal
never says whether the text arrived.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sinc_tui.clipboard_route import Route, plan

HELPER_SECONDS = 3.0
"""How long a helper program may take before it counts as hanging."""

_REACHED = {
    Route.TMUX: "copied to tmux, which passes it on to the terminal.",
    Route.NATIVE: "copied to the clipboard.",
    Route.OSC52: "sent to the terminal, which does not say whether it took it.",
    Route.BROWSER: "sent to the browser's clipboard.",
}
_SEQUENCE = (Route.OSC52, Route.BROWSER)
"""Ways that are a sequence in the output, which nobody acknowledges."""


@dataclass(frozen=True, slots=True)
class CopyResult:
    """Where a text went.

    Attributes:
        route: the way that was taken in the end.
        file: the copy on disk; None when it could not be written.
        troubles: what went wrong on the ways tried before.
    """

    route: Route
    file: Path | None
    troubles: tuple[str, ...] = ()

    @property
    def confirmed(self) -> bool:
        """Whether the receiver said that it has the text; a terminal never does."""
        return self.route not in _SEQUENCE

    @property
    def message(self) -> str:
        """Where it went, as the rest of a sentence."""
        return _REACHED[self.route]

    @property
    def hint(self) -> str:
        """What went wrong before, and where the text lies when nobody confirmed it."""
        file = f"Also in {self.file}." if self.file and not self.confirmed else ""
        return " ".join(filter(None, [*self.troubles, file]))


async def copy(
    text: str,
    *,
    send_osc52: Callable[[str], None],
    environment: Mapping[str, str] | None = None,
    file: Path | None = None,
    seconds: float = HELPER_SECONDS,
) -> CopyResult:
    """Copy `text` by the first way that works, and into `file` (None: one in the state folder)."""
    environment = os.environ if environment is None else environment
    troubles: list[str] = []
    saved = _save(text, file, troubles)
    *helped, last = plan(environment)
    for route in helped:
        trouble = await _run(_command(route), text, environment, seconds)
        if not trouble:
            return CopyResult(route, saved, tuple(troubles))
        troubles.append(trouble)
    send_osc52(text)
    return CopyResult(last, saved, tuple(troubles))


def _command(route: Route) -> Sequence[str]:
    if route is Route.TMUX:
        return ("tmux", "load-buffer", "-w", "-")
    return (sys.executable, "-m", "sinc_tui.tui.native_clipboard")


async def _run(
    command: Sequence[str], text: str, environment: Mapping[str, str], seconds: float
) -> str:
    """Give `text` to a helper program; the trouble in words, empty when there was none.

    The helper gets a session of its own, so that one that hangs is ended with all its children. Its
    complaints go to a file: xclip leaves a child behind that would keep a pipe open.
    """
    name = "tmux" if command[0] == "tmux" else "The clipboard"
    with tempfile.TemporaryFile() as complaints:
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=complaints,
                env=dict(environment),
                start_new_session=True,
            )
        except OSError as error:
            return f"{name} cannot be used ({error.strerror})."
        try:
            await asyncio.wait_for(_feed(process, text), seconds)
        except TimeoutError:
            return f"{name} did not answer within {seconds:g} s."
        finally:
            await _end(process)
        complaints.seek(0)
        return _trouble(name, process.returncode, complaints.read())


async def _feed(process: asyncio.subprocess.Process, text: str) -> None:
    """Write the text, wait for the end; a helper that does not read is judged by its exit code."""
    assert process.stdin is not None
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(text.encode("utf-8", "replace"))
        await process.stdin.drain()
        process.stdin.close()
    await process.wait()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill a helper that still runs, with its children."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _trouble(name: str, code: int | None, complaints: bytes) -> str:
    if code == 0:
        return ""
    lines = complaints.decode(errors="replace").strip().splitlines()
    reason = lines[-1] if lines else f"exit code {code}"
    return f"{name} cannot be used ({reason})."


def _save(text: str, file: Path | None, troubles: list[str]) -> Path | None:
    """Replace the file atomically; readable by its owner only, since prompts are private."""
    from sinc_tui import paths
    from sinc_tui.errors import NoFolder
    from sinc_tui.files import replace_file

    try:
        target = file or paths.state() / "clipboard.txt"
        replace_file(target, text, private=True)
    except OSError as error:
        troubles.append(f"The copy on disk failed ({error.strerror}).")
        return None
    except NoFolder as error:
        troubles.append(f"The copy on disk failed ({error.reason}).")
        return None
    return target
