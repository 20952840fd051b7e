"""`sinc-tui rewrite`: what goes in, what comes out, and what comes out when it goes wrong."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest

from sinc_tui import paths
from sinc_tui.cli.main import main
from sinc_tui.engine.protocol import EngineOptions, SamplerOptions
from sinc_tui.errors import SincError
from sinc_tui.sinc.export import EXPORTERS
from tests.cli.conftest import DOCUMENT, INFO, NOTE, FakeRewriter

Capture = pytest.CaptureFixture[str]


class Terminal(io.StringIO):
    """A stderr that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


class Piped:
    """A standard input with bytes in it."""

    def __init__(self, content: bytes, *, tty: bool = False) -> None:
        self.buffer, self._tty = io.BytesIO(content), tty

    def isatty(self) -> bool:
        return self._tty


def pipe(monkeypatch: pytest.MonkeyPatch, content: bytes, *, tty: bool = False) -> None:
    monkeypatch.setattr(sys, "stdin", Piped(content, tty=tty))


def test_only_the_document_goes_to_stdout(rewriter: FakeRewriter, capsys: Capture) -> None:
    assert main(["rewrite", "fix line 3"]) == 0
    said = capsys.readouterr()
    assert said.out == EXPORTERS["json"](DOCUMENT) + "\n"
    assert said.err == ""
    assert rewriter.asked == [("fix line 3", SamplerOptions(decode="parallel"))]
    assert rewriter.model is None
    assert rewriter.closed


@pytest.mark.parametrize("form", EXPORTERS)
def test_formats(rewriter: FakeRewriter, capsys: Capture, form: str) -> None:
    assert main(["rewrite", "x", "--format", form]) == 0
    assert capsys.readouterr().out == EXPORTERS[form](DOCUMENT) + "\n"


def test_options_reach_the_engine(rewriter: FakeRewriter, tmp_path: Path) -> None:
    model = tmp_path / "my model.gguf"
    model.touch()
    options = ["--seed", "7", "--temperature", "0.5", "--decode", "parallel", "--no-number-guard"]
    options += ["--no-verbatim", "--model", str(model)]
    assert main(["rewrite", "x", *options]) == 0
    assert rewriter.asked[0][1] == SamplerOptions(
        seed=7, temperature=0.5, decode="parallel", verbatim=False, number_guard=False
    )
    assert rewriter.model is not None
    assert (rewriter.model.path, rewriter.model.name) == (model, "my model")


def test_a_relative_model_is_found_from_here(
    rewriter: FakeRewriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.gguf").touch()
    main(["rewrite", "x", "--model", "m.gguf"])
    assert rewriter.model is not None
    assert rewriter.model.path == tmp_path / "m.gguf"


@pytest.mark.parametrize(
    ("arguments", "piped", "prompt"),
    [
        (["fix line 3"], b"ignored", "fix line 3"),
        (["--", "-x"], b"", "-x"),
        ([], "fix 日本\n".encode(), "fix 日本"),
        (["-"], b"a\nb\r\n", "a\nb"),
        ([], b"two\n\n", "two\n"),
        ([], b"\xef\xbb\xbfwith a mark", "with a mark"),
    ],
)
def test_where_the_prompt_comes_from(
    rewriter: FakeRewriter,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    piped: bytes,
    prompt: str,
) -> None:
    pipe(monkeypatch, piped)
    assert main(["rewrite", *arguments]) == 0
    assert rewriter.asked[0][0] == prompt


@pytest.mark.parametrize(
    ("arguments", "piped"),
    [([""], b"ignored"), (["   "], b""), ([], b""), ([], b" \n\t\n"), (["-"], b"\xef\xbb\xbf\n")],
)
def test_an_empty_prompt_is_refused(
    rewriter: FakeRewriter,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    arguments: list[str],
    piped: bytes,
) -> None:
    pipe(monkeypatch, piped)
    assert main(["rewrite", *arguments]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("sinc-tui: The prompt is empty. ")
    assert said.out == ""
    assert rewriter.asked == []


def test_what_is_wrong_with_the_settings_is_told_once(
    rewriter: FakeRewriter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = paths.settings_file()
    path.parent.mkdir()
    path.write_text("verbatim = false\nfact_keeper = 3\ncolour = 1\n", encoding="utf-8")
    assert main(["rewrite", "x"]) == 0
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"sinc-tui: {path}, line 2: fact_keeper should be a valid boolean")
    assert second.startswith(f"sinc-tui: {path}, line 3: there is no setting colour.")
    assert rewriter.asked[0][1] == SamplerOptions(decode="parallel", verbatim=False)


def test_a_prompt_from_a_file(rewriter: FakeRewriter, tmp_path: Path) -> None:
    path = tmp_path / "prompt.txt"
    path.write_bytes("Zeile 3 prüfen\n".encode())
    assert main(["rewrite", "--file", str(path)]) == 0
    assert rewriter.asked[0][0] == "Zeile 3 prüfen"


def test_nothing_to_read_on_a_terminal(
    rewriter: FakeRewriter, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    pipe(monkeypatch, b"", tty=True)
    assert main(["rewrite"]) == 2
    assert "Give a prompt, a --file, or pipe text in." in capsys.readouterr().err
    assert rewriter.asked == []


def test_prompt_and_file_together_are_refused(rewriter: FakeRewriter, capsys: Capture) -> None:
    assert main(["rewrite", "x", "--file", "y"]) == 2
    assert "not both" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["--seed", "-1"],
        ["--seed", "4294967296"],
        ["--temperature", "nan"],
        ["--temperature", "6"],
        ["--decode", "backwards"],
        ["--format", "yaml"],
    ],
)
def test_options_out_of_range_are_refused(
    rewriter: FakeRewriter, capsys: Capture, options: list[str]
) -> None:
    assert main(["rewrite", "x", *options]) == 2
    assert options[0] in capsys.readouterr().err
    assert rewriter.asked == []


def test_input_that_is_not_utf8(
    rewriter: FakeRewriter, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    pipe(monkeypatch, b"ok \xff\xfe")
    assert main(["rewrite"]) == 2
    said = capsys.readouterr()
    assert "Standard input is not UTF-8 (byte 3)." in said.err
    assert said.out == ""
    assert rewriter.asked == []


def test_an_argument_that_is_not_utf8(rewriter: FakeRewriter, capsys: Capture) -> None:
    assert main(["rewrite", os.fsdecode(b"caf\xe9")]) == 2
    assert "not UTF-8" in capsys.readouterr().err


def test_files_that_cannot_be_read(rewriter: FakeRewriter, capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    for name, reason in [
        ("none.txt", "There is no file"),
        ("", "is a folder"),
        ("latin.txt", "is not UTF-8 (byte 3)"),
        ("\0", "is no file name"),
    ]:
        assert main(["rewrite", "--file", str(tmp_path / name)]) == 2
        assert reason in capsys.readouterr().err
    assert main(["rewrite", "--file", ""]) == 2
    assert "An empty name names no file." in capsys.readouterr().err


def test_a_failed_run(rewriter: FakeRewriter, capsys: Capture) -> None:
    rewriter.error = SincError("It broke\n\x1b[2J.", hint="Try again.")
    assert main(["rewrite", "x"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "sinc-tui: It broke␊␛[2J. Try again.\n"
    assert rewriter.closed


def test_how_the_model_is_run(rewriter: FakeRewriter) -> None:
    assert main(["rewrite", "x"]) == 0
    assert rewriter.options == EngineOptions()
    arguments = ["--gpu-layers", "-1", "--threads", "2", "--context", "512", "--batch", "32",
                 "--kv-type", "q8_0", "--flash-attention", "--no-mlock"]  # fmt: skip
    assert main(["rewrite", "x", *arguments]) == 0
    assert rewriter.options == EngineOptions(
        n_gpu_layers=-1, n_threads=2, n_ctx=512, n_batch=32,
        kv_type="q8_0", flash_attention=True, mlock=False,
    )  # fmt: skip


def test_verbose_tells_the_steps_on_stderr(rewriter: FakeRewriter, capsys: Capture) -> None:
    assert main(["rewrite", "x", "--verbose", "--seed", "3"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)
    assert said.err.splitlines() == [
        "loading the model",
        *INFO.notes,
        "reading the prompt with fake",
        "writing",
        NOTE,
        "fake (CPU, untrained), 40 tokens, 2.0 s, seed 3",
    ]


def test_a_terminal_gets_one_changing_line_that_is_gone_at_the_end(
    rewriter: FakeRewriter, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert main(["rewrite", "x"]) == 0
    assert "\r\x1b[2Kloading the model 50%" in terminal.getvalue()
    shown = terminal.getvalue().split("\r\x1b[2K")
    assert shown[-1].splitlines() == [NOTE, "fake (CPU, untrained), 40 tokens, 2.0 s, seed 0"]
    assert "\x1b" not in capsys.readouterr().out


def test_an_error_on_a_terminal_starts_on_a_clean_line(
    rewriter: FakeRewriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    rewriter.error = SincError("It broke.")
    assert main(["rewrite", "x"]) == 1
    assert terminal.getvalue().endswith("\r\x1b[2Ksinc-tui: It broke.\n")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "There is no file"),
        (b"not a model, not at all, nothing", "is no GGUF model"),
        (b"GGUF\x03\x00", "damaged"),
    ],
)
def test_models_that_are_none(
    tmp_path: Path, capsys: Capture, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "m.gguf"
    if content is not None:
        path.write_bytes(content)
    assert main(["rewrite", "x", "--model", str(path)]) == 1
    said = capsys.readouterr()
    assert reason in said.err
    assert said.out == ""
