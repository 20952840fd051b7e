"""The one downloader: what the app, the command line and the first run get models with.

A download runs in the thread that calls `run`, tells its progress to a listener, and can be cancelled
from any other thread at any time. What has arrived stays in a `.part` file and is not fetched again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sinc_tui.errors import SincError
from sinc_tui.models.catalog import CatalogModel

Phase = Literal["looking", "waiting", "fetching", "checking"]
"""Asking the server; another program has the file; bytes arrive; the content is compared with its hash."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is; of a split model, all files count as one.

    Attributes:
        done, total: bytes that are here, and bytes in all (None: not known yet).
        speed: bytes a second over the last seconds, 0.0 before anything can be said.
        seconds_left: at that speed; None: nobody can say.
        note: what goes wrong or is waited for, a sentence for people; else empty.
    """

    phase: Phase
    file: str
    done: int
    total: int | None
    speed: float = 0.0
    seconds_left: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """What tests and slow networks need to change; times in seconds, sizes in bytes.

    Attributes:
        connections: at the same time, where the server allows ranges.
        chunk: what is fetched by one request, and the most that is fetched again after a kill.
        connect_timeout, stall_timeout: for a connection, and without a single byte on it.
        attempts: failures in a row, without a new byte, after which it gives up.
        backoff, longest_backoff: the pause after the first failure, doubled at each, and its limit.
        longest_wait: what a server may ask for by Retry-After.
        interval: between two calls of the listener.
    """

    connections: int = 4
    chunk: int = 8 << 20
    connect_timeout: float = 10.0
    stall_timeout: float = 30.0
    attempts: int = 6
    backoff: float = 0.5
    longest_backoff: float = 15.0
    longest_wait: float = 120.0
    interval: float = 0.1


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A model that is here: its first file, and what the user should be told about its content."""

    path: Path
    notes: tuple[str, ...] = ()


class Cancelled(SincError):
    """The user stopped the download; what has arrived is kept."""


class Download:
    """The download of one model. `run` once; `cancel` from anywhere."""

    def __init__(
        self,
        model: CatalogModel,
        listener: Callable[[Progress], None] = lambda _: None,
        options: DownloadOptions = DownloadOptions(),
    ) -> None:
        """`listener` is called in `run`'s thread, about ten times a second."""
        self.model = model

    def run(self) -> Downloaded:
        """Get what is missing and check it; returns at once where all is here.

        Raises `Cancelled`, or a `SincError` that says what to do.
        """
        raise NotImplementedError

    def cancel(self) -> None:
        """Stop at once; what has arrived is kept, and a new `Download` goes on from there."""
        raise NotImplementedError
