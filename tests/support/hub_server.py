"""A local server that speaks the Hugging Face Hub's protocol, and misbehaves when it is told to.

Two addresses: the Hub's own, which knows commits, hashes and who may have what, and redirects to the
CDN's, which holds the bytes behind signed addresses that expire. `/web/` of the first is a plain server.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
Content = bytes | Path
"""What a file holds; a path for files that are too large for memory."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer.

    Attributes:
        status, headers: the answer is this and no more.
        cut: bytes of the body after which the connection is closed.
        stall: bytes of the body after which nothing comes any more.
        flip: number of the body's byte that is sent inverted.
        extra: bytes that the headers promise more than there are (negative: fewer).
        total: what Content-Range says that the file has; shift: where it says that the part begins.
        whole: the whole file is sent although a part was asked for.
        loop: the answer redirects to itself.
        content: from now on the file holds this.
    """

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    cut: int | None = None
    stall: int | None = None
    flip: int | None = None
    extra: int = 0
    total: int | None = None
    shift: int = 0
    whole: bool = False
    loop: bool = False
    expired: bool = False
    content: Content | None = None


@dataclass
class Request:
    """A request as it was served; `sent` counts bytes of the body."""

    side: str
    method: str
    path: str
    range: str
    authorization: str
    sent: int = 0

    @property
    def line(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


class Line:
    """A line of limited speed that all connections share."""

    def __init__(self) -> None:
        self._free_at, self._lock = 0.0, threading.Lock()

    def wait(self, size: int, rate: float) -> None:
        """Until so many bytes can be sent."""
        with self._lock:
            start = max(self._free_at, time.monotonic())
            self._free_at = start + size / rate
        time.sleep(max(0.0, start - time.monotonic()))


@dataclass
class Hub:
    """What the server holds and how it behaves.

    Attributes:
        files: content by `owner/name/file`; hashes: their sha256 where they are too large to be read.
        gated: repositories that ask for an agreement; private: those that ask for `token`.
        own_bytes: whether the Hub sends the bytes itself, as a mirror may.
        ranges: whether parts are served; lfs: whether the Hub tells the sha256.
        rate: bytes a second of all connections together, as of a line; 0: no limit.
        signature: the one that the CDN takes now; a higher one makes older addresses expire.
        fault: asked about every request that is answered.
        served: all requests; released: set it to end what is stalled.
    """

    url: str = ""
    cdn: str = ""
    files: dict[str, Content] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
    token: str = ""
    commit: str = COMMIT
    ranges: bool = True
    lfs: bool = True
    etags: bool = True
    own_bytes: bool = False
    rate: float = 0.0
    line: Line = field(default_factory=lambda: Line())
    signature: int = 1
    fault: Callable[[Request], Fault | None] = lambda _: None
    served: list[Request] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def sent(self) -> int:
        """Bytes of bodies that were sent."""
        return sum(request.sent for request in self.served)

    def etag(self, name: str) -> str:
        """The sha256 of a file, or an ETag that is none."""
        digest = self.hashes.get(name)
        if digest is None:
            content = self.files[name]
            data = content if isinstance(content, bytes) else content.read_bytes()
            digest = hashlib.sha256(data).hexdigest()
        return digest if self.lfs else digest[:40]

    def size(self, name: str) -> int:
        """Bytes of a file."""
        content = self.files[name]
        return len(content) if isinstance(content, bytes) else content.stat().st_size


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Run both servers until the block ends; `hub.url` and `hub.cdn` are their addresses."""
    handlers = type("HubHandler", (_Handler,), {"hub": hub, "side": "hub"})
    cdn_handlers = type("CdnHandler", (_Handler,), {"hub": hub, "side": "cdn"})
    servers = [_Server(("127.0.0.1", 0), handler) for handler in (handlers, cdn_handlers)]
    hub.url = f"http://127.0.0.1:{servers[0].server_port}"
    hub.cdn = f"http://localhost:{servers[1].server_port}"
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True).start()
    try:
        yield hub
    finally:
        hub.released.set()
        for server in servers:
            server.shutdown()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Clients that go away are the point of these tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    hub: Hub
    side: str

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None: ...

    def _answer(self) -> None:
        headers = self.headers
        request = Request(
            self.side,
            self.command,
            self.path,
            headers.get("Range", ""),
            headers.get("Authorization", ""),
        )
        self.hub.served.append(request)
        fault = self.hub.fault(request) or Fault()
        if fault.content is not None:
            self.hub.files[self._name()] = fault.content
        if fault.expired:
            self.hub.signature += 1
        if fault.loop:
            self._refuse(302, ("Location", self.path))
        elif fault.status:
            self._refuse(fault.status, *fault.headers)
        elif self.side == "hub" and not self.path.startswith("/web/"):
            self._resolve(request, fault)
        else:
            self._bytes(request, fault)

    def _name(self) -> str:
        parts = urlsplit(self.path).path.strip("/").split("/")
        direct = self.side == "cdn" or parts[0] == "web"
        return "/".join(parts[1:] if direct else [*parts[:2], *parts[4:]])

    def _resolve(self, request: Request, fault: Fault) -> None:
        """The Hub's word on a file: refused, or where its bytes are."""
        hub, name = self.hub, self._name()
        repository = "/".join(name.split("/")[:2])
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        known = any(other.startswith(repository + "/") for other in hub.files)
        if repository in hub.gated:
            self._refuse(403, ("X-Error-Code", "GatedRepo"))
        elif repository in hub.private and bearer != hub.token:
            self._refuse(401, ("X-Error-Code", "RepoNotFound"))
        elif name not in hub.files:
            self._refuse(404, ("X-Error-Code", "EntryNotFound" if known else "RepoNotFound"))
        elif hub.own_bytes:
            self._bytes(request, fault)
        else:
            self._refuse(
                302,
                ("Location", f"{hub.cdn}/cdn/{name}?signature={hub.signature}"),
                ("X-Repo-Commit", hub.commit),
                ("X-Linked-Size", str(hub.size(name))),
                ("X-Linked-Etag", f'"{hub.etag(name)}"'),
            )

    def _refuse(self, code: int, *headers: tuple[str, str]) -> None:
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _bytes(self, request: Request, fault: Fault) -> None:
        hub, name = self.hub, self._name()
        signature = parse_qs(urlsplit(self.path).query).get("signature", ["0"])[0]
        if self.side == "cdn" and int(signature) < hub.signature:
            self._refuse(403)
            return
        if name not in hub.files:
            self._refuse(404)
            return
        size = hub.size(name)
        first, end = 0, size
        part = bool(request.range) and hub.ranges and not fault.whole
        if part:
            low, _, high = request.range.removeprefix("bytes=").partition("-")
            first, end = int(low), min(int(high) + 1 if high else size, size)
        if first >= size:
            self._refuse(416, ("Content-Range", f"bytes */{size}"))
            return
        self.send_response(206 if part else 200)
        if hub.own_bytes:
            self.send_header("X-Repo-Commit", hub.commit)
        if hub.etags:
            self.send_header("ETag", f'"{hub.etag(name)}"')
        if part:
            total = size if fault.total is None else fault.total
            self.send_header("Content-Range", f"bytes {first + fault.shift}-{end - 1}/{total}")
        self.send_header("Content-Length", str(end - first + fault.extra))
        self.end_headers()
        if request.method == "GET":
            self._body(request, hub.files[name], first, end, fault)

    def _body(self, request: Request, content: Content, first: int, end: int, fault: Fault) -> None:
        stop = min(end, first + min(_or(fault.cut, end), _or(fault.stall, end)))
        if fault.extra < 0:
            stop = min(stop, end + fault.extra)
        with suppress(OSError):
            self._send(request, content, first, stop, fault.flip)
        if fault.stall is not None:
            self.hub.released.wait(30)
        if stop < end or fault.extra > 0:
            self.close_connection = True

    def _send(
        self, request: Request, content: Content, first: int, stop: int, flip: int | None
    ) -> None:
        if isinstance(content, Path):
            with content.open("rb") as file:
                while first < stop:
                    most = min(stop - first, 1 << 18 if self.hub.rate else 1 << 22)
                    if self.hub.rate:
                        self.hub.line.wait(most, self.hub.rate)
                    sent = os.sendfile(self.connection.fileno(), file.fileno(), first, most)
                    first, request.sent = first + sent, request.sent + sent
            return
        body = bytearray(content[first:stop])
        if flip is not None and body:
            body[flip % len(body)] ^= 0xFF
        view = memoryview(body)
        while view:
            sent = self.connection.send(view[: 1 << 16])
            view, request.sent = view[sent:], request.sent + sent


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description="Serve one large file as the Hub does.")
    parser.add_argument("name", help="owner/repository/file")
    parser.add_argument("path", type=Path)
    parser.add_argument("sha256")
    parser.add_argument("--commit", default=COMMIT)
    parser.add_argument("--rate", type=float, default=0.0, help="MB/s of all connections")
    asked = parser.parse_args()
    one = Hub(files={asked.name: asked.path}, hashes={asked.name: asked.sha256})
    one.commit, one.rate = asked.commit, asked.rate * 1e6
    with serving(one) as running:
        print(running.url, running.cdn, flush=True)
        while True:
            time.sleep(3600)
