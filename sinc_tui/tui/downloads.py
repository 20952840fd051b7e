"""Downloads under way: each in a thread of its own, whatever screen is open."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from sinc_tui.errors import SincError

if TYPE_CHECKING:
    from sinc_tui.models.download import Progress
    from sinc_tui.tui.shelf import Fetch

_PATIENCE = 5.0
"""Seconds that downloads get to put away what has arrived when the app ends."""


class Begin(Protocol):
    """Makes the download of a model; it tells its progress."""

    def __call__(self, name: str, tell: Callable[[Progress], None], *, afresh: bool) -> Fetch: ...


class Stage(StrEnum):
    """How a download stands."""

    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"
    DONE = "done"


@dataclass(slots=True)
class Transfer:
    """One model's download.

    Attributes:
        progress: the last that was heard; None before anything was.
        stopping: whether a pause was asked for and is not yet there.
        error: why it failed; `notes`: what the user should know of a finished one.
    """

    name: str
    stage: Stage = Stage.RUNNING
    progress: Progress | None = None
    stopping: bool = False
    error: SincError | None = None
    notes: Sequence[str] = ()

    @property
    def percent(self) -> str:
        """How much of it is here; empty while the size is not known."""
        progress = self.progress
        if progress is None or not progress.total:
            return ""
        return f"{progress.done * 100 // progress.total}%"


class Downloads:
    """Starts, pauses and follows downloads. Used from the event loop's thread only."""

    def __init__(self, begin: Begin, changed: Callable[[Transfer], None]) -> None:
        """`begin` is called in the download's thread; `changed` hears of every change, in the loop."""
        self._begin, self._changed = begin, changed
        self._transfers: dict[str, Transfer] = {}
        self._fetches: dict[str, Fetch] = {}
        self._threads: dict[str, threading.Thread] = {}

    def __getitem__(self, name: str) -> Transfer | None:
        return self._transfers.get(name)

    @property
    def running(self) -> list[Transfer]:
        """Those under way."""
        return [one for one in self._transfers.values() if one.stage is Stage.RUNNING]

    def start(self, name: str, *, afresh: bool = False) -> None:
        """Begin, or go on where it stopped; one that runs is left alone. `afresh`: see `Shelf.fetch`."""
        before = self._transfers.get(name)
        if before is not None and before.stage is Stage.RUNNING:
            return
        transfer = Transfer(name, progress=before.progress if before else None)
        self._transfers[name] = transfer
        loop = asyncio.get_running_loop()
        arguments = (transfer, loop, afresh)
        thread = threading.Thread(target=self._work, args=arguments, daemon=True)
        self._threads[name] = thread
        thread.start()
        self._changed(transfer)

    def pause(self, name: str) -> bool:
        """Stop one that runs and keep what has arrived; whether there was one."""
        transfer = self._transfers.get(name)
        if transfer is None or transfer.stage is not Stage.RUNNING:
            return False
        transfer.stopping = True
        if fetch := self._fetches.get(name):
            fetch.cancel()
        self._changed(transfer)
        return True

    def forget(self, name: str) -> None:
        """A model that was removed has no download any more."""
        self._transfers.pop(name, None)

    async def stop(self, name: str) -> None:
        """Pause, and wait until its thread has put everything away."""
        if self.pause(name):
            await asyncio.to_thread(self._threads[name].join, _PATIENCE)

    async def close(self) -> None:
        """Pause all; what has arrived is kept for the next time."""
        await asyncio.gather(*(self.stop(one.name) for one in self.running))

    def _work(self, transfer: Transfer, loop: asyncio.AbstractEventLoop, afresh: bool) -> None:
        """In a thread: run one download to its end, be it good or bad."""
        from sinc_tui.models.download import Cancelled

        def tell(progress: Progress) -> None:
            self._later(loop, transfer, progress=progress)

        try:
            fetch = self._begin(transfer.name, tell, afresh=afresh)
            self._fetches[transfer.name] = fetch
            if transfer.stopping:
                fetch.cancel()
            notes = fetch.run()
        except Cancelled:
            self._later(loop, transfer, stage=Stage.PAUSED)
        except SincError as error:
            # what breaks off while it is being stopped was stopped
            stage = Stage.PAUSED if transfer.stopping else Stage.FAILED
            self._later(loop, transfer, stage=stage, error=None if transfer.stopping else error)
        except Exception as error:
            wrapped = SincError(
                f"The download broke off: {type(error).__name__}: {error}",
                hint="This is a bug in sinc-tui; what has arrived is kept. Try again.",
                retryable=True,
            )
            self._later(loop, transfer, stage=Stage.FAILED, error=wrapped)
        else:
            self._later(loop, transfer, stage=Stage.DONE, notes=tuple(notes))

    def _later(
        self, loop: asyncio.AbstractEventLoop, transfer: Transfer, **changes: object
    ) -> None:
        """Apply a change in the loop's thread; a loop that has ended is told nothing."""

        def apply() -> None:
            for field, value in changes.items():
                setattr(transfer, field, value)
            if transfer.stage is not Stage.RUNNING:
                transfer.stopping = False
            self._changed(transfer)

        with suppress(RuntimeError):
            loop.call_soon_threadsafe(apply)
