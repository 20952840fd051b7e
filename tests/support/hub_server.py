"""A local server that speaks as much of the Hugging Face Hub's protocol as a download needs."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What the server holds and how it behaves.

    Attributes:
        files: content by `owner/name/file`.
        gated: repositories that ask for an agreement.
        cut: bytes of a body after which the connection is closed, once.
        served: method and path of every request.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    cut: int | None = None
    served: list[str] = field(default_factory=list)


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Run the server until the block ends; `hub.url` is its address, whose CDN path holds the bytes."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def log_message(self, *_: object) -> None: ...

        def _answer(self, *, body: bool) -> None:
            hub.served.append(f"{self.command} {self.path}")
            parts = self.path.strip("/").split("/")
            if parts[0] == "cdn":
                self._bytes("/".join(parts[1:]), body=body)
                return
            repository, file = "/".join(parts[:2]), "/".join(parts[4:])
            content = hub.files.get(f"{repository}/{file}")
            if repository in hub.gated:
                self._refuse(403, "GatedRepo")
            elif content is None:
                known = any(name.startswith(repository + "/") for name in hub.files)
                self._refuse(404, "EntryNotFound" if known else "RepoNotFound")
            else:
                self.send_response(302)
                cdn = hub.url.replace("127.0.0.1", "localhost")  # another host, as with the Hub
                self.send_header("Location", f"{cdn}/cdn/{repository}/{file}")
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("X-Linked-Size", str(len(content)))
                self.send_header("X-Linked-Etag", f'"{hashlib.sha256(content).hexdigest()}"')
                self.send_header("Content-Length", "0")
                self.end_headers()

        def _refuse(self, code: int, reason: str) -> None:
            self.send_response(code)
            self.send_header("X-Error-Code", reason)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _bytes(self, name: str, *, body: bool) -> None:
            content = hub.files[name]
            start = 0
            if wanted := self.headers.get("Range"):
                start = int(wanted.removeprefix("bytes=").split("-")[0])
            self.send_response(206 if wanted else 200)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("Accept-Ranges", "bytes")
            if wanted:
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}"
                )
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            if not body:
                return
            if hub.cut is not None:
                self.wfile.write(content[start : start + hub.cut])
                hub.cut = None
                self.close_connection = True
                return
            self.wfile.write(content[start:])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
