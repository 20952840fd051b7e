"""The connections of downloads: proxies of the environment, and being cut from another thread."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import trustme

from sinc_tui.models.wire import Retry, Wire, _certificates, pieces

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbo"
NO = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"


class Peer:
    """A server that notes what it is asked, and says the same to everybody, on `tls` encrypted.

    To a CONNECT it becomes a tunnel, unless its answer is a refusal.
    """

    def __init__(self, answer: bytes, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self._tls = tls
        self.asked: list[str] = []
        self.answered = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._connections: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self._connections.append(connection)
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._connections.append(connection)
            head = b""
            while b"\r\n\r\n" not in head and (more := connection.recv(4096)):
                head += more
            self.asked.append(head.decode())
            if head.startswith(b"CONNECT") and self.answer == ANSWER:
                self._tunnel(connection, head.split()[1].decode())
                return
            connection.sendall(self.answer)
            self.answered.set()

    def _tunnel(self, connection: socket.socket, target: str) -> None:
        host, _, port = target.rpartition(":")
        other = socket.create_connection((host, int(port)))
        self._connections.append(other)
        connection.sendall(b"HTTP/1.1 200 Go on\r\n\r\n")
        back = threading.Thread(target=_relay, args=(other, connection), daemon=True)
        back.start()
        _relay(connection, other)

    def close(self) -> None:
        for each in (self._socket, *self._connections):
            each.close()


def _relay(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(4096):
            target.sendall(piece)


@pytest.fixture
def wire() -> Iterator[Wire]:
    with closing(Wire(5, 30)) as made:
        yield made


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[trustme.CA]:
    """Who vouches for servers in this test, as the environment says."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    _certificates.cache_clear()
    yield made
    _certificates.cache_clear()


def vouched_for(authority: trustme.CA) -> ssl.SSLContext:
    """What a server at 127.0.0.1 needs to be believed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_a_proxy_of_the_environment(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Peer(ANSWER)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://me:s%40cr%E2%82%ACt@{proxy.address}")
        with wire.get("http://models.invalid/m.gguf", {}) as response:
            assert b"".join(pieces(response)) == b"body"
        (asked,) = proxy.asked
        assert asked.startswith("GET http://models.invalid/m.gguf HTTP/1.1\r\n")
        user = base64.b64encode("me:s@cr€t".encode()).decode()
        assert f"proxy-authorization: Basic {user}" in asked


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


@pytest.mark.parametrize("encrypted", [False, True])
def test_through_a_proxy_to_an_encrypted_server(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, encrypted: bool
) -> None:
    tls = vouched_for(authority)
    with (
        closing(Peer(ANSWER, tls)) as server,
        closing(Peer(ANSWER, tls if encrypted else None)) as proxy,
    ):
        scheme = "https" if encrypted else "http"
        monkeypatch.setenv("https_proxy", f"{scheme}://{proxy.address}")
        with wire.get(f"https://{server.address}/m", {"authorization": "Bearer x"}) as response:
            assert b"".join(pieces(response)) == b"body"
        assert "Bearer" in server.asked[0]
        assert "Bearer" not in proxy.asked[0]
        wire.cut()


@pytest.mark.parametrize("direct", ["127.0.0.1", "127.0.0.0/8", "x.invalid, 127.0.0.1"])
def test_no_proxy(wire: Wire, monkeypatch: pytest.MonkeyPatch, direct: str) -> None:
    with closing(Peer(ANSWER)) as server, closing(Peer(NO)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy.address}")
        monkeypatch.setenv("no_proxy", direct)
        with wire.get(f"http://{server.address}/m", {}) as response:
            assert response.status == 200
        assert not proxy.asked
        assert server.asked[0].startswith("GET /m HTTP/1.1\r\n")


def test_a_proxy_that_is_not_there(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:1")
    with pytest.raises(Retry) as caught, wire.get("http://models.invalid/m", {}):
        pytest.fail("there is no answer")
    assert caught.value.reason.startswith("no connection by way of the proxy ([Errno")


def test_a_server_that_nobody_vouches_for(wire: Wire, authority: trustme.CA) -> None:
    assert authority
    with (
        closing(Peer(ANSWER, vouched_for(trustme.CA()))) as server,
        pytest.raises(Retry, match="certificate verify failed"),
        wire.get(f"https://{server.address}/m", {}),
    ):
        pytest.fail("there is no answer")
    assert not server.asked


def test_an_address_stays_as_it_is(wire: Wire) -> None:
    with closing(Peer(ANSWER)) as server:
        with wire.get(f"http://{server.address}/a%20b?sig=x%2Fy%3D&share=100%", {}):
            pass
        assert server.asked[0].startswith("GET /a%20b?sig=x%2Fy%3D&share=100%25 HTTP")


def test_cut_while_it_waits_for_an_answer(wire: Wire) -> None:
    with closing(Peer(b"")) as server:
        cutter = threading.Thread(target=lambda: server.answered.wait() and wire.cut())
        cutter.start()
        with pytest.raises(Retry, match="cut"), wire.get(f"http://{server.address}/m", {}):
            pytest.fail("there is no answer")
        cutter.join()


@pytest.mark.parametrize("encrypted", [False, True])
def test_cut_in_the_middle_of_a_body(wire: Wire, authority: trustme.CA, encrypted: bool) -> None:
    tls = vouched_for(authority) if encrypted else None
    arrived: list[bytes] = []
    begun = threading.Event()

    def read(url: str) -> None:
        with wire.get(url, {}) as response:
            for piece in pieces(response):
                arrived.append(piece)
                begun.set()

    cutter = threading.Thread(target=lambda: begun.wait() and wire.cut())
    cutter.start()
    with closing(Peer(HALF, tls)) as server, pytest.raises(Retry, match="cut"):
        read(f"{'https' if encrypted else 'http'}://{server.address}/m")
    cutter.join()
    assert b"".join(arrived) == b"bo"


def test_cut_while_a_proxy_says_nothing(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Peer(b"")) as proxy:
        monkeypatch.setenv("https_proxy", f"http://{proxy.address}")
        cutter = threading.Thread(target=lambda: proxy.answered.wait() and wire.cut())
        cutter.start()
        with pytest.raises(Retry), wire.get("https://models.invalid/m", {}):
            pytest.fail("there is no answer")
        cutter.join()
        assert proxy.asked


def test_nothing_begins_after_the_cut(wire: Wire) -> None:
    wire.cut()
    with closing(Peer(ANSWER)) as server:
        with pytest.raises(Retry, match="cut"), wire.get(f"http://{server.address}/m", {}):
            pytest.fail("there is no answer")
        assert not server.asked


def test_what_cannot_be_reached_says_why(wire: Wire) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        url = "http://{}:{}/m".format(*silent.getsockname())
        with pytest.raises(Retry) as caught, wire.get(url, {}):
            pytest.fail("there is no answer")
    assert caught.value.reason.startswith("no connection (")
    assert "refused" in caught.value.reason
