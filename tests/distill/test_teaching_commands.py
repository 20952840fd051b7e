"""The commands `distill generate` and `distill correct`, against a teacher on a local server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sinc_tui.cli.main import main
from sinc_tui.distill.dataset import is_dev, load_examples
from sinc_tui.sinc.bands import Band
from tests.support.teacher_examples import EXAMPLES, FIRST, PROMPTS
from tests.support.teacher_server import Say, TeacherServer

KEY = "sk-secret-of-the-test"


def test_the_command_from_end_to_end(
    server: TeacherServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    asked, out = tmp_path / "prompts.jsonl", tmp_path / "data" / "made.jsonl"
    asked.write_text(
        "".join(
            json.dumps({"id": p.id, "kind": p.kind, "prompt": p.prompt}) + "\n" for p in PROMPTS
        )
    )
    arguments = ["distill", "generate", str(asked), "--api", "openai", "--model", "m"]
    arguments += ["--base-url", server.url + "/v1", "--out", str(out), "--price", "10", "20"]

    code = main(arguments)
    shown = capsys.readouterr()
    again = main(arguments)

    assert (code, again) == (0, 0)
    assert {e.prompt: e.bands for e in load_examples(out)} == {
        e.prompt: e.bands for e in EXAMPLES.values()
    }
    assert shown.out == ""
    assert "9 made" in shown.err
    assert "900 tokens read, 450 written, $0.02" in shown.err
    assert KEY not in shown.err
    assert len(server.requests) == 9


def written(path: Path, prompt: str, bands: dict[Band, str]) -> Path:
    """A line as `distill evaluate` saves a document, and one of a prompt that got none."""
    made = {"student": "tiny", "prompt": prompt, "bands": {b.value: t for b, t in bands.items()}}
    failed = {"student": "tiny", "prompt": "x", "bands": dict.fromkeys(Band, ""), "error": "no"}
    path.write_text(json.dumps(made) + "\n" + json.dumps(failed) + "\n", encoding="utf-8")
    return path


def test_a_students_documents_are_corrected_by_the_command(
    server: TeacherServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    asked = next(e for e in EXAMPLES.values() if not is_dev(e.prompt))
    right = {b: asked.bands[b] for b in (Band.TASK, Band.PERSONA)}
    faulty = {Band.TASK: "Do something.", Band.PERSONA: "You are somebody."}
    documents = written(tmp_path / "outputs-tiny.jsonl", asked.prompt, asked.bands | faulty)
    server.script[asked.prompt] = [
        Say(json.dumps({**right, "TASK": "Do it. Then stop."})),
        Say(json.dumps(right)),
    ]

    arguments = ["distill", "correct", str(documents), "--model", "m", "--base-url", server.url]
    code = main(arguments)

    assert code == 0
    (made,) = load_examples(tmp_path / "corrections-tiny.jsonl")
    assert (made.id, made.bands, made.rejected) == ("tiny-1", asked.bands, faulty)
    shown = capsys.readouterr().err
    assert "1 made, 1 of them at the second attempt" in shown
    assert "left out: 1 without a document, 0 of the dev set" in shown
    first, second = server.requests
    assert "Do something." in first.turns[0][1]
    assert "TASK has 2 sentences" in second.turns[2][1]
    assert "those without an objection too" in second.turns[2][1]


def test_what_holds_no_document_to_be_corrected_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("fix it\n", encoding="utf-8")
    dev = next(e for e in load_examples("plain") if is_dev(e.prompt))
    documents = written(tmp_path / "outputs-tiny.jsonl", dev.prompt, dev.bands)

    for path in (prompts, documents):
        assert main(["distill", "correct", str(path), "--model", "m"]) != 0
        assert "holds no document on a prompt that may be trained on" in capsys.readouterr().err


def test_corrections_never_go_into_the_file_of_the_documents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = next(e for e in load_examples("plain") if not is_dev(e.prompt))
    documents = written(tmp_path / "outputs-tiny.jsonl", asked.prompt, asked.bands)
    before = documents.read_bytes()

    arguments = ["distill", "correct", str(documents), "--model", "m", "--out", str(documents)]
    assert main(arguments) != 0
    assert "Name another file" in capsys.readouterr().err
    assert documents.read_bytes() == before


def test_the_command_reports_what_it_dropped(
    server: TeacherServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    server.script[FIRST] = [Say("no"), Say("no")]
    asked = tmp_path / "prompts.jsonl"
    asked.write_text(json.dumps({"id": "odd", "prompt": FIRST}) + "\n", encoding="utf-8")

    arguments = ["distill", "generate", str(asked), "--model", "m", "--base-url", server.url]
    code = main([*arguments, "--out", str(tmp_path / "o.jsonl")])

    assert code == 0
    assert "dropped odd: The answer holds no JSON object." in capsys.readouterr().err
