"""The group itself: the app without a command, and commands that are loaded when they are run."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

from sinc_tui.cli import lazy
from sinc_tui.cli.lazy import LazyGroup
from sinc_tui.cli.main import main
from sinc_tui.errors import SincError
from sinc_tui.models.default import ModelFile

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> list[ModelFile | None]:
    """The models that the app was opened on."""
    opened: list[ModelFile | None] = []
    module = ModuleType("sinc_tui.tui.app")
    module.run_app = lambda model, **_: opened.append(model) or 5  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sinc_tui.tui.app", module)
    return opened


def test_no_command_opens_the_app_and_returns_its_code(app: list[ModelFile | None]) -> None:
    assert main([]) == 5
    assert app == [None]


def test_the_app_takes_a_model(app: list[ModelFile | None], tmp_path: Path) -> None:
    (tmp_path / "m.gguf").touch()
    main(["--model", str(tmp_path / "m.gguf")])
    assert app == [ModelFile(tmp_path / "m.gguf", "m")]


def test_a_model_before_a_command_is_refused(capsys: Capture) -> None:
    assert main(["--model", "m.gguf", "validate", "x"]) == 2
    assert "Write --model after the command." in capsys.readouterr().err


def test_an_unknown_command(capsys: Capture) -> None:
    assert main(["rewrit"]) == 2
    assert "rewrit" in capsys.readouterr().err


def test_an_error_of_the_app_is_one_line(
    monkeypatch: pytest.MonkeyPatch, app: list[ModelFile | None], capsys: Capture
) -> None:
    def refuse(model: ModelFile | None, **_: object) -> int:
        raise SincError("There is no terminal.", hint="Use a pipe.")

    monkeypatch.setattr(sys.modules["sinc_tui.tui.app"], "run_app", refuse)
    assert main([]) == 1
    assert capsys.readouterr().err == "sinc-tui: There is no terminal. Use a pipe.\n"


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch, app: list[ModelFile | None]) -> None:
    def interrupt(model: ModelFile | None, **_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["sinc_tui.tui.app"], "run_app", interrupt)
    assert main([]) == 130


def test_an_exit_that_is_no_closed_pipe_keeps_its_code(
    monkeypatch: pytest.MonkeyPatch, app: list[ModelFile | None]
) -> None:
    def leave(model: ModelFile | None, **_: object) -> int:
        raise SystemExit(3)

    monkeypatch.setattr(sys.modules["sinc_tui.tui.app"], "run_app", leave)
    with pytest.raises(SystemExit) as left:
        main([])
    assert left.value.code == 3


def lazy_group() -> LazyGroup:
    return LazyGroup("tool", lazy={"later": "Comes later.", "never": "Is not there."})


def test_a_lazy_command_is_imported_when_it_is_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "later.py").write_text(
        "import click\n@click.command()\ndef later():\n    click.echo('ran')\n", encoding="utf-8"
    )
    monkeypatch.setattr(sys.modules["sinc_tui.cli"], "__path__", [str(tmp_path)])
    group = lazy_group()
    group.main(["--help"], standalone_mode=False)
    listed = capsys.readouterr().out
    assert "later  Comes later." in listed
    assert "never" not in listed
    assert "sinc_tui.cli.later" not in sys.modules
    try:
        group.main(["later"], standalone_mode=False)
        assert capsys.readouterr().out == "ran\n"
    finally:
        sys.modules.pop("sinc_tui.cli.later")


def test_a_lazy_command_without_its_module_is_absent() -> None:
    with pytest.raises(click.UsageError, match="No such command"):
        lazy_group().main(["never"], standalone_mode=False)
    assert lazy._installed("main")
