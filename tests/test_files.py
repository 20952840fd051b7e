"""Replacing files: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sinc_tui.errors import SincError
from sinc_tui.files import PRIVATE, replace_file, save_file


def test_a_new_file_is_private(tmp_path: Path) -> None:
    replace_file(tmp_path / "new", "日本\r\n")
    assert (tmp_path / "new").read_bytes() == "日本\r\n".encode()
    assert (tmp_path / "new").stat().st_mode & 0o777 == PRIVATE


def test_an_existing_file_keeps_its_mode_and_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o644)
    link.symlink_to(target)
    replace_file(link, b"new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o644


def test_a_failure_leaves_the_old_content_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SincError, match=r"cannot be written: No space left.*make room"):
        save_file(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_missing_folder_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SincError, match="Choose another folder"):
        save_file(tmp_path / "none" / "file", "x")
