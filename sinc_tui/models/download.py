"""The one downloader: what the app, the command line and the first run get models with.

A download runs in the thread that calls `run`, tells its progress to a listener, and can be cancelled
from any other thread at any time. What has arrived stays in a `.part` file and is not fetched again.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sinc_tui.errors import SincError
from sinc_tui.models import download_errors as errors
from sinc_tui.models.asking import Asker
from sinc_tui.models.catalog import CatalogFile, CatalogModel, file_place, gone
from sinc_tui.models.partial import Partial
from sinc_tui.models.placement import Placement, place
from sinc_tui.models.references import PathReference
from sinc_tui.models.remote import Changed, Remote, RemoteReference, look_up
from sinc_tui.models.transfer import DownloadOptions, NoRanges, Transfer
from sinc_tui.models.wire import Wire

Phase = Literal["looking", "waiting", "fetching", "checking"]
"""Asking the server; another program has the file; bytes arrive; the content is compared with its hash."""
_WINDOW = 5.0
"""Seconds over which the speed is taken."""
_CHANGES = 3
"""Times that a file may change on the server while it is fetched."""

__all__ = ["Cancelled", "Download", "DownloadOptions", "Downloaded", "Progress"]


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
class Downloaded:
    """A model that is here: its first file, and what the user should be told about its content."""

    path: Path
    notes: tuple[str, ...] = ()


class Cancelled(SincError):
    """The user stopped the download; what has arrived is kept."""


@dataclass(slots=True)
class _Job:
    """A file that is still to be fetched."""

    file: CatalogFile
    reference: RemoteReference
    remote: Remote
    placement: Placement

    @property
    def missing(self) -> int:
        """Bytes of disk that it still needs."""
        here = Partial(self.placement.part).on_disk()
        return max(0, (self.remote.size or 0) - here)


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
        self._listener, self._options = listener, options
        self._cancelled = threading.Event()
        self._transfer: Transfer | None = None
        self._progress = Progress("looking", model.files[0].file, 0, model.size)
        self._before = 0
        self._samples: deque[tuple[float, int]] = deque()
        self._notes: list[str] = []

    def run(self) -> Downloaded:
        """Get what is missing and check it; returns at once where all is here.

        Raises `Cancelled`, or a `SincError` that says what to do.
        """
        try:
            if (error := gone(self.model)) is not None:
                raise error
            paths = [self._here(file) for file in self.model.files]
            missing = [file for file, path in zip(self.model.files, paths, strict=True) if not path]
            if missing:
                self._run(missing)
                paths = [self._here(file) for file in self.model.files]
            assert paths[0] is not None
            return Downloaded(paths[0], tuple(self._notes))
        except OSError as error:
            raise errors.of_disk(error, self.model.name) from error

    def cancel(self) -> None:
        """Stop at once; what has arrived is kept, and a new `Download` goes on from there."""
        self._cancelled.set()
        if self._transfer is not None:
            self._transfer.stop()

    def _here(self, file: CatalogFile) -> Path | None:
        """The file's place on this machine, None where it is to be fetched."""
        reference = self.model.reference(file)
        path = file_place(reference)
        if isinstance(reference, PathReference):
            if path is None or not path.is_file():
                raise SincError(f"There is no file {reference}.", hint="Check the path.")
            return path
        whole = path is not None and file.size in (None, path.stat().st_size)
        return path if whole else None

    def _run(self, missing: list[CatalogFile]) -> None:
        with self._wire() as wire:
            jobs = [self._job(file, wire) for file in missing]
        errors.check_room(self.model.name, [(job.placement.part, job.missing) for job in jobs])
        sizes = [job.remote.size for job in jobs]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        self._progress = replace(self._progress, total=total)
        for job in jobs:
            self._progress = replace(self._progress, file=job.file.file)
            with self._locked(job.placement.lock):
                self._get(job)
            self._before += job.remote.size or 0

    def _job(self, file: CatalogFile, wire: Wire) -> _Job:
        reference = self.model.reference(file)
        assert not isinstance(reference, PathReference)
        asker = Asker(self.model.name, self._options, self._check_cancelled, self._looking)
        remote = asker.ask(lambda: look_up(reference, wire, self._options.connect_timeout))
        errors.check_promise(self.model.name, file, remote)
        return _Job(file, reference, remote, place(reference, remote))

    def _get(self, job: _Job) -> None:
        """Fetch one file and put it in its place, unless somebody else did meanwhile."""
        target = job.placement.target
        for _ in range(_CHANGES):
            if self._here(job.file) is not None:
                return
            there = target.is_file() and job.remote.size in (None, target.stat().st_size)
            if there and job.placement.pointer is not None:
                job.placement.publish()
                return
            try:
                self._fetch(job)
                return
            except Changed:
                self._tell(note="the server has another file now; asking again")
                with self._wire() as wire:
                    fresh = self._job(job.file, wire)
                if fresh.placement.part != job.placement.part:
                    Partial(job.placement.part).delete()
                job.remote, job.placement = fresh.remote, fresh.placement
            except NoRanges:
                job.remote = replace(job.remote, ranges=False)
        raise SincError(
            f"{job.file.file} keeps changing on the server.", hint="Try later.", retryable=True
        )

    def _fetch(self, job: _Job) -> None:
        """One attempt at a file; raises `Changed`, `NoRanges`, `SincError`."""
        remote, partial = job.remote, Partial(job.placement.part)
        identity = job.file.sha256 or remote.sha256 or remote.identity
        if partial.open(identity, remote.size, self._options.chunk, ranges=remote.ranges):
            self._notes.append("The file had changed on the server since the last try.")
        with self._wire() as wire:
            transfer = Transfer(
                wire, remote, partial, self._options, lambda: self._renewed(job, wire)
            )
            try:
                sha256 = self._follow(transfer)
            except Cancelled:
                raise
            except SincError as error:
                raise errors.resumable(
                    error, self.model.name, transfer.done, remote.size
                ) from error
            finally:
                transfer.stop()
                transfer.join(0.5)
                partial.close()
        self._accept(job, partial, sha256)

    def _renewed(self, job: _Job, wire: Wire) -> Remote:
        return look_up(job.reference, wire, self._options.connect_timeout)

    def _accept(self, job: _Job, partial: Partial, sha256: str) -> None:
        """Put a whole file into its place if it is what it should be; else throw it away."""
        wanted = job.file.sha256 or job.remote.sha256
        if wanted is not None and sha256 != wanted:
            partial.delete()
            raise errors.wrong_content(self.model.name, job.file.file, sha256, wanted)
        if wanted is None:
            errors.check_is_model(partial, self.model.name)
            self._notes.append(
                f"Nobody says what {job.file.file} should hold, so it could not be compared; its sha256 "
                f"is {sha256}."
            )
        partial.finish(job.placement.target)
        job.placement.publish()

    def _follow(self, transfer: Transfer) -> str:
        """Tell how a transfer goes until its end; the content's sha256."""
        self._transfer = transfer
        self._samples.clear()
        transfer.start()
        try:
            while not transfer.wait(self._options.interval):
                self._check_cancelled(transfer.done)
                self._report(transfer)
        finally:
            self._transfer = None
        self._report(transfer)
        assert transfer.sha256 is not None
        return transfer.sha256

    def _report(self, transfer: Transfer) -> None:
        now, fetched, total = time.monotonic(), transfer.fetched, self._progress.total
        self._samples.append((now, fetched))
        while len(self._samples) > 2 and now - self._samples[0][0] > _WINDOW:
            self._samples.popleft()
        then, before = self._samples[0]
        speed = (fetched - before) / (now - then) if now > then else 0.0
        done = self._before + transfer.done
        left = (total - done) / speed if total is not None and speed > 0 else None
        self._tell(
            phase="checking" if transfer.checking else "fetching",
            done=done, speed=speed, seconds_left=left, note=transfer.note,
        )  # fmt: skip

    def _tell(self, **changes: object) -> None:
        self._progress = replace(self._progress, **changes)  # type: ignore[arg-type]
        self._listener(self._progress)

    @contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        """Hold the file's lock; where another program has it, wait."""
        from filelock import FileLock, Timeout

        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        while True:
            with suppress(Timeout):
                lock.acquire(timeout=0)
                break
            self._check_cancelled()
            self._tell(phase="waiting", note="another program is downloading this file")
            self._cancelled.wait(self._options.interval)
        try:
            yield
        finally:
            lock.release()

    def _wire(self) -> AbstractContextManager[Wire]:
        return closing(Wire(self._options.connect_timeout, self._options.stall_timeout))

    def _looking(self, note: str) -> None:
        self._tell(phase="looking", note=note)

    def _check_cancelled(self, done: int = 0) -> None:
        if self._cancelled.is_set():
            name, here = self.model.name, errors.kept(self._before + done, self._progress.total)
            hint = errors.resume_hint(name)
            raise Cancelled(f"The download of {name} was stopped.{here}", hint=hint, retryable=True)
