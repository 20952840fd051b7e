"""The connections of downloads: proxies of the environment, and being cut from another thread."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from sinc_tui.models.wire import Retry, Wire, pieces

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbo"
NO = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"


class Peer:
    """A server that notes what it is asked, and says the same to everybody."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.answered = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._connections: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._connections.append(connection)
            head = b""
            while b"\r\n\r\n" not in head and (more := connection.recv(4096)):
                head += more
            self.asked.append(head.decode())
            connection.sendall(self.answer)
            self.answered.set()

    def close(self) -> None:
        for each in (self._socket, *self._connections):
            each.close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    with closing(Wire(5, 30)) as made:
        yield made


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_a_proxy_of_the_environment(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Peer(ANSWER)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://me:secret@{proxy.address}")
        with wire.get("http://models.invalid/m.gguf", {}) as response:
            assert b"".join(pieces(response)) == b"body"
        (asked,) = proxy.asked
        assert asked.startswith("GET http://models.invalid/m.gguf HTTP/1.1\r\n")
        user = base64.b64encode(b"me:secret").decode()
        assert f"proxy-authorization: basic {user}".lower() in asked.lower()


def test_a_proxy_for_https(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Peer(NO)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address)
        with (
            pytest.raises(Retry, match="403"),
            wire.get("https://models.invalid/m", {"authorization": "Bearer x"}),
        ):
            pytest.fail("there is no answer")
        (asked,) = proxy.asked
        assert asked.startswith("CONNECT models.invalid:443 HTTP/1")
        assert "Bearer" not in asked


def test_no_proxy(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Peer(ANSWER)) as server, closing(Peer(NO)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy.address}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with wire.get(f"http://{server.address}/m", {}) as response:
            assert response.status == 200
        assert not proxy.asked
        assert server.asked[0].startswith("GET /m HTTP/1.1\r\n")


def test_cut_while_it_waits_for_an_answer(wire: Wire) -> None:
    with closing(Peer(b"")) as server:
        cutter = threading.Thread(target=lambda: server.answered.wait() and wire.cut())
        cutter.start()
        with pytest.raises(Retry, match="cut"), wire.get(f"http://{server.address}/m", {}):
            pytest.fail("there is no answer")
        cutter.join()


def test_cut_in_the_middle_of_a_body(wire: Wire) -> None:
    arrived: list[bytes] = []
    begun = threading.Event()

    def read(url: str) -> None:
        with wire.get(url, {}) as response:
            for piece in pieces(response):
                arrived.append(piece)
                begun.set()

    cutter = threading.Thread(target=lambda: begun.wait() and wire.cut())
    cutter.start()
    with closing(Peer(HALF)) as server, pytest.raises(Retry, match="cut"):
        read(f"http://{server.address}/m")
    cutter.join()
    assert b"".join(arrived) == b"bo"


def test_nothing_begins_after_the_cut(wire: Wire) -> None:
    wire.cut()
    with (
        closing(Peer(ANSWER)) as server,
        pytest.raises(Retry),
        wire.get(f"http://{server.address}/m", {}),
    ):
        pytest.fail("there is no answer")


def test_what_cannot_be_reached_says_why(wire: Wire) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        url = "http://{}:{}/m".format(*silent.getsockname())
        with pytest.raises(Retry) as caught, wire.get(url, {}):
            pytest.fail("there is no answer")
    assert caught.value.reason.startswith("no connection (")
    assert "refused" in caught.value.reason
