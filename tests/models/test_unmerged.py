"""A student that cannot be merged runs from its two parts, and says why."""

from __future__ import annotations

import errno
import shutil
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sinc_tui.models import default, prepare
from sinc_tui.models.default import ModelFile, Student, ready_model

Patch = pytest.MonkeyPatch


async def prepared(student: Student) -> ModelFile:
    """The model that is handed to the engine."""
    model = ModelFile(student.merged, "mine", student)
    *_, ready = [step async for step in ready_model(model)]
    assert isinstance(ready, ModelFile)
    return ready


def leave_free(patch: Patch, free: int) -> None:
    patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))


def has_memory(patch: Patch, memory: int | None) -> None:
    patch.setattr(default, "detect", lambda: SimpleNamespace(memory=memory))


def runs_unmerged(model: ModelFile, student: Student) -> str:
    """Whether the two parts are handed on; the note."""
    assert (model.path, model.adapter, model.student) == (student.base, student.adapter, None)
    assert model.name == "mine"
    assert list(student.merged.parent.iterdir()) == []
    (note,) = model.notes
    assert note.startswith("Base and adapter run unmerged, which is slower: ")
    return note


async def test_merged_where_there_is_room(student: Student) -> None:
    model = await prepared(student)
    assert (model.path, model.adapter, model.notes) == (student.merged, None, ())
    assert student.ready()


async def test_no_room_on_the_disk(student: Student, monkeypatch: Patch) -> None:
    leave_free(monkeypatch, student.merged_size + (64 << 20) - 1)
    note = runs_unmerged(await prepared(student), student)
    assert str(student.merged.parent) in note
    leave_free(monkeypatch, student.merged_size + (64 << 20))
    assert student.obstacle() == ""


async def test_no_room_in_memory(student: Student, monkeypatch: Patch) -> None:
    has_memory(monkeypatch, student.merged_size)
    assert "of memory" in runs_unmerged(await prepared(student), student)
    for enough in (2 * student.merged_size, None):
        has_memory(monkeypatch, enough)
        assert student.obstacle() == ""


async def test_a_merged_file_that_is_here_is_used_whatever_room_there_is(
    student: Student, monkeypatch: Patch
) -> None:
    prepare.prepare(student, lambda _: None)
    leave_free(monkeypatch, 0)
    assert (await prepared(student)).path == student.merged


async def test_a_disk_that_is_full_before_the_end(
    student: Student, monkeypatch: Patch, tmp_path: Path
) -> None:
    """As the process says it that merges."""
    failing = tmp_path / "python"
    failing.write_text(f"#!/bin/sh\necho 0.5\nexit {default.NO_ROOM}\n")
    failing.chmod(failing.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(failing))
    assert "is full" in runs_unmerged(await prepared(student), student)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_only_a_full_disk_has_the_exit_code(
    student: Student, monkeypatch: Patch, number: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, "as told")

    monkeypatch.setattr(prepare, "merge", fail)
    parts = (student.base, student.adapter, student.merged)
    monkeypatch.setattr(sys, "argv", ["prepare", *map(str, parts)])
    if number == errno.EIO:
        with pytest.raises(OSError, match="as told"):
            prepare.main()
    else:
        assert prepare.main() == default.NO_ROOM
