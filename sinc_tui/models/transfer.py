"""Fetching the missing chunks of a file over several connections, and hashing the file as it grows."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from sinc_tui.errors import SincError
from sinc_tui.models import remote as remotes
from sinc_tui.models.partial import Chunk, Partial
from sinc_tui.models.remote import Changed, Remote
from sinc_tui.models.wire import Retry, Wire, pieces

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_EXPIRED = frozenset({401, 403, 404, 410})
"""What a CDN answers when a signed address is no longer good."""
_SYNC_EVERY = 4
"""Every so many chunks they are sent to the disk, so that there is little to wait for at the end."""
_AT_FIRST = 2
"""Connections to begin with: on a line that is faster than the hash, more only take its processor time."""
_PATIENCE = 0.1
"""Seconds that the hash waits for a chunk until a further connection is opened; slower lines get all."""
_DAMAGES = 3
"""Times that the disk may give back something else than was written before it is not trusted."""


class NoRanges(Exception):
    """The server sends whole files only."""


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """What tests and slow networks need to change; times in seconds, sizes in bytes.

    Attributes:
        connections: at the same time, at most, where the server allows ranges.
        chunk: what is fetched by one request, and the most that a kill costs a connection.
        connect_timeout, stall_timeout: for a connection, and without a single byte on it.
        attempts: failures in a row, without a new byte, after which it gives up.
        backoff, longest_backoff: the pause after the first failure, doubled at each, and its limit.
        longest_wait: what a server may ask for by Retry-After.
        interval: between two calls of the listener.
    """

    connections: int = 4
    chunk: int = 16 << 20
    connect_timeout: float = 10.0
    stall_timeout: float = 30.0
    attempts: int = 6
    backoff: float = 0.5
    longest_backoff: float = 15.0
    longest_wait: float = 120.0
    interval: float = 0.1

    def pause(self, failures: int, asked: float | None) -> float:
        """Seconds to wait after so many failures in a row, of which the last `asked` for some."""
        wait = min(self.backoff * float(2 ** (failures - 1)), self.longest_backoff)
        return wait if asked is None else max(wait, asked)


class Transfer:
    """One file's way from `remote` into `partial`. Threads are started by `start`, and end after `stop`."""

    def __init__(
        self,
        wire: Wire,
        remote: Remote,
        partial: Partial,
        options: DownloadOptions,
        renew: Callable[[], Remote],
    ) -> None:
        """`renew` asks the server again where the bytes are; it may raise `Retry`, `Changed`, `SincError`."""
        self._wire, self._remote, self._partial = wire, remote, partial
        self._options, self._renew = options, renew
        self._changed = threading.Condition()
        self._renewing = threading.Lock()
        self._waiting = deque(chunk for chunk in partial.chunks if not chunk.complete)
        self._alone = not remote.ranges or remote.size is None
        self._hashed = 0
        self._damages = 0
        self._version = ""
        self._quiet_until = 0.0
        self._threads: list[threading.Thread] = []
        self._workers = self._spare = 0
        self._stopped = False
        self.fetched = 0
        self.note = ""
        self.failure: BaseException | None = None
        self.sha256: str | None = None

    @property
    def done(self) -> int:
        """Bytes of the file that are here."""
        return sum(chunk.have for chunk in self._partial.chunks)

    @property
    def checking(self) -> bool:
        """Whether everything has arrived and only the hash is not ready."""
        return all(chunk.complete for chunk in self._partial.chunks)

    def start(self) -> None:
        """Start fetching and hashing."""
        missing = len(self._waiting)
        most = 1 if self._alone else max(1, min(self._options.connections, missing))
        self._workers = min(most, _AT_FIRST)
        self._spare = most - self._workers
        for job in (self._hash, *[self._work] * self._workers):
            self._run(job)

    def wait(self, seconds: float) -> bool:
        """Wait for the end, at most so long; whether it is over. Raises what ended it badly."""
        with self._changed:
            self._changed.wait_for(self._over, seconds)
        if self.failure is not None:
            raise self.failure
        return self.sha256 is not None

    def stop(self) -> None:
        """End all work at once; chunks that were begun are written down."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._wire.cut()

    def join(self, seconds: float = 2.0) -> None:
        """Wait for the threads; one that hangs in a connection's start writes nothing when it wakes."""
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _over(self) -> bool:
        return self._stopped or self.failure is not None or self.sha256 is not None

    def _run(self, job: Callable[[], None]) -> None:
        thread = threading.Thread(target=self._guarded, args=(job,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _guarded(self, job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:
            with self._changed:
                if self.failure is None and not self._stopped:
                    self.failure = error
                self._changed.notify_all()

    def _hash(self) -> None:
        """Hash the chunks in order as they are on the disk; one that is not what was written is due again."""
        hasher, chunks = hashlib.sha256(), self._partial.chunks
        while self._hashed < len(chunks):
            chunk = chunks[self._hashed]
            if not self._arrived(chunk):
                return
            after = self._partial.digest(chunk, hasher)
            if after is not None:
                hasher, self._hashed = after, self._hashed + 1
                continue
            self._again(chunk)
        with self._changed:
            self.sha256 = hasher.hexdigest()
            self._changed.notify_all()

    def _arrived(self, chunk: Chunk) -> bool:
        """Wait for a chunk, with one connection more after a while; False: all is over."""
        with self._changed:
            while not self._changed.wait_for(
                lambda: chunk.complete or self._over(), _PATIENCE if self._spare else None
            ):
                self._workers, self._spare = self._workers + 1, self._spare - 1
                self._run(self._work)
            return not self._over()

    def _again(self, chunk: Chunk) -> None:
        self._damages += 1
        if self._damages > _DAMAGES + len(self._partial.chunks):
            raise SincError(
                f"The disk does not give back what was written to {self._partial.path}.",
                hint="Check the disk, or point HF_HOME at another one.",
            )
        with self._changed:
            chunk.forget()
            self._waiting.appendleft(chunk)
            self._changed.notify_all()

    def _work(self) -> None:
        """One connection: chunk after chunk until all is hashed.

        Now and then it waits for the disk; others fetch meanwhile, while nobody could hash instead of the
        one thread that does.
        """
        with self._partial.path.open("rb+", buffering=0) as file:
            while (chunk := self._next()) is not None:
                try:
                    kept = self._fetch(chunk, file)
                finally:
                    if chunk.have and not self._alone:
                        self._partial.note(chunk)
                    with self._changed:
                        self._changed.notify_all()
                if not kept or self._over():
                    return
                if self._waiting and (chunk.number + 1) % _SYNC_EVERY == 0:
                    self._partial.sync()

    def _next(self) -> Chunk | None:
        """The next chunk that is missing; waits while a damaged one may still turn up."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._over())
            return None if self._over() else self._waiting.popleft()

    def _fetch(self, chunk: Chunk, file: BinaryIO) -> bool:
        """Get the rest of a chunk; False: this connection is one too many, the others go on."""
        failures, seen = 0, self.fetched
        while not chunk.complete and not self._stopped:
            before = chunk.have
            try:
                self._request(chunk, file)
            except Retry as trouble:
                if self._alone:
                    chunk.forget()
                elif chunk.have > before:
                    failures, seen = 0, self.fetched
                failures += 1
                if failures >= self._options.attempts and self._retire(chunk, seen):
                    return False
                self._pause(trouble, failures)
        return True

    def _retire(self, chunk: Chunk, seen: int) -> bool:
        """Leave the work to the others where they get on; whether it was left."""
        with self._changed:
            if self._workers < 2 or self.fetched <= seen:
                return False
            self._workers, self._spare = self._workers - 1, 0
            self._waiting.appendleft(chunk)
            return True

    def _pause(self, trouble: Retry, failures: int) -> None:
        """Wait before the next try; raises `SincError` where there is no sense in it."""
        options = self._options
        if failures >= options.attempts:
            raise SincError(f"{trouble.reason[:1].upper()}{trouble.reason[1:]}.", retryable=True)
        wait = options.pause(failures, trouble.after)
        if wait > options.longest_wait:
            raise SincError(f"The server asks to wait {wait / 60:.0f} minutes.", retryable=True)
        with self._changed:
            self.note = (
                f"{trouble.reason}; trying again in {wait:.0f} s" if wait >= 1 else trouble.reason
            )
            if trouble.after is not None:
                self._quiet_until = time.monotonic() + wait
            self._changed.wait_for(self._over, wait)

    def _request(self, chunk: Chunk, file: BinaryIO) -> None:
        """One request for what is missing of a chunk, written as it comes; raises `Retry` for less."""
        with self._changed:
            self._changed.wait_for(self._over, max(0.0, self._quiet_until - time.monotonic()))
            if self._stopped:
                return
        remote, at = self._remote, chunk.at
        last = None if chunk.end is None else chunk.end - 1
        with remotes.opened(self._wire, remote, remote.location, at, last) as (response, _):
            self._check(response, remote, chunk)
            self._receive(response, chunk, file)
        if chunk.end is None:
            chunk.end = chunk.at
        if not chunk.complete and not self._stopped:
            raise Retry("the connection was cut")

    def _receive(self, response: BaseHTTPResponse, chunk: Chunk, file: BinaryIO) -> None:
        file.seek(chunk.at)
        for piece in pieces(response):
            if chunk.end is not None:
                piece = piece[: chunk.end - chunk.at]
            if self._stopped or not piece:
                return
            _write(file, piece)
            chunk.add(piece)
            with self._changed:
                self.fetched += len(piece)
                self.note = ""

    def _check(self, response: BaseHTTPResponse, remote: Remote, chunk: Chunk) -> None:
        """Whether this answer holds the bytes that were asked for, of the content that was begun with."""
        status, headers = response.status, response.headers
        remotes.check_status(status, headers)
        if status in _EXPIRED and (remote.location != remote.url or remote.headers):
            self._find_again(remote)
            raise Retry(f"the address of the bytes was refused ({status})")
        if status == 416:
            raise Changed
        if status not in (200, 206):
            raise remotes.refusal(status, remote.url)
        version = remotes.plain_etag(headers.get("ETag")) or headers.get("Last-Modified", "")
        self._version = self._version or version
        total = (
            headers.get("Content-Length", "") if status == 200 else headers.get("Content-Range", "")
        )
        size = remotes.total_of(f"/{total}" if status == 200 else total)
        if version != self._version or (
            remote.size is not None and size not in (None, remote.size)
        ):
            raise Changed
        if status == 200 and not self._alone:
            if self.fetched:
                raise Retry("the server sends the whole file instead of a part")
            raise NoRanges
        if status == 206 and remotes.start_of(total) != chunk.at:
            raise Retry("the server sends other bytes than were asked for")

    def _find_again(self, used: Remote) -> None:
        """Ask for a new location, once for all connections."""
        with self._renewing:
            if self._remote is not used:
                return
            fresh = self._renew()
            if (fresh.identity, fresh.size) != (used.identity, used.size):
                raise Changed
            self._remote, self._version = fresh, ""


def _write(file: BinaryIO, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[file.write(view) :]
