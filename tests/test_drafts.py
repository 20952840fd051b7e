"""Drafts: kept, rescued once, and never taken from a process that lives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sinc_tui.drafts import Drafts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "drafts"


def left_behind(folder: Path, text: str, *, modified: float = 1.0) -> Path:
    """A draft of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    folder.mkdir(exist_ok=True)
    path = folder / f"{ended.pid}.prompt"
    path.write_text(text, encoding="utf-8")
    os.utime(path, (modified, modified))
    return path


def test_no_folder_no_draft(folder: Path) -> None:
    assert Drafts(folder).rescue() == ""
    assert not folder.exists()


def test_kept_and_rescued(folder: Path) -> None:
    Drafts(folder).keep("fix\r\n日本 \ud800")
    assert Drafts(folder).rescue() == "fix\r\n日本 \ud800"


def test_an_empty_draft_is_none(folder: Path) -> None:
    drafts = Drafts(folder)
    drafts.keep("x")
    drafts.keep(" \n")
    assert drafts.rescue() == ""
    drafts.forget()


def test_the_newest_of_the_dead_comes_first_and_once(folder: Path) -> None:
    left_behind(folder, "older", modified=1.0)
    left_behind(folder, "newer", modified=2.0)
    drafts = Drafts(folder)
    assert drafts.rescue() == "newer"
    drafts.forget()
    assert drafts.rescue() == "older"
    drafts.forget()
    assert drafts.rescue() == ""


def test_a_living_process_keeps_its_own(folder: Path) -> None:
    folder.mkdir()
    (folder / f"{os.getppid()}.prompt").write_text("theirs")
    (folder / "notes.prompt").write_text("no process")
    assert Drafts(folder).rescue() == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_a_process_whose_parent_sleeps_is_dead_all_the_same(folder: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    folder.mkdir()
    (folder / f"{child.pid}.prompt").write_text("from a zombie")
    assert Drafts(folder).rescue() == "from a zombie"
    child.wait()
