"""Keeps every test's hands off the folders of whoever runs it, and makes the default model once."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinc_tui.models.default import ModelFile, ready_model


@pytest.fixture(scope="session", autouse=True)
def _own_folders() -> Iterator[None]:
    """Cache, state, data and settings of the session; a test that needs empty ones sets the variables itself.

    Thrown away at the end, for a merged model is large.
    """
    with (
        tempfile.TemporaryDirectory(prefix="sinc-tui-tests-") as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("XDG_CACHE_HOME", f"{folder}/cache")
        patch.setenv("XDG_STATE_HOME", f"{folder}/state")
        patch.setenv("XDG_DATA_HOME", f"{folder}/data")
        patch.setenv("XDG_CONFIG_HOME", f"{folder}/config")
        yield


@pytest.fixture(scope="session")
def tiny_model(_own_folders: None) -> ModelFile:
    """The default model, merged."""
    return asyncio.run(_made())


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder in which no model was made yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


async def _made() -> ModelFile:
    steps = [step async for step in ready_model(None)]
    assert isinstance(steps[-1], ModelFile)
    return steps[-1]
