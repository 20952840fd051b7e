"""What the app keeps by itself: runs, edits, the prompt that was being typed."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from sinc_tui import events, paths
from sinc_tui.errors import SincError
from sinc_tui.history import History, Run
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.sinc.draft import Draft
from sinc_tui.tui.app import _is_new
from sinc_tui.tui.screens.history import HistoryScreen
from sinc_tui.tui.screens.models import ModelsScreen
from tests.support.screen import Driver, running
from tests.support.scripted_worker import TEXTS
from tests.support.waiting import until

DOCUMENT = SincDocument.from_bands(TEXTS)


def kept() -> list[Run]:
    """The history as another process sees it."""
    if not paths.history_file().exists():
        return []
    history = History(paths.history_file())
    try:
        return list(history.all())
    finally:
        history.close()


async def finish(driver: Driver, prompt: str = "fix line 3") -> None:
    await driver.run(prompt)
    driver.engine.write(TEXTS)
    driver.engine.finish(DOCUMENT)
    await until(lambda: driver.band(Band.TASK) == TEXTS[Band.TASK])
    await until(lambda: "finished" in driver.status())


def orphan(text: str) -> Path:
    """A draft of a process that is gone; no system gives out ids so high."""
    folder = paths.drafts()
    folder.mkdir(parents=True)
    path = folder / "99999999.prompt"
    path.write_text(text, encoding="utf-8")
    return path


async def test_a_run_is_kept_as_it_happens() -> None:
    async with running() as driver:
        await driver.run("fix line 3")
        await until(lambda: [run.prompt for run in kept()] == ["fix line 3"])
        driver.engine.write({Band.PERSONA: "You.", Band.CONTEXT: "Half"}, unfinished=Band.CONTEXT)
        await until(lambda: kept()[0].texts[Band.PERSONA] == "You.")
        assert kept()[0].ended == "running"
        assert kept()[0].texts[Band.CONTEXT] == ""
        await driver.pilot.press("escape")
        await until(lambda: kept()[0].ended == "stopped")
        (run,) = kept()
        assert (run.texts[Band.CONTEXT], run.done) == ("Half", {Band.PERSONA})
        assert (run.model, run.seed, run.mode) == ("test-model", 0, "parallel")


async def test_edits_are_kept_beside_what_the_model_wrote() -> None:
    async with running() as driver:
        await finish(driver)
        await driver.pilot.press("tab", "X")
        await until(lambda: kept() and kept()[0].edited)
        (run,) = kept()
        assert run.texts[Band.PERSONA] != TEXTS[Band.PERSONA]
        assert run.written == TEXTS
        assert run.ended == "finished"


async def test_the_last_edit_before_quitting_is_kept() -> None:
    async with running() as driver:
        await finish(driver)
        await driver.pilot.press("tab", "X")
    assert kept()[0].edited


async def test_each_run_is_one_of_its_own() -> None:
    async with running() as driver:
        await finish(driver)
        await driver.pilot.press("ctrl+t")
        await until(lambda: len(driver.engine.prompts) == 2)
        driver.engine.say(events.Failed(SincError("It broke."), Draft()))
        await until(lambda: driver.notice("error"))
        await until(lambda: [run.ended for run in kept()] == ["finished", "failed"])
        assert [run.seed for run in kept()] == [0, 1]


async def test_nothing_is_kept_while_it_is_off() -> None:
    async with running() as driver:
        driver.screen.recorder.on = False
        await finish(driver, "secret")
        driver.screen.recorder.on = True
        await driver.pilot.press("tab", "X")
        await driver.pilot.press("ctrl+n")
        await finish(driver, "public")
        await until(kept)
    assert [run.prompt for run in kept()] == ["public"]
    assert b"secret" not in paths.history_file().read_bytes()


async def test_a_history_that_cannot_be_written_is_told_once_and_stops_nothing() -> None:
    paths.history_file().write_bytes(b"no database at all" * 99)
    async with running() as driver:
        await finish(driver)
        await until(lambda: "not a database" in driver.notice("notice"))
        await until(lambda: driver.band(Band.TASK) == TEXTS[Band.TASK])
        await driver.pilot.press("escape")
        await driver.pilot.press("tab", "X")
        await driver.pilot.pause(0.6)
        assert driver.notice("notice") == ""


async def test_a_locked_history_loses_no_run() -> None:
    History(paths.history_file()).close()
    other = sqlite3.connect(paths.history_file(), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with running() as driver:
        await finish(driver)
        other.execute("ROLLBACK")
        await until(lambda: [run.ended for run in kept()] == ["finished"])


async def test_the_prompt_survives_until_it_was_run() -> None:
    async with running() as driver:
        await driver.type("half a pro")
    async with running() as driver:
        await until(lambda: driver.editor.text == "half a pro")
        assert "prompt you left" in driver.notice("notice")
        await driver.type("mpt")
        assert driver.editor.text == "half a prompt"
        await driver.pilot.press("enter")
        await until(lambda: driver.engine.prompts)
        driver.engine.write(TEXTS)
        driver.engine.finish(DOCUMENT)
        await until(lambda: "finished" in driver.status())
    async with running() as driver:
        assert not list(paths.drafts().iterdir())
        assert driver.editor.text == ""


async def test_the_prompt_of_a_dead_process_comes_back() -> None:
    path = orphan("from the crash\nline 2")
    async with running() as driver:
        await until(lambda: driver.editor.text == "from the crash\nline 2")
        assert not path.exists()
        assert (paths.drafts() / f"{os.getpid()}.prompt").exists()


async def test_a_draft_that_cannot_be_written_is_told() -> None:
    (paths.state() / "drafts").write_text("a file where the folder should be")
    async with running() as driver:
        await driver.type("x")
        await until(lambda: "draft of the prompt cannot be written" in driver.notice("notice"))


async def test_where_no_folder_can_be_made_the_app_works_and_says_what_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    for name in ("STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "file" / name))
    assert not _is_new()
    said: set[str] = set()

    async def hears(text: str) -> None:
        await until(lambda: said.add(driver.notice("notice")) or any(text in one for one in said))

    async with running() as driver:
        driver.app.action_tour()
        await driver.pilot.press("escape")
        await driver.type("fix line 3")
        await hears("draft of the prompt cannot be written")
        await driver.pilot.press("enter")
        await until(lambda: driver.engine.prompts)
        await hears(f"The folder {tmp_path}/file/DATA/sinc-tui cannot be made: Not a directory.")
        driver.engine.write(TEXTS)
        driver.engine.finish(DOCUMENT)
        await until(lambda: "finished" in driver.status())
        await driver.pilot.press("ctrl+y")
        await hears("The copy on disk failed (Not a directory).")
        await driver.pilot.press("f7")
        await until(lambda: isinstance(driver.app.screen, HistoryScreen))
        await driver.pilot.press("escape", "f11")
        await until(lambda: isinstance(driver.app.screen, ModelsScreen))
        assert isinstance(driver.app.screen, ModelsScreen)
        await until(lambda: driver.app.screen.query_one("OptionList").option_count >= 4)
