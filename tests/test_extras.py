"""The line that installs an extra, from wherever this package came."""

from __future__ import annotations

import json
import shlex
import sys
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path

import pytest

from sinc_tui import __version__
from sinc_tui.extras import install_line, repair_line


class _Installed:
    def __init__(self, source: str | None) -> None:
        self._source = source

    def read_text(self, _name: str) -> str | None:
        return self._source


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (None, ["sinc-tui[web]"]),
        ("no JSON", ["sinc-tui[web]"]),
        ({"url": "https://example.org/a.whl", "archive_info": {}}, ["sinc-tui[web]"]),
        (
            {"url": "file:///home/me/a%20b", "dir_info": {"editable": True}},
            ["-e", "/home/me/a b[web]"],
        ),
        ({"url": "file:///home/me/ab", "dir_info": {}}, ["/home/me/ab[web]"]),
    ],
)
def test_line(monkeypatch: pytest.MonkeyPatch, source: object, wanted: list[str]) -> None:
    text = json.dumps(source) if isinstance(source, dict) else source
    monkeypatch.setattr(Distribution, "from_name", lambda _: _Installed(text))  # type: ignore[arg-type]
    line = install_line("web")
    assert shlex.split(line) == [sys.executable, "-m", "pip", "install", *wanted]


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (
            {"url": "file:///home/me/ab", "dir_info": {"editable": True}},
            "git -C /home/me/ab checkout -- assets",
        ),
        ({"url": "file:///home/me/ab", "dir_info": {}}, "--no-deps /home/me/ab"),
        ({}, f"--no-deps sinc-tui=={__version__}"),
    ],
)
def test_repair(monkeypatch: pytest.MonkeyPatch, source: object, wanted: str) -> None:
    text = json.dumps(source)
    monkeypatch.setattr(Distribution, "from_name", lambda _: _Installed(text))  # type: ignore[arg-type]
    assert repair_line().endswith(wanted)


def test_not_installed_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> Distribution:
        raise PackageNotFoundError

    monkeypatch.setattr(Distribution, "from_name", missing)
    assert install_line("tiny").endswith("'sinc-tui[tiny]'")


def test_these_tests_run_from_a_clone() -> None:
    folder = Path(__file__).parents[1]
    assert shlex.split(install_line("web"))[-2:] == ["-e", f"{folder}[web]"]
