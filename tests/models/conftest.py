"""A student of a few kilobytes, and a Hub of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from sinc_tui import paths
from sinc_tui.models.default import Student
from tests.models.hubs import CONTENT, REPOSITORY
from tests.support.hub_server import Hub, serving
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


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A Hub with one model on it; its cache, our data and settings lie in the test's folder."""
    with serving(Hub(files={f"{REPOSITORY}/mine.gguf": CONTENT})) as running:
        template = running.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", running.url)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        yield running


@pytest.fixture
def own_catalog(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The user's catalogue, whose folder is there."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = paths.user_catalog()
    path.parent.mkdir(parents=True)
    return path
