"""`sinc-tui` alone: the app opens, on a model or without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sinc_tui import paths, settings
from sinc_tui.cli.app import open_app
from sinc_tui.errors import NoModel, SincError
from sinc_tui.models.default import ModelFile
from sinc_tui.tui import app


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, dict[str, Any]]]:
    """What the app was opened with."""
    calls: list[tuple[Any, dict[str, Any]]] = []

    def run_app(model: ModelFile | None = None, **how: Any) -> int:
        calls.append((model, how))
        return 0

    monkeypatch.setattr(app, "run_app", run_app)
    return calls


def choose(model: str) -> None:
    settings.save(paths.settings_file(), {"model": model})


def test_the_default_model(opened: list[Any]) -> None:
    assert open_app(None) == 0
    assert opened == [(None, {"chosen": ""})]


def test_a_file_by_its_path(opened: list[Any], tmp_path: Path) -> None:
    """What the app calls it is what the settings would hold of it."""
    path = tmp_path / "my.gguf"
    path.touch()
    open_app(str(path))
    ((model, how),) = opened
    assert model == ModelFile(path, "my")
    assert how == {"chosen": str(path)}


@pytest.mark.parametrize("by_settings", [False, True])
def test_a_model_that_is_not_here(opened: list[Any], by_settings: bool) -> None:
    if by_settings:
        choose("medium")
    assert open_app(None if by_settings else "medium") == 0
    ((model, how),) = opened
    assert (model, how["chosen"]) == (None, "medium")
    assert isinstance(how["missing"], NoModel)
    assert how["missing"].message == "The model medium is not on this machine."


def test_a_file_that_is_gone(opened: list[Any], tmp_path: Path) -> None:
    choose(str(tmp_path / "my.gguf"))
    assert open_app(None) == 0
    ((model, how),) = opened
    assert model is None
    assert isinstance(how["missing"], NoModel)
    assert how["missing"].message == f"There is no file {tmp_path}/my.gguf."


def test_a_name_in_the_settings_that_is_none_any_more_opens_the_list(opened: list[Any]) -> None:
    choose("no-such-model")
    assert open_app(None) == 0
    ((model, how),) = opened
    assert (model, how["chosen"]) == (None, "no-such-model")
    assert isinstance(how["missing"], NoModel)
    assert "no-such-model" in how["missing"].message


def test_a_broken_catalogue_opens_the_list(opened: list[Any]) -> None:
    choose("small")
    paths.user_catalog().write_text("[mine\n", encoding="utf-8")
    assert open_app(None) == 0
    ((model, how),) = opened
    assert model is None
    assert "models.toml" in how["missing"].message


def test_a_name_that_is_none_is_an_error(opened: list[Any]) -> None:
    with pytest.raises(SincError, match="no-such-model"):
        open_app("no-such-model")
    assert opened == []
