"""History, files and the outside editor, driven by keys."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList, Static

from sinc_tui import paths
from sinc_tui.errors import SincError
from sinc_tui.history import History, Run
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.tui import disk, editor
from sinc_tui.tui.screens.history import HistoryScreen
from sinc_tui.tui.screens.path import PathScreen
from sinc_tui.tui.widgets.notice import Notice
from tests.support.screen import Driver, running
from tests.support.scripted_worker import TEXTS
from tests.support.waiting import until
from tests.tui.test_keeping import finish, kept

DOCUMENT = SincDocument.from_bands(TEXTS)


def stored(*prompts: str) -> None:
    history = History(paths.history_file())
    for number, prompt in enumerate(prompts):
        texts = {**TEXTS, Band.TASK: f"Task of {prompt}."}
        history.save(
            Run(
                prompt=prompt, created=number + 1.0, texts=texts, done=frozenset(Band),
                written=TEXTS, model="tiny", ended="finished",
            )
        )  # fmt: skip
    history.close()


async def opened(driver: Driver, count: int) -> OptionList:
    """The history's list, with so many runs."""
    await driver.pilot.press("f7")
    await until(lambda: isinstance(driver.app.screen, HistoryScreen))
    runs = driver.app.screen.query_one("#runs", OptionList)
    await until(lambda: runs.option_count == count)
    return runs


def preview(driver: Driver) -> str:
    return str(driver.app.screen.query_one("#preview Static", Static).render())


async def test_search_preview_and_reopen() -> None:
    stored("paint a fence", "write a letter", "paint a house")
    async with running() as driver:
        await driver.type("what was typed")
        runs = await opened(driver, 3)
        await until(lambda: "Task of paint a house." in preview(driver))
        await driver.type("paint")
        await until(lambda: runs.option_count == 2)
        await driver.pilot.press("down")
        await until(lambda: "Task of paint a fence." in preview(driver))
        await driver.pilot.press("enter")
        await until(lambda: driver.band(Band.TASK) == "Task of paint a fence.")
        assert driver.editor.text == "paint a fence"
        assert "Reopened" in driver.notice("notice")
        assert driver.screen.state.document is not None
        driver.editor.focus()
        await driver.pilot.press("ctrl+z")
        assert driver.editor.text == "what was typed"
        await driver.pilot.press("tab", "X")
        await until(lambda: kept()[0].texts[Band.PERSONA] != TEXTS[Band.PERSONA])
        assert [run.prompt for run in kept()] == [
            "paint a fence",
            "write a letter",
            "paint a house",
        ]


async def test_pin_and_delete() -> None:
    stored("one", "two", "three")
    async with running() as driver:
        runs = await opened(driver, 3)
        await driver.pilot.press("down", "f2")
        await until(lambda: [run.pinned for run in kept()] == [False, True, False])
        await until(lambda: "two" in str(runs.get_option_at_index(0).prompt))
        assert runs.highlighted == 0
        await driver.pilot.press("down", "f8")
        await until(lambda: "F8 again" in driver.app.screen.query_one(Notice).text)
        assert len(kept()) == 3
        await driver.pilot.press("f8")
        await until(lambda: [run.prompt for run in kept()] == ["one", "two"])
        await until(lambda: runs.option_count == 2)
        await driver.pilot.press("escape")
        assert driver.app.screen is driver.screen


async def test_purge_leaves_the_pinned_ones() -> None:
    stored("one", "two", "three")
    async with running() as driver:
        runs = await opened(driver, 3)
        await driver.pilot.press("down", "f2")
        await until(lambda: "two" in str(runs.get_option_at_index(0).prompt))
        await driver.pilot.press("f9")
        await until(lambda: "F9 again" in driver.app.screen.query_one(Notice).text)
        await driver.pilot.press("up", "f9")
        assert len(kept()) == 3, "another key in between is a change of mind"
        await driver.pilot.press("f9")
        await until(lambda: [run.prompt for run in kept()] == ["two"])
        await until(lambda: runs.option_count == 1)


async def test_export_writes_every_run(tmp_path: Path) -> None:
    stored("one", "two")
    async with running() as driver:
        await opened(driver, 2)
        notice = await path_screen(driver, "ctrl+s", tmp_path / "all.txt")
        await until(lambda: "End it with .jsonl" in notice.text)
        driver.app.screen.query_one(Input).value = str(tmp_path / "all.jsonl")
        await driver.pilot.pause()
        await driver.pilot.press("enter")
        await until(lambda: isinstance(driver.app.screen, HistoryScreen))
        await until(lambda: "has 2 runs now" in driver.app.screen.query_one(Notice).text)
        lines = (tmp_path / "all.jsonl").read_text().splitlines()
        assert [json.loads(line)["prompt"] for line in lines] == ["one", "two"]


async def test_a_key_pressed_twice_closes_one_screen_only() -> None:
    """The second key comes while the first still closes the dialog."""
    stored("one")
    async with running() as driver:
        await opened(driver, 1)
        dialog = driver.app.screen
        assert isinstance(dialog, HistoryScreen)
        dialog.dismiss(kept()[0])
        dialog.dismiss(None)
        dialog.action_close()
        await until(lambda: driver.editor.text == "one")
        assert driver.app.screen is driver.screen


async def test_an_empty_history_and_a_search_without_result() -> None:
    async with running() as driver:
        await opened(driver, 0)
        await until(lambda: preview(driver).startswith("No runs yet."))
        await driver.pilot.press("x", "f2", "f8", "enter")
        await until(lambda: preview(driver) == "Nothing found.")


async def test_a_broken_history_says_what_to_do() -> None:
    paths.history_file().write_bytes(b"no database at all" * 99)
    async with running() as driver:
        await driver.pilot.press("f7")
        await until(lambda: isinstance(driver.app.screen, HistoryScreen))
        await until(lambda: "Move" in driver.app.screen.query_one(Notice).text)


async def path_screen(driver: Driver, key: str, path: Path) -> Notice:
    """Open a dialog and type a path over what it suggests."""
    await driver.pilot.press(key)
    await until(lambda: isinstance(driver.app.screen, PathScreen))
    line = driver.app.screen.query_one(Input)
    line.value = str(path)
    await driver.pilot.pause()
    await driver.pilot.press("enter")
    return driver.app.screen_stack[-1].query(Notice).first()


@pytest.mark.parametrize("name", ["my.sinc.json", "my.md", "my.xml", "my.txt"])
async def test_save_and_ask_before_replacing(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    async with running() as driver:
        await finish(driver)
        await path_screen(driver, "ctrl+s", path)
        await until(lambda: "Saved" in driver.notice("notice"))
        assert path.read_text(encoding="utf-8") == disk.exported(path, DOCUMENT)
        path.write_text("somebody else's")
        notice = await path_screen(driver, "ctrl+s", path)
        await until(lambda: "again replaces" in notice.text)
        assert path.read_text() == "somebody else's"
        await driver.pilot.press("enter")
        await until(lambda: "somebody" not in path.read_text(encoding="utf-8"))


async def test_saving_needs_a_format_and_a_document(tmp_path: Path) -> None:
    async with running() as driver:
        await driver.pilot.press("ctrl+s")
        await until(lambda: "no valid document" in driver.notice("notice"))
        await finish(driver)
        notice = await path_screen(driver, "ctrl+s", tmp_path / "my.pdf")
        await until(lambda: ".sinc.json, .md, .xml, .txt" in notice.text)
        line = driver.app.screen.query_one(Input)
        line.value = str(tmp_path / "none" / "my.md")
        await driver.pilot.press("enter")
        await until(lambda: "cannot be written" in driver.notice("notice"))


async def test_open_a_document_and_a_text(tmp_path: Path) -> None:
    document, text = tmp_path / "a.sinc.json", tmp_path / "b.txt"
    document.write_text(json.dumps({**DOCUMENT.model_dump(mode="json"), "extra": 1}))
    text.write_text("a prompt\nfrom a file\n")
    async with running() as driver:
        await path_screen(driver, "ctrl+o", document)
        await until(lambda: driver.band(Band.TASK) == TEXTS[Band.TASK])
        assert "Left out of the document: extra" in driver.notice("notice")
        await path_screen(driver, "ctrl+o", text)
        await until(lambda: driver.editor.text == "a prompt\nfrom a file")
        assert kept() == []


async def test_what_cannot_be_opened_says_why_and_the_dialog_stays(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"fragments": []}')
    async with running() as driver:
        notice = await path_screen(driver, "ctrl+o", bad)
        await until(lambda: "It has 0 bands, not 6." in notice.text)
        assert isinstance(driver.app.screen, PathScreen)


async def test_completion(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "prompt.txt").write_text("deep")
    async with running() as driver:
        await driver.pilot.press("ctrl+o")
        await until(lambda: isinstance(driver.app.screen, PathScreen))
        line = driver.app.screen.query_one(Input)
        line.value = f"{tmp_path}/fo"
        await driver.pilot.pause()
        await driver.pilot.press("tab")
        await until(lambda: line.value == f"{tmp_path}/folder/")
        await driver.pilot.press("down", "enter")
        await until(lambda: driver.editor.text == "deep")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff", "not a text in UTF-8"),
        (b"x" * 11, "has 11 characters, more than the 10"),
        (b"x" * (disk.MOST + 1), "too many"),
    ],
)
def test_texts_that_are_no_prompt(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "p.txt"
    path.write_bytes(content)
    with pytest.raises(SincError, match=reason):
        disk.open_file(path, most=10)
    with pytest.raises(SincError, match="not a file"):
        disk.open_file(tmp_path, most=10)


def test_names_are_suggested_after_the_prompt() -> None:
    assert (
        disk.suggestion("Fix ../line 3, please! Now and then") == "fix-line-3-please-now.sinc.json"
    )
    assert disk.suggestion("???") == "prompt.sinc.json"


def set_editor(monkeypatch: pytest.MonkeyPatch, folder: Path, program: str) -> None:
    """Make a Python program the user's editor."""
    path = folder / "editor.py"
    path.write_text(program)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"{sys.executable} {path}")


@pytest.fixture
def shouting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor that writes everything in capitals."""
    program = """
import pathlib, sys
path = pathlib.Path(sys.argv[1])
path.write_text(path.read_text().upper() + "\\n")
"""
    set_editor(monkeypatch, tmp_path, program)


@contextlib.contextmanager
def _no_suspend() -> Iterator[None]:
    yield


@pytest.mark.usefixtures("shouting")
async def test_the_editor_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as driver:
        monkeypatch.setattr(driver.app, "suspend", _no_suspend)
        await finish(driver)
        await driver.pilot.press("f12")
        await until(lambda: driver.editor.text == "FIX LINE 3")
        await driver.pilot.press("ctrl+z")
        assert driver.editor.text == "fix line 3"
        await driver.pilot.press("tab", "f12")
        await until(lambda: driver.band(Band.PERSONA) == TEXTS[Band.PERSONA].upper())
        await until(lambda: kept()[0].edited)


async def test_no_editor_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "no-such-editor -w")
    async with running() as driver:
        await driver.pilot.press("f12")
        await until(lambda: "no editor 'no-such-editor -w'" in driver.notice("notice"))


@pytest.mark.usefixtures("shouting")
@pytest.mark.parametrize("error", [SincError("It broke.", hint="Mend it."), OSError("No room.")])
async def test_the_app_comes_back_whatever_the_editor_raises(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    back: list[bool] = []

    @contextlib.contextmanager
    def suspend() -> Iterator[None]:
        yield
        back.append(True)  # not reached by an error, as in Textual

    def edit(_text: str, _name: str) -> str:
        raise error

    async with running() as driver:
        monkeypatch.setattr(driver.app, "suspend", suspend)
        monkeypatch.setattr(editor, "edit", edit)
        await driver.type("mine")
        await driver.pilot.press("f12")
        await until(lambda: str(error) in driver.notice("notice"))
        assert back == [True]
        assert driver.editor.text == "mine"


@pytest.mark.usefixtures("shouting")
def test_no_place_for_the_editors_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(SincError, match=r"no file for .* to edit: No such file"):
        editor.edit("text", "prompt")


@pytest.mark.usefixtures("shouting")
def test_a_failing_editor_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "false")
    with pytest.raises(SincError, match="ended with 1"):
        editor.edit("text", "prompt")


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends a process there")
def test_ctrl_c_in_the_editor_is_the_editors(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = """
import os, pathlib, signal, sys
os.kill(os.getppid(), signal.SIGINT)
pathlib.Path(sys.argv[1]).write_text("edited")
"""
    set_editor(monkeypatch, tmp_path, program)
    before = signal.getsignal(signal.SIGINT)
    assert editor.edit("text", "prompt") == "edited"
    assert signal.getsignal(signal.SIGINT) is before
