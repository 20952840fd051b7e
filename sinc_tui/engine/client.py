"""The app's end of the engine: starts the child process, talks to it, notices when it dies."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

from sinc_tui.engine.protocol import Message, Wire, decode_message, encode
from sinc_tui.errors import SincError

_LINE = 1 << 22
_LOG = 1 << 20
"""Bytes of a log after which it is begun anew."""
_PATIENCE = 3.0
"""Seconds that a child gets to end by itself when its stdin is closed."""
_DYING = 1.0
"""Seconds that a child gets to tell its exit code when it has closed its stdout."""
WORKER = (sys.executable, "-P", "-m", "sinc_tui.engine.worker")
"""`-P`: a file of the user's folder must not stand in for a module of the engine."""
BEHIND = (*WORKER, "--behind")
"""The same for a front end that takes keys: it gets a core before the engine does."""


class EngineDied(SincError):
    """The child process ended without having been asked to."""

    def __init__(self, code: int | None, log: Path) -> None:
        super().__init__(
            f"The engine stopped: {_cause(code)}.",
            hint=f"Run again to start a new one; its log is {log}.",
            retryable=True,
        )


class EngineClient:
    """One child process. After it died, make a new client."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process, self._log = process, log

    @classmethod
    async def start(cls, log: Path, command: Sequence[str] = WORKER) -> EngineClient:
        """Start the child; what it and llama.cpp print is added to `log`, begun anew when it is long."""
        full = log.exists() and log.stat().st_size > _LOG
        with log.open("wb" if full else "ab") as stderr:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
                limit=_LINE,
            )
        return cls(process, log)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the child runs; asyncio hears of its end somewhat later."""
        if self._process.returncode is not None or not hasattr(os, "waitid"):
            return self._process.returncode is None
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False

    async def send(self, command: Wire) -> None:
        """Send a command; raises `EngineDied` when there is nobody to hear it."""
        assert self._process.stdin is not None
        try:
            line = encode(command)
        except ValueError as error:
            raise SincError("The prompt or the model's path is not valid Unicode.") from error
        try:
            self._process.stdin.write(line)
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise await self._death() from None

    async def receive(self) -> Message:
        """The next message; raises `EngineDied` when the child ends first."""
        assert self._process.stdout is not None
        try:
            line = await self._process.stdout.readline()
        except ValueError as error:
            raise self._unreadable("a line without end") from error
        if not line.endswith(b"\n"):
            raise await self._death()
        try:
            return decode_message(line)
        except ValueError as error:
            raise self._unreadable(repr(line[:80])) from error

    async def messages(self) -> AsyncIterator[Message]:
        """Messages without end; raises as `receive`."""
        while True:
            yield await self.receive()

    async def close(self) -> None:
        """End the child: by closing its stdin, then by force."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _PATIENCE)
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def kill(self) -> None:
        """End the child at once.

        Not by `Process.kill`, which may reap the child before asyncio learns its exit code.
        """
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    def _unreadable(self, what: str) -> SincError:
        return SincError(
            f"The engine said something unreadable: {what}.",
            hint=f"Its log is {self._log}.",
            retryable=True,
        )

    async def _death(self) -> EngineDied:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), _DYING)
        self.kill()
        return EngineDied(await self._process.wait(), self._log)


def _cause(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in list(signal.Signals) else f"signal {-code}"
        extra = ", perhaps for lack of memory" if name == "SIGKILL" else ""
        return f"it was ended by {name}{extra}"
    return f"it ended with code {code}"
