"""The wheel works by itself: installed elsewhere, run from another folder, its assets inside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from sinc_tui import __version__
from sinc_tui.models.default import ModelFile
from sinc_tui.sinc.rulesets import RULESETS, problems

ROOT = Path(__file__).parents[1]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that must go well; its standard output."""
    environment = {name: v for name, v in os.environ.items() if not name.startswith("PYTHON")}
    ran = subprocess.run(
        [*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(*PIP, "wheel", "--no-deps", "--wheel-dir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment that holds the wheel.

    Its dependencies are those of this environment, so that nothing is compiled again. A folder that is
    named in a .pth file comes last and its own .pth files are not read: the checkout is not found.
    """
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    run(*PIP, "--python", folder / "bin/python", "install", "--no-deps", wheel, cwd=folder)
    return folder / "bin"


def test_what_is_in_it(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assets = {
        f"sinc_tui/assets/{path.relative_to(ROOT / 'assets')}"
        for path in (ROOT / "assets").rglob("*")
        if path.is_file()
    }
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "sinc_tui").rglob("*.py")}
    styles = {str(path.relative_to(ROOT)) for path in (ROOT / "sinc_tui").rglob("*.tcss")}
    assert "sinc_tui/assets/tiny.adapter.gguf" in assets
    page = {str(path.relative_to(ROOT)) for path in (ROOT / "sinc_tui/server/page").iterdir()}
    assert styles
    assert page
    assert assets | modules | styles | page | {"sinc_tui/py.typed"} <= names
    metadata = f"sinc_tui-{__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"sinc_tui", metadata}
    assert f"{metadata}/licenses/LICENSE" in names


@pytest.mark.usefixtures("tiny_model")
def test_it_rewrites_a_prompt_from_another_folder(installed: Path, tmp_path: Path) -> None:
    out = run(installed / "sinc-tui", "rewrite", "fix line 3", cwd=tmp_path)
    assert json.loads(out)
    assert {rules: problems(out, rules) for rules in RULESETS} == {rules: [] for rules in RULESETS}
    assert list(tmp_path.iterdir()) == []


def test_it_is_the_wheel_that_runs(installed: Path, tmp_path: Path) -> None:
    program = (
        "import sinc_tui; from sinc_tui import paths; "
        "from sinc_tui.models.default import shipped_student; "
        "print(sinc_tui.__file__, paths.assets(), shipped_student().adapter, sep='\\n')"
    )
    places = run(installed / "python", "-c", program, cwd=tmp_path).splitlines()
    environment = installed.parent.resolve()
    assert len(places) == 3
    for place in map(Path, places):
        assert place.is_relative_to(environment)
        assert place.exists()


def test_its_model_is_the_one_made_before(
    installed: Path, tmp_path: Path, tiny_model: ModelFile
) -> None:
    """Same base, same adapter: what the checkout merged is not merged again."""
    before = tiny_model.path.stat()
    program = (
        "from sinc_tui.models.default import shipped_student; print(shipped_student().ready())"
    )
    assert run(installed / "python", "-c", program, cwd=tmp_path) == "True\n"
    assert tiny_model.path.stat().st_mtime_ns == before.st_mtime_ns


def test_version(installed: Path, tmp_path: Path) -> None:
    assert run(installed / "sinc-tui", "--version", cwd=tmp_path) == f"sinc-tui {__version__}\n"
