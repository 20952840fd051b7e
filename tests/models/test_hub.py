"""Models by name, from a local server that speaks the Hub's protocol."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from sinc_tui import paths
from sinc_tui.errors import SincError
from sinc_tui.models.catalog import CatalogModel, catalog, known, located, named
from sinc_tui.models.default import embedded_base
from sinc_tui.models.hub import pull, verify
from sinc_tui.sinc.rulesets import problems
from tests.support.hub_server import COMMIT, Hub, serving

CONTENT = bytes(range(256)) * 3000
MODEL = CatalogModel(
    name="mine",
    about="A test's.",
    repository="someone/models",
    commit=COMMIT,
    file="mine.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    licence="MIT",
    memory=1,
)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    with serving(Hub(files={f"{MODEL.repository}/{MODEL.file}": CONTENT})) as running:
        template = running.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", running.url)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        yield running


@pytest.fixture
def own_catalog(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = paths.user_catalog()
    path.parent.mkdir(parents=True)
    return path


def test_pull_and_find_again_without_the_network(hub: Hub) -> None:
    heard: list[tuple[int, int]] = []
    assert located(MODEL) is None
    path = pull(MODEL, lambda done, total: heard.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert heard[-1] == (len(CONTENT), len(CONTENT))
    assert located(MODEL) == path
    before = len(hub.served)
    assert pull(MODEL) == path
    assert not [r for r in hub.served[before:] if r.startswith("GET")], "nothing is fetched twice"


def test_a_cut_connection_costs_no_more_than_the_rest(hub: Hub) -> None:
    hub.cut = 100_000
    assert pull(MODEL).read_bytes() == CONTENT


def test_another_content_is_not_accepted_and_not_kept(hub: Hub) -> None:
    hub.files[f"{MODEL.repository}/{MODEL.file}"] = b"x" + CONTENT[1:]
    with pytest.raises(SincError, match="not the file that was expected") as caught:
        pull(MODEL)
    assert "models pull mine" in caught.value.hint
    assert located(MODEL) is None
    hub.files[f"{MODEL.repository}/{MODEL.file}"] = CONTENT


def test_a_file_that_is_damaged_later_is_found(hub: Hub) -> None:
    path = pull(MODEL)
    path.resolve().write_bytes(CONTENT[:-1])
    with pytest.raises(SincError, match="it was deleted"):
        verify(MODEL, path)
    assert pull(MODEL).read_bytes() == CONTENT


def test_what_the_hub_refuses_is_explained(hub: Hub) -> None:
    hub.gated.add(MODEL.repository)
    with pytest.raises(SincError, match="agreement") as caught:
        pull(MODEL)
    assert "HF_TOKEN" in caught.value.hint
    gone = MODEL.model_copy(update={"file": "gone.gguf"})
    hub.gated.clear()
    with pytest.raises(SincError, match=r"no gone\.gguf"):
        pull(gone)


def test_offline(monkeypatch: pytest.MonkeyPatch, hub: Hub) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(SincError, match="cannot be reached"):
        pull(MODEL)
    assert not hub.served


def test_no_room(hub: Hub) -> None:
    with pytest.raises(SincError, match="MiB left"):
        pull(MODEL.model_copy(update={"size": 1 << 60}))
    assert not hub.served


def test_the_shipped_catalogue_is_pinned() -> None:
    assert {"small", "medium", "full"} <= set(catalog())
    for model in catalog().values():
        assert len(model.commit) == 40
        assert len(model.sha256) == 64
        assert model.file.endswith(".gguf")


def test_names_that_are_not_here_say_what_to_do(hub: Hub) -> None:
    with pytest.raises(SincError, match="not on this machine") as caught:
        named("small")
    assert caught.value.hint == "Get it: sinc-tui models pull small"
    with pytest.raises(SincError, match="no model large") as caught:
        known("large")
    assert "small" in caught.value.hint


def test_a_wrong_catalogue_of_the_user_names_the_file(own_catalog: Path) -> None:
    own_catalog.write_text('[mine]\nabout = "half"\n')
    with pytest.raises(SincError, match=r"models\.toml .*repository"):
        catalog()
    own_catalog.write_text("[mine\n")
    with pytest.raises(SincError, match="line 1"):
        catalog()


def test_pull_use_and_run_on_the_command_line(own_catalog: Path, tmp_path: Path) -> None:
    content = embedded_base().read_bytes()
    entry = MODEL.model_dump(exclude={"name", "adapter"}) | {
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    lines = (f"{key} = {value!r}" for key, value in entry.items())
    own_catalog.write_text("[mine]\n" + "\n".join(lines) + "\n")
    with serving(Hub(files={f"{MODEL.repository}/{MODEL.file}": content})) as hub:
        online = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf")}
        assert "mine" in command(online, "models", "list")
        path = Path(command(online, "models", "pull", "mine").strip())
        assert path.is_file()
    offline = online | {"HF_HUB_OFFLINE": "1"}
    assert "opens on mine" in command(offline, "models", "use", "mine")
    document = command(offline, "rewrite", "fix line 3")
    assert not problems(document, "article")
    assert "as expected" in command(offline, "models", "verify", "mine")


def command(environment: dict[str, str], *arguments: str) -> str:
    """What a command of a process of its own prints."""
    done = subprocess.run(
        [sys.executable, "-m", "sinc_tui.cli.main", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
