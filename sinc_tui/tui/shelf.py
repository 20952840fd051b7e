"""The models as the screen sees them: what it asks of a store, and the real one."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sinc_tui.engine.fitting import Place
    from sinc_tui.models.download import Download, Progress
    from sinc_tui.models.references import FileReference
    from sinc_tui.models.store import StoredModel
    from sinc_tui.settings import DecodeMode
    from sinc_tui.tui.session import Engine


class Presence(StrEnum):
    """Where a model is."""

    HERE = "here"
    PARTLY = "partly"
    DAMAGED = "damaged"
    ABSENT = "absent"
    GONE = "gone"
    """The user named it by a path, and there is no file any more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the list; sizes in bytes, None where nobody knows.

    Attributes:
        name: what it is called, and what the settings hold of it.
        about: what it is, a sentence; `licence`: of its weights.
        size: of its download; `partial`: of that, what has arrived.
        memory: what a run takes, about.
        removable: what would be freed by removing it.
        package: the Python package that brings it; empty for one that is downloaded.
        owned: whether its files were downloaded; not those of a package, or that the user named by path.
        trained: whether it was distilled for this job.
        decode: how its bands are written unless the settings say otherwise.
        problem, hint: what is wrong with it and what to do, sentences; a hint is there only where
            downloading again is no answer.
    """

    name: str
    presence: Presence
    about: str = ""
    licence: str = ""
    size: int | None = None
    partial: int = 0
    memory: int | None = None
    removable: int = 0
    package: str = ""
    owned: bool = True
    trained: bool = False
    decode: DecodeMode = "sequential"
    problem: str = ""
    hint: str = ""

    @property
    def missing(self) -> int:
        """What is still to be downloaded, as far as it is known."""
        here = self.presence in (Presence.HERE, Presence.GONE)
        if here or self.package or self.size is None:
            return 0
        return max(0, self.size - self.partial)


class Fetch(Protocol):
    """A download: `run` once, in a thread of its own; `cancel` from anywhere."""

    def run(self) -> Sequence[str]:
        """Notes for the user. Raises `download.Cancelled`, or a `SincError` that says what to do."""

    def cancel(self) -> None:
        """Stop; what has arrived is kept."""


class Shelf(Protocol):
    """What the screen asks of a store. All of it blocks, and raises `SincError`."""

    def entries(self, also: str) -> list[Entry]:
        """The models that have a name, and the one that `also` names."""

    def place(self) -> Place:
        """This machine."""

    def fetch(self, name: str, tell: Callable[[Progress], None], *, afresh: bool) -> Fetch:
        """A download that is to be run; `tell` is called in its thread. `afresh` throws away what is
        here, because it is damaged."""

    def verify(self, name: str) -> Sequence[str]:
        """Read the model's files and compare them with what is known of them; notes for the user."""

    def remove(self, name: str) -> int:
        """Delete what was downloaded of a model; the bytes that were freed."""

    def add(self, text: str) -> str:
        """Give a file or an address a place in the list; the name that it has there."""

    def engine(self, name: str) -> Engine:
        """What runs the model."""


class StoredShelf:
    """The catalogue's models on this machine's disk."""

    def __init__(self, worker: Sequence[str] | None = None) -> None:
        """`worker` is the engine's command line, for tests."""
        self._worker = worker
        self._devices: Place | None = None
        self._damaged_merges: set[str] = set()

    def entries(self, also: str) -> list[Entry]:
        """See `Shelf`. A model that cannot be told from its name is left out."""
        from sinc_tui.errors import SincError
        from sinc_tui.models.catalog import model_for
        from sinc_tui.models.store import list_stored, stored

        found = list_stored()
        if also and all(one.model.name != also for one in found):
            with suppress(SincError):
                found.append(stored(model_for(also)))
        return [_entry(one) for one in found]

    def place(self) -> Place:
        """See `Shelf`. The devices are asked for once, for that takes a process and a second."""
        from dataclasses import replace

        from sinc_tui.engine.fitting import Place
        from sinc_tui.engine.machine import detect
        from sinc_tui.engine.probe import probe

        if self._devices is None:
            build = probe()
            self._devices = Place(detect(), build.devices if build.gpu else ())
        return replace(self._devices, machine=detect(), disk_free=_disk_free())

    def fetch(self, name: str, tell: Callable[[Progress], None], *, afresh: bool) -> Fetch:
        """See `Shelf`. Where only the merged file was found damaged, the download stays.

        Nothing is read again, for that takes long and could not be stopped.
        """
        from sinc_tui.models.catalog import model_for
        from sinc_tui.models.download import Download
        from sinc_tui.models.store import remove, remove_merged

        model = model_for(name)
        if afresh:
            (remove_merged if name in self._damaged_merges else remove)(model)
            self._damaged_merges.discard(name)
        return _Fetch(Download(model, tell))

    def verify(self, name: str) -> Sequence[str]:
        """See `Shelf`."""
        from sinc_tui.models.catalog import model_for
        from sinc_tui.models.store import DamagedMerge, verify

        self._damaged_merges.discard(name)
        try:
            return verify(model_for(name))
        except DamagedMerge:
            self._damaged_merges.add(name)
            raise

    def remove(self, name: str) -> int:
        """See `Shelf`."""
        from sinc_tui.models.catalog import model_for
        from sinc_tui.models.store import remove

        self._damaged_merges.discard(name)
        return remove(model_for(name))

    def add(self, text: str) -> str:
        """See `Shelf`. The file's server is asked for its size and hash, so that they are pinned."""
        from sinc_tui.models import user_catalog
        from sinc_tui.models.catalog import catalog
        from sinc_tui.models.pinning import pinned
        from sinc_tui.models.references import NameReference, parse
        from sinc_tui.models.transfer import DownloadOptions

        known = catalog()
        reference = parse(text, known)
        if isinstance(reference, NameReference):
            return reference.name
        name = _free_name(reference, known)
        user_catalog.add(pinned(reference, name, DownloadOptions(attempts=2)))
        return name

    def engine(self, name: str) -> Engine:
        """See `Shelf`."""
        from sinc_tui.models.catalog import named
        from sinc_tui.rewriter import Rewriter

        return Rewriter(named(name), worker=self._worker, behind=True)


class _Fetch:
    """A download as `Fetch`."""

    def __init__(self, download: Download) -> None:
        self._download = download

    def run(self) -> Sequence[str]:
        """See `Fetch`."""
        return self._download.run().notes

    def cancel(self) -> None:
        """See `Fetch`."""
        self._download.cancel()


def _entry(one: StoredModel) -> Entry:
    model = one.model
    return Entry(
        name=model.name,
        presence=Presence(one.state.value),
        about=model.about,
        licence=model.licence,
        size=model.size or one.on_disk or None,
        partial=one.partial,
        memory=model.memory << 20 if model.memory else None,
        removable=one.removable,
        package=model.package or "",
        owned=one.owned,
        trained=model.trained,
        decode=model.decode,
        problem=one.problem,
        hint="" if one.owned else one.hint,
    )


def _free_name(reference: FileReference, taken: Container[str]) -> str:
    """A name after the file's, with a number behind it where that is taken."""
    from sinc_tui.models.references import PathReference

    file = reference.path.name if isinstance(reference, PathReference) else reference.file
    stem = re.sub(r"[^a-z0-9._-]+", "-", Path(file).stem.lower()).strip("-._")[:48] or "model"
    names = (f"{stem}-{number}" if number > 1 else stem for number in itertools.count(1))
    return next(name for name in names if name not in taken)


def _disk_free() -> int | None:
    """Bytes on the disk of the Hub's cache, whose folder need not exist."""
    import shutil

    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE)
    for place in (folder, *folder.parents):
        if place.exists():
            return shutil.disk_usage(place).free
    return None
