"""A student of a few kilobytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from sinc_tui.models.default import Student
from tests.support.tiny_gguf import write_adapter, write_base


@pytest.fixture
def student(tmp_path: Path) -> Student:
    """A student whose merged model is still to be made."""
    folder = tmp_path / "models"
    folder.mkdir()
    return Student(
        write_base(tmp_path / "base.gguf"),
        write_adapter(tmp_path / "adapter.gguf"),
        folder / "tiny.gguf",
    )
