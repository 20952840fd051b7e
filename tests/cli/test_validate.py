"""`sinc-tui validate`: a verdict a line, and the exit code of the worst."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from sinc_tui.cli.main import main
from tests.cli.conftest import DOCUMENT

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def short_file(tmp_path: Path) -> Path:
    """A document whose CONSTRAINTS is not the longest and whose TASK is two sentences."""
    raw = json.loads(DOCUMENT.model_dump_json())
    raw["fragments"][3]["x"], raw["fragments"][5]["x"] = "Be brief.", "Do it. Stop."
    path = tmp_path / "short.sinc.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    return path


def test_a_verdict_for_each_file_in_order(
    document_file: Path, short_file: Path, capsys: Capture
) -> None:
    assert main(["validate", str(document_file), str(short_file), str(document_file)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{document_file}: valid",
        f"{short_file}: invalid: CONSTRAINTS has 9 characters, FORMAT 25; it must have more. "
        "TASK has 2 sentences; it must have one.",
        f"{document_file}: valid",
    ]


def test_all_valid_is_success(document_file: Path, capsys: Capture) -> None:
    assert main(["validate", str(document_file)]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("rules", "code"), [("sinc-tui", 1), ("article", 1), ("sinc-prompt", 0)])
def test_rules(short_file: Path, rules: str, code: int) -> None:
    assert main(["validate", "--rules", rules, str(short_file)]) == code


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    piped = io.TextIOWrapper(io.BytesIO(DOCUMENT.model_dump_json().encode()))
    monkeypatch.setattr(sys, "stdin", piped)
    assert main(["validate", "-"]) == 0
    assert capsys.readouterr().out == "-: valid\n"


def test_a_file_that_cannot_be_read_is_2_and_the_others_are_still_judged(
    document_file: Path, short_file: Path, tmp_path: Path, capsys: Capture
) -> None:
    missing = tmp_path / "none.json"
    files = [str(missing), str(short_file), str(tmp_path), str(document_file)]
    assert main(["validate", *files]) == 2
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 2
    assert said.err.splitlines() == [
        f"sinc-tui: There is no file {missing}.",
        f"sinc-tui: {tmp_path} is a folder, not a file.",
    ]


def test_bytes_that_are_not_utf8_are_invalid(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "latin.json"
    path.write_bytes(b'{"formula": "\xe9"}')
    assert main(["validate", str(path)]) == 1
    assert capsys.readouterr().out == f"{path}: invalid: It is not UTF-8 (byte 13).\n"


@pytest.mark.parametrize("rules", ["sinc-tui", "article", "sinc-prompt"])
def test_a_mark_before_the_text_is_no_part_of_it(
    document_file: Path, rules: str, capsys: Capture
) -> None:
    document_file.write_bytes(b"\xef\xbb\xbf" + document_file.read_bytes())
    assert main(["validate", "--rules", rules, str(document_file)]) == 0
    assert capsys.readouterr().out == f"{document_file}: valid\n"


def test_an_empty_name(document_file: Path, capsys: Capture) -> None:
    assert main(["validate", "", str(document_file)]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("sinc-tui: An empty name names no file. ")
    assert said.out == f"{document_file}: valid\n"


def test_a_hostile_file_stays_on_its_line(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "bad\n.json"
    path.write_text(json.dumps({"a\nb\x1b[2J\u2028": 1}), encoding="utf-8")
    assert main(["validate", str(path)]) == 1
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 1
    assert "\x1b" not in out


def test_a_file_is_needed(capsys: Capture) -> None:
    assert main(["validate"]) == 2
    assert "FILE" in capsys.readouterr().err
