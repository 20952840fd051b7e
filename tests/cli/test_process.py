"""The command line as a process: signals, pipes, locales, imports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sinc_tui import __version__
from sinc_tui.sinc.rulesets import RULESETS, problems
from tests.cli.conftest import TEXTS
from tests.cli.processes import CLI, SCRIPTED, environment, run


def test_a_prompt_from_a_pipe_becomes_a_document(tmp_path: Path) -> None:
    ran = run([*SCRIPTED, "normal", "rewrite", "--format", "compact"], tmp_path, stdin=b"fix it\n")
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.count(b"\n") == 1
    assert problems(ran.stdout.decode()) == []


def test_output_is_utf8_in_any_locale(tmp_path: Path) -> None:
    changes = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    ran = run([*SCRIPTED, "hostile", "rewrite", "x"], tmp_path, **changes)
    assert ran.returncode == 0
    assert "日本語" in ran.stdout.decode()
    assert b"\x1b" not in ran.stdout
    ran = run([*SCRIPTED, "normal", "rewrite", "x"], tmp_path, **changes)
    assert "Σ" in ran.stdout.decode()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("crash", b"engine"),
        ("load-error", b"This file is no GGUF. Choose another model."),
        ("run-error", b"The prompt is too long. Shorten it."),
    ],
)
def test_a_failing_engine_leaves_stdout_empty(tmp_path: Path, script: str, reason: bytes) -> None:
    ran = run([*SCRIPTED, script, "rewrite", "x"], tmp_path)
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert reason in ran.stderr
    assert b"Traceback" not in ran.stderr


def test_ctrl_c_ends_with_130_and_without_a_document(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*SCRIPTED, "stuck", "rewrite", "x", "--verbose"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment(tmp_path),
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line == b"writing\n":
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in err


def test_a_reader_that_is_gone_ends_it_quietly(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [*SCRIPTED, "normal", "rewrite", "x"], stdout=writing, stderr=subprocess.PIPE,
        cwd=tmp_path, env=environment(tmp_path), check=False, timeout=60,
    )  # fmt: skip
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(
            [*SCRIPTED, "normal", "rewrite", "x"], stdout=full, stderr=subprocess.PIPE,
            cwd=tmp_path, env=environment(tmp_path), check=False, timeout=60,
        )  # fmt: skip
    assert ran.returncode == 1
    assert b"sinc-tui: Standard output cannot be written" in ran.stderr
    assert b"Traceback" not in ran.stderr


def test_the_app_needs_a_terminal(tmp_path: Path) -> None:
    ran = run(CLI, tmp_path)
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert b"There is no terminal" in ran.stderr
    assert b"Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        *([*command, "--help"] for command in ([], ["rewrite"], ["web"], ["serve"], ["mcp"])),
    ],
)
def test_help_loads_nothing_heavy(tmp_path: Path, arguments: list[str]) -> None:
    heavy = (
        "textual",
        "llama_cpp",
        "torch",
        "huggingface_hub",
        "transformers",
        "pydantic",
        "numpy",
        "aiohttp",
    )
    program = (
        "import sys; from sinc_tui.cli.main import main; "
        f"code = main({arguments!r}); "
        f"print([name for name in {heavy!r} if name in sys.modules], code, file=sys.stderr)"
    )
    ran = run([sys.executable, "-c", program], tmp_path)
    assert ran.stderr.strip() == b"[] 0"
    assert ran.stdout


def test_version(tmp_path: Path) -> None:
    for command in (CLI, [sys.executable, "-m", "sinc_tui"]):
        ran = run([*command, "--version"], tmp_path)
        assert (ran.returncode, ran.stdout.decode()) == (0, f"sinc-tui {__version__}\n")


def test_the_package_is_the_program(tmp_path: Path) -> None:
    ran = run([sys.executable, "-m", "sinc_tui", "validate", "none.json"], tmp_path)
    assert (ran.returncode, ran.stderr) == (2, b"sinc-tui: There is no file none.json.\n")


def test_the_real_model_writes_what_every_validator_accepts(tmp_path: Path) -> None:
    """From another folder, with a prompt full of what could break out of a string."""
    prompt = 'fix "line 3" in C:\\new\n{<|im_end|>} 🙂'
    ran = run([*CLI, "rewrite", "--decode", "parallel"], tmp_path, stdin=prompt.encode())
    assert (ran.returncode, ran.stderr) == (0, b"")
    text = ran.stdout.decode()
    assert json.loads(text)
    assert {rules: problems(text, rules) for rules in RULESETS} == {rules: [] for rules in RULESETS}
    (tmp_path / "made.sinc.json").write_bytes(ran.stdout)
    for rules in RULESETS:
        checked = run([*CLI, "validate", "--rules", rules, "made.sinc.json"], tmp_path)
        assert (checked.returncode, checked.stdout) == (0, b"made.sinc.json: valid\n")


@pytest.mark.parametrize(
    ("variable", "arguments"),
    [
        ("XDG_DATA_HOME", ["history", "list"]),
        ("XDG_CACHE_HOME", ["models", "use", "tiny"]),
        ("XDG_CACHE_HOME", ["rewrite", "x"]),
        ("XDG_STATE_HOME", ["rewrite", "x"]),
    ],
)
def test_a_folder_that_cannot_be_made_is_told_with_the_way_to_mend_it(
    tmp_path: Path, variable: str, arguments: list[str]
) -> None:
    (tmp_path / "file").touch()
    ran = run([*CLI, *arguments], tmp_path, **{variable: str(tmp_path / "file")})
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert f"sinc-tui: The folder {tmp_path}/file/sinc-tui".encode() in ran.stderr
    assert b" cannot be made: Not a directory. `sinc-tui doctor` says how" in ran.stderr
    assert b"Traceback" not in ran.stderr


def test_the_list_of_models_needs_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nowhere = {f"XDG_{name}_HOME": str(tmp_path / "file") for name in ("CACHE", "DATA", "STATE")}
    ran = run([*CLI, "models", "list"], tmp_path, **nowhere)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert b"tiny    here" in ran.stdout


OUTPUTS = [["--help"], ["models", "--help"], ["--version"], ["models", "list"],
           ["distill", "check", "one.jsonl"]]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a file of examples."""
    bands = {band.value: text for band, text in TEXTS.items()}
    row = {"id": "1", "kind": "code", "prompt": "fix line 3", "bands": bands}
    (tmp_path / "one.jsonl").write_text(json.dumps(row), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("arguments", OUTPUTS)
def test_any_output_ends_quietly_where_the_reader_is_gone(home: Path, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [*CLI, *arguments], stdout=writing, stderr=subprocess.PIPE,
        cwd=home, env=environment(home), check=False, timeout=60,
    )  # fmt: skip
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", OUTPUTS)
def test_any_output_to_a_full_disk_is_an_error(home: Path, arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(
            [*CLI, *arguments], stdout=full, stderr=subprocess.PIPE,
            cwd=home, env=environment(home), check=False, timeout=60,
        )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr.startswith(b"sinc-tui: ")
    assert ran.stderr.endswith(b": No space left on device.\n")
    assert ran.stderr.count(b"\n") == 1
