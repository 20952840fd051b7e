"""Stopping a download, and going on with what is there, damaged or not."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from sinc_tui.models.catalog import CatalogModel, model_for
from sinc_tui.models.download import Cancelled, Download, DownloadOptions, Progress
from tests.models.hubs import CHUNK, CONTENT, FAST, NAME, model, parts, pull
from tests.support.broken_gguf import write_model
from tests.support.hub_server import Fault, Hub, Request

BEFORE = 5 * CHUNK + FAST.connections * CHUNK // 2
"""Bytes that arrive from a Hub that is held `slowly`: nothing is under way then."""


def cancel_at(wanted: CatalogModel, size: int) -> Cancelled:
    """Download until so much is here."""

    def tell(progress: Progress) -> None:
        if progress.done >= size:
            download.cancel()

    download = Download(wanted, tell, replace(FAST, stall_timeout=60.0))
    with pytest.raises(Cancelled) as caught:
        download.run()
    return caught.value


def slowly(hub: Hub) -> None:
    """Hold every connection after some chunks, so that a download can be stopped in between."""
    held = iter(range(1000))

    def fault(request: Request) -> Fault | None:
        of_bytes = request.range not in ("", "bytes=0-0")
        return Fault(stall=CHUNK // 2) if of_bytes and next(held) >= 5 else None

    hub.fault = fault


def test_a_part_counts_as_room_already_taken(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    slowly(hub)
    cancel_at(model(), BEFORE)
    hub.fault = lambda _: None
    room = len(CONTENT) - 4 * CHUNK
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("U", (), {"free": room}))
    assert pull(model()).path.read_bytes() == CONTENT


def test_cancelled_it_goes_on_and_fetches_nothing_twice(hub: Hub, tmp_path: Path) -> None:
    slowly(hub)
    stopped = cancel_at(model(), BEFORE)
    assert "are kept" in stopped.message
    assert stopped.hint == "Go on from there: sinc-tui models pull mine"
    assert parts(tmp_path)
    hub.fault = lambda _: None
    assert pull(model()).path.read_bytes() == CONTENT
    assert hub.sent == len(CONTENT), "not even the chunks that were begun"


def test_cancel_before_anything(hub: Hub) -> None:
    download = Download(model(), options=FAST)
    download.cancel()
    with pytest.raises(Cancelled):
        download.run()
    assert hub.sent == 0


@pytest.mark.parametrize("side", ["hub", "cdn"])
def test_cancel_does_not_wait_for_a_server_that_hangs(hub: Hub, side: str) -> None:
    """The server never answers, and the timeouts are long: only the cancelling can end it."""
    asked = threading.Event()

    def fault(request: Request) -> None:
        if request.side == side:
            asked.set()
            hub.released.wait(30)

    hub.fault = fault
    patient = DownloadOptions(connect_timeout=60.0, stall_timeout=60.0, interval=0.01)
    download = Download(model(), options=patient)
    threading.Thread(target=lambda: (asked.wait(30), download.cancel()), daemon=True).start()
    with pytest.raises(Cancelled):
        download.run()
    assert not hub.released.is_set()


def test_a_part_of_another_content_is_not_gone_on_with(hub: Hub, tmp_path: Path) -> None:
    hub.lfs = False
    slowly(hub)
    wanted = model_for(f"{hub.url}/web/{NAME}")
    cancel_at(wanted, BEFORE)
    hub.fault = lambda _: None
    other = write_model(tmp_path / "other.gguf").read_bytes() + bytes(len(CONTENT))
    hub.files[NAME] = other[: len(CONTENT)]
    done = pull(wanted)
    assert done.path.read_bytes() == other[: len(CONTENT)]
    assert "changed on the server" in done.notes[0]


def test_a_damaged_part_is_mended(hub: Hub, tmp_path: Path) -> None:
    """As after a power cut, when the journal was on the disk and the chunk was not."""
    slowly(hub)
    cancel_at(model(), BEFORE)
    (part,) = [path for path in parts(tmp_path) if path.name.endswith(".part")]
    whole = bytearray(part.read_bytes())
    whole[10:2000] = bytes(1990)
    part.write_bytes(whole)
    hub.fault = lambda _: None
    assert pull(model()).path.read_bytes() == CONTENT
    assert hub.sent == len(CONTENT) + CHUNK


@pytest.mark.parametrize(
    "journal", [b"", b"{", b"[]\n", b'{"version": 9}\n', b"\xff\xfe", b'{"version":1,"chunk":0}\n']
)
def test_a_journal_that_cannot_be_read_is_no_journal(
    hub: Hub, tmp_path: Path, journal: bytes
) -> None:
    slowly(hub)
    cancel_at(model(), BEFORE)
    (path,) = [path for path in parts(tmp_path) if path.name.endswith(".journal")]
    path.write_bytes(journal)
    hub.fault = lambda _: None
    assert pull(model()).path.read_bytes() == CONTENT


def test_a_torn_or_mad_journal_never_makes_a_wrong_file(hub: Hub, tmp_path: Path) -> None:
    slowly(hub)
    cancel_at(model(), BEFORE)
    (path,) = [path for path in parts(tmp_path) if path.name.endswith(".journal")]
    with path.open("ab") as file:
        file.write(b"7 123 65536\n8 0 -5\n999999 1 1\n2 0 99999999999\n3 12")
    hub.fault = lambda _: None
    assert pull(model()).path.read_bytes() == CONTENT
