"""`sinc-tui models` as a process, against a Hub of this machine."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinc_tui.models.default import Student, embedded_base
from sinc_tui.models.prepare import prepare
from sinc_tui.sinc.rulesets import problems
from tests.cli.processes import CLI, environment, run
from tests.support.broken_gguf import write_model
from tests.support.hub_server import COMMIT, Fault, Hub, Request, serving
from tests.support.tiny_gguf import write_adapter, write_base

REPOSITORY = "someone/models"
FILE = f"hf:{REPOSITORY}/mine.gguf"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    content = write_model(tmp_path / "served.gguf").read_bytes()
    with serving(Hub(files={f"{REPOSITORY}/mine.gguf": content})) as running:
        yield running


def places(hub: Hub, home: Path) -> dict[str, str]:
    """Everything of a run lies in `home`."""
    return {
        "HF_ENDPOINT": hub.url, "HF_HOME": str(home / "hf"), "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
    }  # fmt: skip


def models(hub: Hub, home: Path, *arguments: str, code: int = 0, **changes: str) -> tuple[str, str]:
    """What `sinc-tui models ...` prints on stdout and on stderr."""
    ran = run([*CLI, "models", *arguments], home, **(places(hub, home) | changes))
    assert ran.returncode == code, ran.stderr.decode()
    return ran.stdout.decode(), ran.stderr.decode()


def test_from_add_to_rm(hub: Hub, tmp_path: Path) -> None:
    said, _ = models(hub, tmp_path, "add", "mine", FILE, "--about", "Mine.")
    catalogue = tmp_path / "config/sinc-tui/models.toml"
    assert str(catalogue) in said
    assert said.endswith("Get it: sinc-tui models pull mine\n")
    assert COMMIT in catalogue.read_text()
    path, told = models(hub, tmp_path, "pull", "mine")
    assert Path(path.strip()).read_bytes() == hub.files[f"{REPOSITORY}/mine.gguf"]
    assert "looking for mine" in told
    assert "Nothing is known of the licence" in told
    listed = json.loads(models(hub, tmp_path, "list", "--json")[0])
    assert [entry["name"] for entry in listed] == ["tiny", "small", "medium", "full", "mine"]
    assert (listed[-1]["state"], listed[-1]["path"]) == ("here", path.strip())
    assert "mine    here" in models(hub, tmp_path, "list")[0]
    assert models(hub, tmp_path, "verify", "mine")[0] == "mine: as expected.\n"
    assert "opens on mine" in models(hub, tmp_path, "use", "mine", HF_HUB_OFFLINE="1")[0]
    assert 'model = "mine"' in (tmp_path / "config/sinc-tui/settings.toml").read_text()
    assert "MB freed" in models(hub, tmp_path, "rm", "mine", "--forget")[0]
    assert not Path(path.strip()).exists()
    assert "mine" not in catalogue.read_text()


def test_damage_is_found_and_repaired(hub: Hub, tmp_path: Path) -> None:
    models(hub, tmp_path, "add", "mine", FILE)
    path = Path(models(hub, tmp_path, "pull", "mine")[0].strip())
    damaged = bytearray(path.read_bytes())
    damaged[-5] ^= 1
    path.resolve().write_bytes(damaged)
    _, told = models(hub, tmp_path, "verify", "mine", code=1)
    assert "sinc-tui models pull --repair mine" in told
    models(hub, tmp_path, "pull", "--repair", "mine")
    assert models(hub, tmp_path, "verify", "mine")[0] == "mine: as expected.\n"


def test_a_damaged_merged_file_is_found_and_made_anew(hub: Hub, tmp_path: Path) -> None:
    """The base is whole, and nothing of it is installed or fetched again."""
    cache = tmp_path / "cache/sinc-tui/models"
    cache.mkdir(parents=True)
    parts = write_base(tmp_path / "base.gguf"), write_adapter(tmp_path / "adapter.gguf")
    prepare(Student(*parts, cache / "tiny.gguf"), lambda _: None)
    merged, xdg = cache / "tiny.gguf", {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert models(hub, tmp_path, "verify", "tiny", **xdg)[0] == "tiny: as expected.\n"
    assert "as expected" in models(hub, tmp_path, "pull", "--repair", "tiny", **xdg)[1]
    before = merged.stat()
    merged.write_bytes(merged.read_bytes()[:-9] + b"otherwise")
    os.utime(merged, ns=(before.st_atime_ns, before.st_mtime_ns))
    _, told = models(hub, tmp_path, "verify", "tiny", code=1, **xdg)
    assert f"{merged} is damaged" in told
    assert "sinc-tui models pull --repair tiny" in told
    path, told = models(hub, tmp_path, "pull", "--repair", "tiny", **xdg)
    assert Path(path.strip()) == embedded_base()
    assert "made anew" in told
    assert list(cache.iterdir()) == []


def test_a_file_of_the_users_own(hub: Hub, tmp_path: Path) -> None:
    path = write_model(tmp_path / "own.gguf")
    said, _ = models(hub, tmp_path, "add", "mine", str(path))
    assert said.endswith("Use it: sinc-tui models use mine\n")
    assert models(hub, tmp_path, "rm", "mine")[0] == (
        "mine: 0 MB freed. Its file stays, since it is named by its path. "
        "Take it out of models.toml: sinc-tui models rm --forget mine\n"
    )
    path.unlink()
    *_, row, problem = models(hub, tmp_path, "list")[0].splitlines()
    assert row.split() == ["mine", "gone"]
    assert f"There is no file {path}." in problem
    assert "sinc-tui models rm --forget mine" in problem
    _, told = models(hub, tmp_path, "pull", "--repair", "mine", code=1)
    assert "sinc-tui models rm --forget mine" in told
    assert models(hub, tmp_path, "rm", "--forget", "mine")[0] == "mine: 0 MB freed.\n"
    assert "mine" not in models(hub, tmp_path, "list")[0]


def test_add_says_what_is_wrong_with_a_file(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "own.gguf"
    catalogue = tmp_path / "config/sinc-tui/models.toml"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text(f'[mine]\nfile = "{path}"\n')
    said, told = models(hub, tmp_path, "add", "again", "mine")
    assert f"There is no file {path}. Put it there again" in said
    assert "sinc-tui models rm --forget again" in said
    assert "server" not in told
    path.write_bytes(b"no model")
    said, told = models(hub, tmp_path, "add", "third", "mine")
    assert said.endswith("Copy it here again.\n")
    assert "pull" not in said
    assert "server" not in told


def heed_ctrl_c() -> None:
    """A shell's background job inherits an ignored Ctrl-C; a person's foreground process does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupted_pull_says_how_to_go_on_and_does(hub: Hub, tmp_path: Path) -> None:
    size = 40 << 20
    large = tmp_path / "large.gguf"
    with large.open("wb") as file:
        file.truncate(size)
    digest = hashlib.sha256(bytes(size)).hexdigest()
    hub.files, hub.hashes = {f"{REPOSITORY}/m.gguf": large}, {f"{REPOSITORY}/m.gguf": digest}
    begun = threading.Event()

    def fault(request: Request) -> Fault | None:
        if request.side != "cdn" or not request.range.startswith("bytes=16777216"):
            return None
        begun.set()
        return Fault(stall=5 << 20)

    hub.fault = fault
    pulling = subprocess.Popen(
        [*CLI, "models", "pull", f"hf:{REPOSITORY}/m.gguf"], cwd=tmp_path,
        env=environment(tmp_path) | places(hub, tmp_path),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=heed_ctrl_c,
    )  # fmt: skip
    assert begun.wait(60)
    pulling.send_signal(signal.SIGINT)
    out, told = pulling.communicate(timeout=60)
    assert pulling.returncode == 130
    assert out == b""
    hint = f"Go on from there: sinc-tui models pull hf:{REPOSITORY}/m.gguf"
    assert hint in told.decode()
    assert b"Traceback" not in told
    hub.fault = lambda _: None
    hub.released.set()
    _, said = models(hub, tmp_path, "pull", f"hf:{REPOSITORY}/m.gguf")
    assert "checking" in said


def test_a_model_of_the_hub_is_used_by_its_reference(hub: Hub, tmp_path: Path) -> None:
    """Wherever a model is named: here in `rewrite`, on a network and then without one."""
    hub.files[f"{REPOSITORY}/mine.gguf"] = embedded_base().read_bytes()
    ran = run([*CLI, "rewrite", "--model", FILE, "x"], tmp_path, **places(hub, tmp_path))
    assert ran.returncode == 1
    assert f"sinc-tui models pull {FILE}" in ran.stderr.decode()
    models(hub, tmp_path, "pull", FILE)
    models(hub, tmp_path, "use", FILE)
    offline = places(hub, tmp_path) | {"HF_HUB_OFFLINE": "1"}
    ran = run([*CLI, "rewrite", "fix line 3"], tmp_path, **offline)
    assert ran.returncode == 0, ran.stderr.decode()
    assert not problems(ran.stdout.decode(), "article")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["pull", "large"], "no model 'large'"),
        (["pull", "hf:nobody/nothing/m.gguf"], "no nobody/nothing"),
        (["verify", "small"], "sinc-tui models pull small"),
        (["use", "small"], "sinc-tui models pull small"),
        (["add", "tiny", FILE], "a model tiny already"),
        (["use", "nothing.gguf"], "not on this machine"),
    ],
)
def test_what_cannot_be_done_is_said(
    hub: Hub, tmp_path: Path, arguments: list[str], reason: str
) -> None:
    out, told = models(hub, tmp_path, *arguments, code=1)
    assert out == ""
    assert reason in told
    assert told.count("\n") <= 2
    assert "Traceback" not in told


def test_help_loads_no_network_library(tmp_path: Path) -> None:
    code = (
        "import sys; from sinc_tui.cli.main import main; main(['models', 'pull', '--help']); "
        "sys.exit(any(name in sys.modules for name in ('httpx2', 'urllib3', 'huggingface_hub', 'llama_cpp')))"
    )
    ran = run([CLI[0], "-c", code], tmp_path)
    assert ran.returncode == 0
    assert b"Ctrl-C keeps" in ran.stdout
