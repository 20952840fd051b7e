"""Downloads in threads: they go on, stop when they are told, and every end is heard of."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from sinc_tui.errors import SincError
from sinc_tui.models.download import Progress
from sinc_tui.tui.downloads import Downloads, Stage, Transfer
from tests.support.scripted_shelf import SMALL, ScriptedFetch
from tests.support.waiting import until


class Desk:
    """Downloads, what was begun, and what was told."""

    def __init__(self, begin: Callable[..., ScriptedFetch] | None = None) -> None:
        self.fetches: list[ScriptedFetch] = []
        self.told: list[tuple[str, Stage]] = []
        self.threads: set[int] = set()
        self.downloads = Downloads(begin or self._begin, self._changed)

    def transfer(self, name: str = "small") -> Transfer:
        transfer = self.downloads[name]
        assert transfer is not None
        return transfer

    async def begun(self, count: int = 1) -> ScriptedFetch:
        await until(lambda: len(self.fetches) == count)
        return self.fetches[-1]

    async def stage(self, stage: Stage, name: str = "small") -> Transfer:
        await until(lambda: self.transfer(name).stage is stage)
        return self.transfer(name)

    def _begin(self, name: str, tell: Callable[[Progress], None], *, afresh: bool) -> ScriptedFetch:
        self.fetches.append(ScriptedFetch(name, tell))
        return self.fetches[-1]

    def _changed(self, transfer: Transfer) -> None:
        self.threads.add(threading.get_ident())
        self.told.append((transfer.name, transfer.stage))


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_to_the_end(desk: Desk) -> None:
    desk.downloads.start("small")
    assert desk.transfer().percent == ""
    fetch = await desk.begun()
    fetch.arrived(SMALL // 2, speed=1e6)
    await until(lambda: desk.transfer().progress)
    assert desk.transfer().percent == "50%"
    assert [one.name for one in desk.downloads.running] == ["small"]
    fetch.finish()
    transfer = await desk.stage(Stage.DONE)
    assert transfer.notes == ("Nothing is known to compare it with.",)
    assert desk.downloads.running == []
    assert desk.threads == {threading.get_ident()}, "all is told in the loop's own thread"


async def test_pause_and_go_on(desk: Desk) -> None:
    desk.downloads.start("small")
    fetch = await desk.begun()
    fetch.arrived(SMALL // 4)
    await until(lambda: desk.transfer().progress)
    assert desk.downloads.pause("small")
    assert desk.transfer().stopping
    await desk.stage(Stage.PAUSED)
    assert fetch.cancelled
    assert not desk.transfer().stopping
    assert not desk.downloads.pause("small")
    desk.downloads.start("small")
    assert desk.transfer().percent == "25%", "it is not forgotten while the server is asked"
    (await desk.begun(2)).finish()
    await desk.stage(Stage.DONE)


async def test_started_twice_it_runs_once(desk: Desk) -> None:
    desk.downloads.start("small")
    await desk.begun()
    desk.downloads.start("small")
    desk.downloads.start("medium")
    await desk.begun(2)
    assert [fetch.name for fetch in desk.fetches] == ["small", "medium"]
    await desk.downloads.close()


async def test_a_pause_before_it_has_begun() -> None:
    may_begin = threading.Event()

    def begin(name: str, tell: Callable[[Progress], None], *, afresh: bool) -> ScriptedFetch:
        may_begin.wait(60)
        return ScriptedFetch(name, tell)

    desk = Desk(begin)
    desk.downloads.start("small")
    desk.downloads.pause("small")
    may_begin.set()
    await desk.stage(Stage.PAUSED)


async def test_failures(desk: Desk) -> None:
    desk.downloads.start("small")
    (await desk.begun()).fail(SincError("No way.", hint="Go home."))
    transfer = await desk.stage(Stage.FAILED)
    assert str(transfer.error) == "No way. Go home."
    desk.downloads.start("small")
    assert desk.transfer().error is None
    (await desk.begun(2)).finish()
    await desk.stage(Stage.DONE)


async def test_what_breaks_off_while_it_is_stopped_was_stopped(desk: Desk) -> None:
    desk.downloads.start("small")
    fetch = await desk.begun()
    desk.transfer().stopping = True
    fetch.fail(SincError("The connection was closed."))
    assert (await desk.stage(Stage.PAUSED)).error is None


async def test_a_bug_is_told_too() -> None:
    def begin(name: str, tell: Callable[[Progress], None], *, afresh: bool) -> ScriptedFetch:
        raise ZeroDivisionError("by nothing")

    desk = Desk(begin)
    desk.downloads.start("small")
    transfer = await desk.stage(Stage.FAILED)
    assert transfer.error is not None
    assert "ZeroDivisionError: by nothing" in transfer.error.message


async def test_close_pauses_all_and_waits(desk: Desk) -> None:
    for name in ("small", "medium"):
        desk.downloads.start(name)
    await desk.begun(2)
    await desk.downloads.close()
    assert all(fetch.cancelled for fetch in desk.fetches)
    assert not any(thread.is_alive() for thread in desk.downloads._threads.values())


async def test_forgotten(desk: Desk) -> None:
    desk.downloads.start("small")
    await desk.begun()
    await desk.downloads.stop("small")
    desk.downloads.forget("small")
    assert desk.downloads["small"] is None
    await desk.downloads.stop("small")
