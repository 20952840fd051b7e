"""The commands `distill check` and `distill evaluate`: exit codes, tables on stdout, files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from sinc_tui.cli.main import main
from sinc_tui.cli.training import train
from sinc_tui.distill.dataset import Example, example_line, load_examples, sampled, split
from sinc_tui.distill.packing import Packer
from sinc_tui.distill.profiles import Profile
from sinc_tui.engine.layout import TRAINED
from sinc_tui.sinc.bands import Band


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "some.jsonl"
    chosen = sampled(split(load_examples("plain"))[1], 12)
    path.write_text("".join(example_line(e) + "\n" for e in chosen), encoding="utf-8")
    return path


def test_check_passes_sound_examples(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["distill", "check", str(data)]) == 0

    out = capsys.readouterr().out
    assert out.startswith("12 examples, 12 of them for the dev set")
    assert "keeps the invariants" in out


def test_check_fails_and_names_what_is_wrong(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = data.read_text(encoding="utf-8").splitlines()
    row = json.loads(lines[0]) | {"id": "bad"}
    row["bands"]["TASK"] = "Do it. Then stop."
    data.write_text("\n".join([*lines[1:], json.dumps(row)]), encoding="utf-8")

    assert main(["distill", "check", str(data), "--all"]) == 1
    assert "bad\tkeeps the invariants\tTASK has 2 sentences" in capsys.readouterr().out


def test_check_says_what_it_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": "caf\xe9"}')
    (tmp_path / "cut.jsonl.xz").write_bytes(b"\xfd7zXZ")
    for name, reason in [
        ("none.jsonl", "No such file or directory."),
        ("", "Is a directory."),
        ("latin.jsonl", "it is not UTF-8 (byte 11)."),
        ("cut.jsonl.xz", "Compressed data ended before"),
    ]:
        path = tmp_path / name
        assert main(["distill", "check", str(path)]) == 2
        assert capsys.readouterr().err.startswith(f"sinc-tui: {path} can't be read: {reason}")


def test_evaluate_writes_a_report_and_prints_a_table(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report"

    code = main(
        ["distill", "evaluate", "teacher", "echo", "--prompts", str(data), "--out", str(out)]
    )

    shown = capsys.readouterr()
    assert code == 0
    assert "facts kept" in shown.out
    assert "written:" in shown.err
    figures = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert figures["prompts"] == figures["prompts"] | {"source": "some.jsonl", "count": 12}
    assert [s["name"] for s in figures["students"]] == ["teacher", "raw prompt in every band"]


def test_evaluate_fails_where_a_goal_is_missed(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "report")

    code = main(
        [
            "distill",
            "evaluate",
            "echo",
            "--prompts",
            str(data),
            "--out",
            out,
            "--goal",
            "tiny",
            "--limit",
            "8",
        ]
    )

    assert code == 1
    assert "misses the goal tiny" in capsys.readouterr().err


def test_evaluate_refuses_a_student_that_answers_nothing(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "outputs-nobody.jsonl"
    empty.write_text("", encoding="utf-8")
    out = tmp_path / "report"

    assert main(["distill", "evaluate", str(empty), "--prompts", str(data), "--out", str(out)]) == 1
    assert "outputs-nobody answered no prompt" in capsys.readouterr().err
    assert not out.exists()


def test_help_imports_neither_torch_nor_the_data() -> None:
    script = (
        "import sys; from sinc_tui.cli.main import main; main(['distill', '--help']); "
        "heavy = ('torch', 'numpy', 'anthropic', 'openai', 'llama_cpp', 'textual'); "
        "print([m for m in heavy if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert "evaluate" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_trained_layout_can_be_chosen() -> None:
    (layout,) = [option for option in train.params if option.name == "layout"]
    assert isinstance(layout.type, click.Choice)
    assert set(layout.type.choices) == set(TRAINED)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("TITLE=2", "no band and number"),
        ("TASK", "no band and number"),
        ("TASK=two", "no band and number"),
        ("TASK=3,CONTEXT=-1", "0 or more"),
        ("TASK=inf", "0 or more"),
        ("TASK=3,TASK=2", "given twice"),
        ("PERSONA=0,CONTEXT=0,DATA=0,CONSTRAINTS=0,FORMAT=0,TASK=0", "nothing to learn"),
    ],
)
def test_train_refuses_weights_of_nothing(
    given: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"

    assert main(["distill", "train", "tiny", "--out", str(out), "--band-weights", given]) == 2
    assert reason in capsys.readouterr().err
    assert not out.exists()


class Stop(Exception):
    """In place of a training."""


@pytest.mark.parametrize("given", ["inf", "nan", "-1"])
def test_train_refuses_a_preference_that_is_no_weight(given: str, tmp_path: Path) -> None:
    out = tmp_path / "run"

    assert main(["distill", "train", "tiny", "--out", str(out), "--preference", given]) == 2
    assert not out.exists()


def test_corrections_alone_are_measured_on_the_dev_set_of_the_style(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = pytest.importorskip("sinc_tui.distill.training", reason="needs the extra `distill`")
    wanted = sampled(split(load_examples("plain"))[1], 5)

    def trainer(
        _: Profile,
        __: Packer,
        train: list[Example],
        dev: list[Example],
        *___: object,
        **____: object,
    ) -> None:
        assert dev == wanted
        assert len(train) == len(load_examples("corrections"))
        raise Stop

    monkeypatch.setattr(training, "Trainer", trainer)
    with pytest.raises(Stop):
        main(
            ["distill", "train", "tiny", "--data", "corrections", "--dev", "5",
             "--out", str(tmp_path / "run")]
        )  # fmt: skip


def test_quantize_says_where_there_is_nothing_to_measure_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["distill", "quantize", str(tmp_path), "--data", "corrections"]) != 0
    assert "corrections has no dev prompt to measure on" in capsys.readouterr().err


@pytest.mark.parametrize(("preference", "laid_out"), [("1", True), ("0", False)])
def test_examples_of_every_source_reach_the_training_and_their_pairs_as_asked(
    preference: str,
    laid_out: bool,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    training = pytest.importorskip("sinc_tui.distill.training", reason="needs the extra `distill`")
    corrections = load_examples("corrections")

    def trainer(
        _: Profile,
        packer: Packer,
        train: list[Example],
        dev: list[Example],
        *__: object,
        **___: object,
    ) -> None:
        assert (len(train), len(dev)) == (len(corrections), 12)
        (paired,) = [e for e in train if e.id == corrections[0].id]
        assert any(packer.pack(paired, "parallel").pairs) is laid_out
        raise Stop

    monkeypatch.setattr(training, "Trainer", trainer)
    with pytest.raises(Stop):
        main(
            ["distill", "train", "tiny", "--data", str(data), "--data", "corrections",
             "--out", str(tmp_path / "run"), "--preference", preference]
        )  # fmt: skip


def test_band_weights_reach_what_is_trained(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = pytest.importorskip("sinc_tui.distill.training", reason="needs the extra `distill`")
    seen: dict[str, object] = {}

    def trainer(profile: Profile, packer: Packer, *_: object, **__: object) -> None:
        seen["profile"] = profile.band_weights
        example = load_examples("plain")[0]
        seen["packed"] = set(packer.pack(example, "parallel").weights)
        raise Stop

    monkeypatch.setattr(training, "Trainer", trainer)
    with pytest.raises(Stop):
        main(
            ["distill", "train", "tiny", "--data", str(data), "--out", str(tmp_path / "run"),
             "--band-weights", "task=3, CONTEXT=2"]
        )  # fmt: skip
    assert seen == {"profile": {Band.TASK: 3.0, Band.CONTEXT: 2.0}, "packed": {0.0, 1.0, 2.0, 3.0}}
