"""Settings: what is right counts, what is wrong is named, and what a person wrote stays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sinc_tui.errors import SincError
from sinc_tui.settings import Settings, load, save

WRITTEN = """\
# My settings.
theme = "nord"  # at night

history = true
[keymap]
# F7 is free
copy_json = "f7"
run = "f5"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.toml"


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_means_the_defaults(path: Path) -> None:
    assert load(path) == (Settings(), [])
    assert not path.parent.exists()


def test_a_file_names_what_differs(path: Path) -> None:
    settings, problems = load(written(path, WRITTEN))
    assert problems == []
    assert settings == Settings(theme="nord", keymap={"copy_json": "f7", "run": "f5"})


def test_comments_and_order_stay(path: Path) -> None:
    save(written(path, WRITTEN), {"theme": "sinc", "compact": True, "keymap": {"copy_json": "f8"}})
    text = path.read_text(encoding="utf-8")
    assert text.startswith('# My settings.\ntheme = "sinc"  # at night\n')
    assert '# F7 is free\ncopy_json = "f8"\n' in text
    assert "run" not in text
    assert load(path) == (Settings(compact=True, keymap={"copy_json": "f8"}), [])


def test_every_field_survives_a_new_file(path: Path) -> None:
    chosen = Settings(
        model="/m/日本.gguf",
        decode={"tiny": "parallel"},
        theme="nord",
        keymap={"run": "f5"},
        compact=True,
        reduced_motion=True,
        history=False,
        copy_format="xml",
        seed="random",
    )
    save(path, chosen.model_dump())
    assert load(path) == (chosen, [])
    assert path.read_text(encoding="utf-8").startswith("# Settings of sinc-tui.")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("compact = 1", r"line 2: compact should be a valid boolean, and is 1\."),
        ("colour = 'red'", r"line 2: there is no setting colour\. There are: model, "),
        ("seed = 'sometimes'", r"line 2: seed should be 'fixed' or 'random', and is 'sometimes'"),
        ("keymap.run = 5", r"keymap\.run should be a valid string, and is 5"),
        ("decode.tiny = 'both'", r"decode\.tiny should be 'sequential' or 'parallel'"),
    ],
)
def test_a_wrong_field_is_named_and_the_others_count(path: Path, line: str, message: str) -> None:
    settings, problems = load(written(path, f'theme = "nord"\n{line}\nkeymap.stop = "f2"\n'))
    assert settings == Settings(theme="nord", keymap={"stop": "f2"})
    assert len(problems) == 1
    with pytest.raises(SincError, match=message):
        raise problems[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"theme = \n", r"is not TOML: .*line 1.* Mend that line"),
        (b"theme = '\xff'", r"is not UTF-8 \(byte 9\)"),
    ],
)
def test_an_unreadable_file_is_told_and_never_overwritten(
    path: Path, content: bytes, message: str
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    settings, problems = load(path)
    assert settings == Settings()
    assert len(problems) == 1
    with pytest.raises(SincError, match=message):
        raise problems[0]
    with pytest.raises(SincError, match="Mend the file by hand"):
        save(path, {"theme": "nord"})
    assert path.read_bytes() == content


def test_a_wrong_value_is_not_saved(path: Path) -> None:
    with pytest.raises(SincError, match="copy_format"):
        save(path, {"copy_format": "pdf"})
    assert not path.exists()


def test_reading_needs_no_writer() -> None:
    program = (
        "import sys, sinc_tui.settings as s, pathlib; s.load(pathlib.Path('none'));"
        "assert not {'tomlkit', 'sqlite3', 'textual'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
