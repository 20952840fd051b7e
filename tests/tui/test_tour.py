"""The tour: shown once to who is new, in nobody's way, beside what it is about."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import cast

import pytest
from textual.command import CommandList
from textual.pilot import Pilot

from sinc_tui import paths
from sinc_tui.drafts import Drafts
from sinc_tui.history import History
from sinc_tui.tui import newcomer
from sinc_tui.tui.app import SincApp
from sinc_tui.tui.screens.main import MainScreen
from sinc_tui.tui.state import Phase
from sinc_tui.tui.widgets.prompt_editor import PromptEditor
from sinc_tui.tui.widgets.tour import STEPS, Tour
from tests.support.fake_engine import FakeEngine
from tests.support.scripted_app import WORKER
from tests.support.tmux import Terminal
from tests.support.waiting import until

SIZES = [(200, 50), (120, 35), (80, 24), (60, 20)]
APP = [sys.executable, str(WORKER.with_name("scripted_app.py"))]


@asynccontextmanager
async def touring(
    size: tuple[int, int] = (120, 35), *, tour: bool = True
) -> AsyncIterator[tuple[MainScreen, Pilot[None]]]:
    """The app of a newcomer, with the first box shown and placed."""
    app = SincApp(FakeEngine, tour=tour)
    async with app.run_test(size=size) as pilot:
        screen = cast(MainScreen, app.screen_stack[0])
        await until(lambda: screen.state.info)
        if tour:
            await until(lambda: screen.tour and screen.tour.is_mounted)
        await pilot.pause()
        yield screen, pilot


def title(screen: MainScreen) -> str:
    tour = screen.query_one(Tour)
    return f"{tour.border_title} {tour.border_subtitle}"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_each_box_stands_beside_what_it_is_about(size: tuple[int, int]) -> None:
    async with touring(size) as (screen, pilot):
        for number, step in enumerate(STEPS, 1):
            assert f"{number} of 4 · {step.title}" in title(screen)
            box, about = screen.query_one(Tour).region, screen.query_one(step.at).region
            assert screen.region.contains_region(box)
            if step.where == "below":
                assert box.y == about.bottom
            elif step.where == "above":
                assert box.bottom == about.y
            else:
                assert box.y > about.y
            assert set(screen.query(".-toured")) == set(screen.query(step.marks))
            await pilot.press("enter")
            await pilot.pause()
        assert not screen.query(Tour)
        assert not screen.query(".-toured")
        assert screen.state.phase is Phase.READY, "nothing was run"


async def test_it_follows_the_window() -> None:
    async with touring() as (screen, pilot):
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await until(lambda: screen.query_one(Tour).region.y == screen._prompt.region.bottom)
            assert screen.region.contains_region(screen.query_one(Tour).region)


async def test_whoever_types_gets_every_letter_and_no_tour() -> None:
    async with touring() as (screen, pilot):
        await pilot.press(*"fix it")
        assert screen.query_one(PromptEditor).text == "fix it"
        await until(lambda: not screen.query(Tour))
        await pilot.press("enter")
        await until(lambda: screen.state.prompt == "fix it")


async def test_esc_skips_and_a_click_goes_on() -> None:
    async with touring() as (screen, pilot):
        await pilot.click(Tour)
        assert "2 of 4" in title(screen)
        await pilot.press("escape")
        await until(lambda: not screen.query(Tour))
        assert screen.focused is screen.query_one(PromptEditor)


async def test_it_is_shown_once() -> None:
    assert newcomer.is_new()
    async with touring():
        assert not newcomer.is_new()


@pytest.mark.parametrize("left", ["settings", "history", "draft"])
def test_who_was_here_before_is_not_new(left: str) -> None:
    if left == "settings":
        paths.settings_file().parent.mkdir(parents=True)
        paths.settings_file().touch()
    elif left == "history":
        History(paths.history_file()).close()
    else:
        Drafts(paths.drafts()).keep("a thought")
    assert not newcomer.is_new()


async def test_a_state_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "tour_seen", lambda: Path("/proc/none/tour-seen"))
    async with touring() as (screen, _):
        assert "1 of 4" in title(screen)


async def test_it_comes_again_from_help_and_palette() -> None:
    async with touring(tour=False) as (screen, pilot):
        assert not screen.query(Tour)
        await pilot.press("f1", "t")
        await until(lambda: screen.query(Tour))
        assert screen.is_current
        await pilot.press("enter", "escape")
        await until(lambda: not screen.query(Tour))
        await pilot.press("ctrl+p", *"tour")
        await until(lambda: "Tour" in _first_command(screen))
        await pilot.press("enter")
        await until(lambda: screen.query(Tour) and screen.is_current)
        assert "1 of 4" in title(screen)


def _first_command(screen: MainScreen) -> str:
    found = screen.app.screen.query_one(CommandList).options
    return str(found[0].prompt) if found else ""


async def test_keys_that_the_settings_changed_are_named() -> None:
    async with touring(tour=False) as (screen, pilot):
        screen.app.set_keymap({"copy_json": "f11"})
        screen.show_tour()
        await pilot.press("enter", "enter", "enter")
        assert str(screen.query_one(Tour).content).startswith("f11 copies")


def test_who_has_seen_it_loads_nothing_of_it(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from sinc_tui.tui.app import SincApp, _is_new\n"
        "from tests.support.fake_engine import FakeEngine\n"
        "from sinc_tui import paths\n"
        "paths.tour_seen().touch()\n"
        "async def main():\n"
        "    async with SincApp(FakeEngine, tour=_is_new()).run_test() as pilot:\n"
        "        await pilot.pause()\n"
        "asyncio.run(main())\n"
        "print([m for m in sys.modules if m.endswith(('.tour', '.newcomer'))])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_the_first_time_and_the_second(tmp_path: Path) -> None:
    """In a real terminal. The mark alone keeps the second start from it: nothing else is left."""
    environment = {
        f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("STATE", "DATA", "CONFIG")
    } | {"TERM": "tmux-256color", "PYTHONPATH": ":".join(filter(None, sys.path))}
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        with closing(Terminal(folder, 80, 24)) as terminal:
            terminal.start([*APP, "--tour"], environment)
            if number == 1:
                _take_and_leave(terminal)
                shutil.rmtree(tmp_path / "data")
                shutil.rmtree(tmp_path / "state" / "sinc-tui" / "drafts")
            else:
                terminal.wait_for("ready")
                assert "of 4" not in terminal.screen()


def _take_and_leave(terminal: Terminal) -> None:
    terminal.wait_for("1 of 4")
    terminal.keys("Enter")
    terminal.wait_for("2 of 4")
    terminal.type("fix line 3")
    terminal.wait_for("fix line 3")
    terminal.wait_until(lambda: "of 4" not in terminal.screen(), "end of the tour")
    assert "fix line 3" in terminal.screen()
    terminal.keys("C-q")
    terminal.wait_until(terminal.dead, "end of the app")
