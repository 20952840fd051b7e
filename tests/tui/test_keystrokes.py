"""How many keys each flow takes, counted from a typed prompt or a finished run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sinc_tui.sinc.bands import Band
from tests.support.screen import Driver, running
from tests.support.scripted_worker import TEXTS
from tests.support.waiting import until
from tests.tui.test_copying import finished

Holds = Callable[[Driver], object]


def _copied(driver: Driver) -> str:
    return driver.app.clipboard


def _document(driver: Driver) -> object:
    return _copied(driver).startswith("{") and json.loads(_copied(driver))["fragments"][5]


FLOWS: dict[str, tuple[int, list[str], Holds]] = {
    "copy": (1, ["ctrl+y"], _document),
    "copy as Markdown": (
        5, ["ctrl+e", "down", "down", "down", "enter"], lambda d: _copied(d).startswith("#"),
    ),
    "copy TASK": (
        4, ["ctrl+e", "up", "up", "enter"], lambda d: _copied(d) == TEXTS[Band.TASK],
    ),
    "go to the first band and back": (2, ["tab", "escape"], lambda d: d.editor.has_focus),
    "rewrite PERSONA": (
        2, ["tab", "ctrl+g"], lambda d: len(d.engine.given) == 2 and len(d.engine.given[1]) == 5,
    ),
    "lock PERSONA": (2, ["tab", "ctrl+l"], lambda d: d.screen.state.locked == {Band.PERSONA}),
    "another result": (1, ["ctrl+t"], lambda d: d.engine.seeds == [0, 1]),
    "compare with the prompt": (1, ["f9"], lambda d: d.app.screen.query("#compare")),
    "save": (2, ["ctrl+s", "enter"], lambda d: Path("fix-line-3.sinc.json").exists()),
    "new prompt": (1, ["ctrl+n"], lambda d: not d.editor.text and d.screen.state.empty),
    "reopen the last run": (2, ["f7", "enter"], lambda d: "Reopened" in d.notice("notice")),
}  # fmt: skip


@pytest.mark.parametrize("flow", FLOWS)
async def test_flows_from_a_finished_run(
    flow: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    count, keys, holds = FLOWS[flow]
    assert len(keys) == count
    async with running() as driver:
        await finished(driver)
        for key in keys:
            await driver.pilot.press(key)
            await driver.pilot.pause()
            if key == "f7":
                await until(lambda: driver.app.screen.query("#runs"))
                await until(lambda: driver.app.screen.query_one("#runs").option_count)  # type: ignore[attr-defined]
        await until(lambda: holds(driver))
