"""`sinc-tui history`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sinc_tui import paths
from sinc_tui.cli.main import main
from sinc_tui.history import History, Run
from sinc_tui.sinc.bands import Band
from tests.cli.conftest import DOCUMENT, TEXTS

Capture = pytest.CaptureFixture[str]
RUN = Run(
    prompt="fix line 3\n\x1b[31mred",
    texts=TEXTS,
    done=frozenset(Band),
    ended="finished",
    created=1.0,
)


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    history = History(paths.history_file())
    yield history
    history.close()


def test_list_and_search(history: History, capsys: Capture) -> None:
    history.save(RUN)
    history.save(replace(RUN, prompt="write " * 30, created=2.0, ended="stopped"))
    assert main(["history", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["2", "1"]
    assert lines[0].split("\t")[2] == "stopped"
    assert lines[0].endswith("…")
    assert "\x1b" not in lines[1]
    main(["history", "list", "--limit", "1"])
    assert len(capsys.readouterr().out.splitlines()) == 1
    main(["history", "search", "31m", "fix"])
    assert capsys.readouterr().out.startswith("1\t")


def test_show(history: History, capsys: Capture) -> None:
    number = str(history.save(RUN))
    assert main(["history", "show", number]) == 0
    assert json.loads(capsys.readouterr().out) == DOCUMENT.model_dump(mode="json")
    main(["history", "show", number, "--format", "markdown"])
    assert capsys.readouterr().out.startswith("## PERSONA")
    main(["history", "show", number, "--format", "prompt"])
    assert capsys.readouterr().out.startswith("fix line 3\n")


def test_what_is_not_there_is_an_error(history: History, capsys: Capture) -> None:
    assert main(["history", "show", "9"]) == 2
    assert "no run 9" in capsys.readouterr().err
    number = history.save(Run(prompt="cut off"))
    assert main(["history", "show", str(number)]) == 2
    assert "left no whole document: PERSONA is blank." in capsys.readouterr().err
    assert main(["history", "delete", str(number), "9"]) == 2
    assert history.count() == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "9" * 23],
        ["show", str(2**63 - 1)],
        ["delete", "9" * 23],
        ["list", "--limit", "9" * 23],
        ["search", "x", "--limit", "9" * 23],
        ["purge", "--yes", "--days", "9" * 400],
        ["search", "caf\udce9"],
    ],
)
def test_what_no_database_takes_is_refused(
    history: History, capsys: Capture, arguments: list[str]
) -> None:
    history.save(RUN)
    assert main(["history", *arguments]) == 2
    said = capsys.readouterr()
    assert said.err
    assert said.out == ""
    assert history.count() == 1


def test_export_is_a_line_for_each_run(history: History, capsys: Capture) -> None:
    for _ in range(3):
        history.save(RUN)
    assert main(["history", "export"]) == 0
    runs = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [run["id"] for run in runs] == [1, 2, 3]
    assert runs[0]["bands"]["DATA"] == TEXTS[Band.DATA]
    assert runs[0]["prompt"] == RUN.prompt


def test_delete_and_purge(
    history: History, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [history.save(RUN) for _ in range(4)]
    assert main(["history", "delete", str(numbers[0])]) == 0
    history.pin(numbers[1], True)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt: "n")
    assert main(["history", "purge"]) == 130
    assert history.count() == 3
    assert main(["history", "purge", "--yes", "--days", "99999"]) == 0
    assert history.count() == 3
    assert main(["history", "purge", "--yes"]) == 0
    assert "2 runs deleted" in capsys.readouterr().err
    assert [run.id for run in history.all()] == [numbers[1]]
    assert main(["history", "purge", "--yes", "--pinned"]) == 0
    assert history.count() == 0
