"""The downloader against a local Hub: places, tokens, resuming, cancelling, two at once."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants, scan_cache_dir

from sinc_tui import paths
from sinc_tui.errors import SincError
from sinc_tui.models import transfer
from sinc_tui.models.catalog import CatalogModel, located, model_for
from sinc_tui.models.download import Download, Progress
from sinc_tui.models.partial import Partial
from sinc_tui.models.wire import Retry
from tests.models.hubs import CHUNK, CONTENT, FAST, NAME, REPOSITORY, model, parts, pull, unpinned
from tests.support.broken_gguf import write_model
from tests.support.hub_server import COMMIT, Fault, Hub, Request


def refusal(wanted: CatalogModel) -> SincError:
    with pytest.raises(SincError) as caught:
        pull(wanted)
    assert caught.value.hint
    return caught.value


def test_pull_and_find_again_without_the_network(hub: Hub, tmp_path: Path) -> None:
    heard: list[Progress] = []
    assert located(model()) is None
    path = Download(model(), heard.append, FAST).run().path
    assert path.read_bytes() == CONTENT
    assert (heard[-1].done, heard[-1].total) == (len(CONTENT), len(CONTENT))
    assert [one.done for one in heard] == sorted(one.done for one in heard)
    assert located(model()) == path
    served = len(hub.served)
    assert pull(model()).path == path
    assert len(hub.served) == served, "nobody is asked"
    assert hub.sent == len(CONTENT)
    assert not parts(tmp_path)


def test_the_file_lies_where_other_programs_look(hub: Hub) -> None:
    from huggingface_hub import hf_hub_download

    path = pull(unpinned()).path
    served = hub.sent
    assert hf_hub_download(REPOSITORY, "mine.gguf") == str(path)
    assert hub.sent == served, "huggingface_hub fetches nothing"
    (repository,) = scan_cache_dir(constants.HF_HUB_CACHE).repos
    assert repository.repo_id == REPOSITORY
    assert repository.size_on_disk == len(CONTENT), "no second copy"


def test_what_another_program_fetched_is_used_in_place(hub: Hub) -> None:
    from huggingface_hub import hf_hub_download

    path = hf_hub_download(REPOSITORY, "mine.gguf", revision=COMMIT)
    sent = hub.sent
    assert pull(model()).path == Path(path)
    assert hub.sent == sent


def test_the_token_goes_to_the_hub_alone(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.private.add(REPOSITORY)
    hub.token = "hf_secret"
    with caplog.at_level(logging.DEBUG):
        assert pull(model()).path.read_bytes() == CONTENT
    asked = [request for request in hub.served if request.side == "hub"]
    assert {request.authorization for request in asked} == {"Bearer hf_secret"}
    assert {request.authorization for request in hub.served if request.side == "cdn"} == {""}
    assert "hf_secret" not in caplog.text


def test_a_mirror_that_sends_the_bytes_itself_gets_the_token(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.own_bytes = True
    assert pull(model()).path.read_bytes() == CONTENT
    assert {request.authorization for request in hub.served} == {"Bearer hf_secret"}


def test_what_the_hub_refuses_is_explained(hub: Hub) -> None:
    hub.gated.add(REPOSITORY)
    error = refusal(model())
    assert "agreement" in error.message
    assert f"{hub.url}/{REPOSITORY}" in error.hint
    assert "HF_TOKEN" in error.hint
    hub.gated.clear()
    assert "no gone.gguf" in refusal(model(file="gone.gguf")).message
    assert "no nobody/nothing" in refusal(model(repository="nobody/nothing")).message
    hub.private.add(REPOSITORY)
    hub.token = "hf_another"
    assert "HF_TOKEN" in refusal(model()).hint


def test_another_content_than_the_pinned_one_is_not_even_fetched(hub: Hub) -> None:
    hub.files[NAME] = b"x" + CONTENT[1:]
    assert "not the file that mine is pinned to" in refusal(model()).message
    assert hub.sent == 0


def test_another_content_that_the_hub_does_not_admit_is_thrown_away(
    hub: Hub, tmp_path: Path
) -> None:
    hub.hashes[NAME] = hashlib.sha256(CONTENT).hexdigest()
    hub.files[NAME] = b"x" + CONTENT[1:]
    error = refusal(model())
    assert "not the file that was expected" in error.message
    assert "models pull mine" in error.hint
    assert located(model()) is None
    assert not parts(tmp_path)


def test_offline(monkeypatch: pytest.MonkeyPatch, hub: Hub) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in refusal(model()).message
    assert not hub.served


def test_no_room(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("U", (), {"free": 5 << 10}))
    error = refusal(model())
    assert "has 5 kB left" in error.message
    assert "HF_HOME" in error.hint
    assert hub.sent == 0


def test_two_at_once_fetch_one_copy(hub: Hub) -> None:
    paths_found: list[Path] = []
    phases: set[str] = set()

    def run() -> None:
        download = Download(model(), lambda progress: phases.add(progress.phase), FAST)
        paths_found.append(download.run().path)

    def fault(request: Request) -> Fault | None:
        """Only when somebody waits for the lock do the bytes go on."""
        while request.side == "cdn" and "waiting" not in phases:
            hub.released.wait(0.01)
        return None

    hub.fault = fault
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(paths_found) == 2
    assert paths_found[0] == paths_found[1]
    assert paths_found[0].read_bytes() == CONTENT
    assert hub.sent == len(CONTENT)


def test_two_at_once_from_the_web(hub: Hub, tmp_path: Path) -> None:
    whole = write_model(tmp_path / "m.gguf").read_bytes()
    hub.files[NAME] = whole
    wanted = model_for(f"{hub.url}/web/{NAME}")
    phases: set[str] = set()

    def run() -> None:
        Download(wanted, lambda progress: phases.add(progress.phase), FAST).run()

    def fault(request: Request) -> Fault | None:
        while request.range != "bytes=0-0" and "waiting" not in phases:
            hub.released.wait(0.01)
        return None

    hub.fault = fault
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert located(wanted) is not None
    assert hub.sent == len(whole) + 2, "one byte for each question"


def test_a_disk_that_gets_full(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real one, of half a megabyte, that is made larger then."""
    disk = tmp_path / "hub"
    disk.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(disk)]
    if os.getuid() or subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk, and not in every container")
    try:
        monkeypatch.setattr("shutil.disk_usage", lambda _: type("U", (), {"free": 1 << 30}))
        error = refusal(model())
        assert "No space left on device. What has arrived is kept." in error.message
        assert "Free some space" in error.hint
        subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
        assert pull(model()).path.read_bytes() == CONTENT
        assert hub.sent <= len(CONTENT) + FAST.connections * CHUNK
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_split_files_are_one_model(hub: Hub) -> None:
    hub.files = {f"{REPOSITORY}/m-0000{n}-of-00002.gguf": CONTENT[: n * 300_000] for n in (1, 2)}
    wanted = model_for(f"hf:{REPOSITORY}/m-00002-of-00002.gguf")
    heard: list[Progress] = []
    done = Download(wanted, heard.append, FAST).run()
    assert done.path.name == "m-00001-of-00002.gguf"
    assert done.path.with_name("m-00002-of-00002.gguf").read_bytes() == CONTENT[:600_000]
    assert (heard[-1].done, heard[-1].total) == (900_000, 900_000)
    assert not done.notes, "the Hub tells their sha256"


def test_a_model_from_the_web(hub: Hub, tmp_path: Path) -> None:
    whole = write_model(tmp_path / "m.gguf").read_bytes()
    hub.files[NAME] = whole
    wanted = model_for(f"{hub.url}/web/{NAME}")
    done = pull(wanted)
    assert done.path.read_bytes() == whole
    assert done.path.is_relative_to(tmp_path / "data")
    assert done.path.is_relative_to(paths.web_models())
    folder = paths.web_models().parent
    assert folder.stat().st_mode & 0o777 == 0o700, "the history lies there too"
    assert hashlib.sha256(whole).hexdigest() in done.notes[0], "the user is told"
    assert pull(wanted).path == done.path
    assert hub.sent == len(whole) + 1, "one byte for the question"


def test_a_server_without_ranges(hub: Hub, tmp_path: Path) -> None:
    hub.files[NAME] = write_model(tmp_path / "m.gguf").read_bytes()
    hub.ranges = False
    assert pull(model_for(f"{hub.url}/web/{NAME}")).path.stat().st_size == hub.size(NAME)
    hub.files[NAME] = CONTENT
    cuts = iter([Fault(cut=100_000)])
    hub.fault = lambda request: next(cuts, None) if request.side == "cdn" else None
    assert pull(model()).path.read_bytes() == CONTENT


@pytest.mark.parametrize(("patience", "connections"), [(0.0, 3), (60.0, 2)])
def test_all_connections_are_opened_only_where_the_hash_waits(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, patience: float, connections: int
) -> None:
    """The bytes are held until as many connections as expected have asked; the server has a thread for each."""
    monkeypatch.setattr(transfer, "_PATIENCE", patience)
    asked: set[int] = set()
    all_asked = threading.Barrier(connections)

    def fault(request: Request) -> None:
        if request.side == "cdn" and threading.get_ident() not in asked:
            asked.add(threading.get_ident())
            all_asked.wait(20)

    hub.fault = fault
    done = pull(model(), replace(FAST, stall_timeout=60.0))
    assert done.path.read_bytes() == CONTENT
    assert len(asked) == connections


def test_the_disk_is_waited_for_on_the_way(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """After every fourth of the twelve chunks; what is left at last is waited for once."""
    waited: list[int] = []
    monkeypatch.setattr(
        Partial, "sync", lambda part: waited.append(sum(chunk.complete for chunk in part.chunks))
    )
    pull(model(), replace(FAST, connections=1))
    assert waited == [4, 8, 12]


def test_a_web_page_in_place_of_a_model(hub: Hub, tmp_path: Path) -> None:
    hub.files[NAME] = b"<!DOCTYPE html><h1>Please log in</h1>" * 100
    error = refusal(model_for(f"{hub.url}/web/{NAME}"))
    assert "web page" in error.message
    assert not parts(tmp_path)


def test_a_redirect_that_leaves_encryption_behind() -> None:
    from sinc_tui.models.remote import _redirected

    with pytest.raises(SincError, match="not encrypted"):
        _redirected("https://example.org/m.gguf", "http://example.org/m.gguf")
    assert _redirected("https://a.org/x/m.gguf", "../m.gguf") == "https://a.org/m.gguf"
    as_read = "/é.gguf".encode().decode("latin-1")
    assert _redirected("https://a.org/m.gguf", as_read) == "https://a.org/é.gguf"


@pytest.mark.parametrize("location", ["//[bad/x", "http://h:99999/x", "http://h:abc/"])
def test_a_redirect_to_what_is_no_address(location: str) -> None:
    from sinc_tui.models.remote import _redirected

    with pytest.raises(Retry, match="no address"):
        _redirected("https://example.org/m.gguf", location)


def test_the_file_of_a_path_is_not_fetched(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    assert "no file" in refusal(model_for(str(path))).message
    path.touch()
    assert pull(model_for(str(path))).path == path


@pytest.mark.parametrize("etag", ["../../evil", "a/b", "."])
def test_a_hub_cannot_choose_a_place_of_its_own(hub: Hub, tmp_path: Path, etag: str) -> None:
    hub.hashes[NAME] = etag
    path = pull(model()).path
    assert path.read_bytes() == CONTENT
    assert path.resolve().parent.name == "blobs"
    outside = [p for p in tmp_path.rglob("*") if p.is_file() and "models--" not in str(p)]
    assert not outside


def test_progress_is_json(hub: Hub) -> None:
    """Every field is a plain value, for whoever passes it on."""
    heard: list[dict[str, Any]] = []
    Download(
        model(), lambda p: heard.append({"phase": p.phase, "left": p.seconds_left}), FAST
    ).run()
    assert json.dumps(heard)
