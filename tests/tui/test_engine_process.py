"""The app over a real child process: it dies, hangs, refuses, and the app lives on."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from textual.pilot import Pilot

from sinc_tui.rewriter import ModelFile, Rewriter
from sinc_tui.sinc.bands import Band
from sinc_tui.tui.app import SincApp
from sinc_tui.tui.screens.main import MainScreen
from sinc_tui.tui.state import Phase
from sinc_tui.tui.widgets.notice import Notice
from sinc_tui.tui.widgets.prompt_editor import PromptEditor
from tests.support.scripted_app import WORKER
from tests.support.scripted_worker import TEXTS
from tests.support.waiting import until

KILLS = 20


@asynccontextmanager
async def app_on(*arguments: str) -> AsyncIterator[tuple[MainScreen, Pilot[None]]]:
    """The app on a scripted worker, with a prompt typed."""
    model = ModelFile(Path("scripted.gguf"), "scripted-model")
    worker = [sys.executable, str(WORKER), *arguments]
    app = SincApp(lambda: Rewriter(model, worker=worker))
    async with app.run_test(size=(120, 35)) as pilot:
        await pilot.press("h", "i")
        yield cast(MainScreen, app.screen_stack[0]), pilot


async def test_killed_in_mid_band_twenty_times_in_a_row(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    hold = tmp_path / "hold"
    hold.touch()
    async with app_on("--hold", str(hold), "--pid-file", str(pid_file)) as (screen, pilot):
        killed = set()
        for _ in range(KILLS):
            await pilot.press("enter")
            await until(lambda: len(screen.state.draft.texts[Band.CONSTRAINTS]) > 30)
            pid = int(pid_file.read_text())
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
            await until(lambda: screen.state.phase is Phase.FAILED)
            await until(lambda: screen.query_one("#error", Notice).text)
            assert screen.query_one(PromptEditor).text == "hi"
            finished = {band: screen.state.draft.texts[band] for band in list(Band)[:3]}
            assert finished == {band: TEXTS[band] for band in finished}
            assert screen.state.draft.done == set(finished)
        assert len(killed) == KILLS
        hold.unlink()
        await pilot.press("enter")
        await until(lambda: screen.state.phase is Phase.FINISHED)
        assert screen.state.draft.texts == TEXTS
        assert not screen.query_one("#error", Notice).display


async def test_crash_says_so() -> None:
    async with app_on("--script", "crash") as (screen, pilot):
        await pilot.press("enter")
        await until(lambda: screen.state.phase is Phase.FAILED)
        assert screen.state.error is not None
        assert screen.state.error.hint


async def test_model_that_does_not_load() -> None:
    async with app_on("--script", "load-error") as (screen, pilot):
        await until(lambda: screen.state.phase is Phase.FAILED)
        await until(lambda: "This file is no GGUF." in screen.query_one("#error", Notice).text)
        await pilot.press("enter")
        await until(lambda: screen.state.phase is Phase.FAILED and screen.state.prompt == "hi")
        assert screen.query_one(PromptEditor).text == "hi"


async def test_run_that_is_refused_keeps_the_prompt() -> None:
    async with app_on("--script", "run-error") as (screen, pilot):
        await pilot.press("enter")
        await until(lambda: "The prompt is too long. Shorten it." in _error(screen))
        assert screen.query_one(PromptEditor).text == "hi"


async def test_stuck_run_is_stopped_and_the_next_one_begins() -> None:
    async with app_on("--script", "stuck") as (screen, pilot):
        for _ in range(3):
            await pilot.press("enter")
            await until(lambda: Band.CONTEXT in screen.state.draft.done and screen.state.running)
            await pilot.press("escape")
            await until(lambda: screen.state.phase is Phase.STOPPED)
            assert screen.state.draft.texts[Band.CONTEXT] == TEXTS[Band.CONTEXT]


async def test_escape_while_the_engine_starts_again(tmp_path: Path) -> None:
    """There is no run to stop at that moment, and yet none must go on afterwards."""
    hold = tmp_path / "hold"
    async with app_on("--script", "crash", "--hold-load", str(hold)) as (screen, pilot):
        await pilot.press("enter")
        await until(lambda: screen.state.phase is Phase.FAILED)
        hold.touch()
        await pilot.press("enter")
        await until(lambda: screen.state.phase is Phase.LOADING)
        await pilot.press("escape")
        hold.unlink()
        await until(lambda: screen.state.phase in (Phase.STOPPED, Phase.FAILED))
        assert screen.state.phase is Phase.STOPPED


async def test_child_ends_with_the_app(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    async with app_on("--script", "stuck", "--pid-file", str(pid_file)) as (screen, pilot):
        await pilot.press("enter")
        await until(lambda: Band.CONTEXT in screen.state.draft.done)
    pid = int(pid_file.read_text())
    await until(lambda: not Path(f"/proc/{pid}").exists())


def _error(screen: MainScreen) -> str:
    return screen.query_one("#error", Notice).text
