"""Another model in place of the one that is loaded: prompt and results stay, failures go back."""

from __future__ import annotations

import asyncio

import pytest

from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.tui.session import Session
from sinc_tui.tui.state import Phase
from tests.support.fake_engine import INFO, FakeEngine
from tests.support.scripted_worker import TEXTS
from tests.support.waiting import until

OTHER = INFO.model_copy(update={"name": "other"})
BROKEN = SincError("It cannot be loaded.", hint="Choose another.")


def session(engine: FakeEngine) -> Session:
    return Session(lambda: engine, lambda: None)


async def finished(session: Session, engine: FakeEngine) -> None:
    run = asyncio.create_task(session.run("fix it"))
    await until(lambda: engine.prompts)
    engine.write(TEXTS)
    engine.finish(SincDocument.from_bands(TEXTS))
    await run


async def test_the_result_stays() -> None:
    old, new = FakeEngine(), FakeEngine(info=OTHER)
    mine = session(old)
    await mine.load()
    await finished(mine, old)
    assert await mine.switch(lambda: new) is None
    assert old.closed
    assert mine.state.info == OTHER
    assert (mine.state.prompt, mine.state.draft.texts) == ("fix it", TEXTS)
    run = asyncio.create_task(mine.run("again"))
    await until(lambda: new.prompts == ["again"])
    await mine.stop()
    await run


async def test_a_run_under_way_is_stopped_and_kept() -> None:
    old, new = FakeEngine(), FakeEngine(info=OTHER)
    mine = session(old)
    await mine.load()
    run = asyncio.create_task(mine.run("fix it"))
    await until(lambda: old.prompts)
    old.write({Band.PERSONA: TEXTS[Band.PERSONA]})
    await until(lambda: mine.state.draft.texts[Band.PERSONA])
    assert await mine.switch(lambda: new) is None
    await run
    assert mine.state.result.ended == "stopped"
    assert mine.state.draft.texts[Band.PERSONA] == TEXTS[Band.PERSONA]
    assert mine.state.info == OTHER


async def test_back_to_the_model_before() -> None:
    old, new = FakeEngine(), FakeEngine(info=OTHER)
    new.fails = BROKEN
    mine = session(old)
    await mine.load()
    assert await mine.switch(lambda: new) is BROKEN
    assert new.closed
    assert (mine.state.info, mine.state.error) == (INFO, None)


async def test_back_where_the_engine_cannot_even_be_made() -> None:
    def connect() -> FakeEngine:
        raise BROKEN

    mine = session(FakeEngine())
    await mine.load()
    assert await mine.switch(connect) is BROKEN
    assert mine.state.info == INFO


async def test_nothing_to_go_back_to() -> None:
    broken, new = FakeEngine(), FakeEngine(info=OTHER)
    broken.fails = BROKEN
    mine = session(broken)
    await mine.load()
    assert mine.state.phase is Phase.FAILED
    other = FakeEngine()
    other.fails = SincError("Neither.")
    assert await mine.switch(lambda: other) is other.fails
    assert mine.state.error is other.fails
    assert await mine.switch(lambda: new) is None
    assert (mine.state.info, mine.state.error) == (OTHER, None)


async def test_a_run_that_is_wanted_meanwhile_runs_on_the_new_model() -> None:
    new = FakeEngine(info=OTHER, loads=False)
    mine = session(FakeEngine())
    await mine.load()
    switching = asyncio.create_task(mine.switch(lambda: new))
    await until(lambda: mine.state.info is None and mine.state.loaded)
    run = asyncio.create_task(mine.run("fix it"))
    await until(lambda: mine.state.running)
    new.may_load.set()
    assert await switching is None
    await until(lambda: new.prompts == ["fix it"])
    await mine.stop()
    await run


async def test_measure() -> None:
    engine = FakeEngine()
    mine = session(engine)
    assert await mine.measure() is None, "there is no model yet"
    await mine.load()
    assert await mine.measure() == 137.0
    engine.speed = BROKEN
    with pytest.raises(SincError, match="cannot be loaded"):
        await mine.measure()


async def test_a_run_ends_the_measuring() -> None:
    engine = FakeEngine()
    engine.speed = None
    mine = session(engine)
    await mine.load()
    measuring = asyncio.create_task(mine.measure())
    await until(lambda: engine.measured)
    run = asyncio.create_task(mine.run("fix it"))
    await until(lambda: engine.prompts)
    assert await measuring is None
    await mine.stop()
    await run
