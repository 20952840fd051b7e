"""Drafts are written beside the screen: nothing waits for the disk, and the newest text is what stays."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sinc_tui.drafts import Drafts
from sinc_tui.tui.drafting import DraftWriter


class SlowDrafts(Drafts):
    """Drafts on a disk that does nothing until it is let; `written` is what it was given."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.may_go = threading.Event()
        self.began = threading.Event()
        self.full = False
        self.written: list[str] = []

    def keep(self, text: str) -> None:
        self.began.set()
        assert self.may_go.wait(20)
        self.written.append(text)
        if self.full:
            raise OSError(28, "No space left on device")


@pytest.fixture
def drafts(tmp_path: Path) -> SlowDrafts:
    return SlowDrafts(tmp_path)


def test_nobody_waits_for_the_disk_and_the_newest_text_stays(drafts: SlowDrafts) -> None:
    writer = DraftWriter(drafts, pytest.fail)
    writer.keep("a")
    assert drafts.began.wait(20)
    for text in ("ab", "abc", "abcd"):
        writer.keep(text)
    assert drafts.written == []
    drafts.may_go.set()
    writer.close()
    assert drafts.written == ["a", "abcd"]


def test_what_did_not_change_is_not_written_again(drafts: SlowDrafts) -> None:
    drafts.may_go.set()
    writer = DraftWriter(drafts, pytest.fail)
    for _ in range(3):
        writer.keep("a")
    writer.close()
    assert drafts.written == ["a"]


def test_a_failure_is_told_and_the_same_text_tried_again(drafts: SlowDrafts) -> None:
    failures: list[OSError] = []
    told = threading.Event()

    def failed(error: OSError) -> None:
        failures.append(error)
        told.set()

    drafts.may_go.set()
    drafts.full = True
    writer = DraftWriter(drafts, failed)
    writer.keep("a")
    assert told.wait(20)
    drafts.full = False
    writer.keep("a")
    writer.close()
    assert [error.errno for error in failures] == [28]
    assert drafts.written == ["a", "a"]
