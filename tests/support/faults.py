"""Downloads with one fault each, at places that a seed chooses, and what came of them.

Every fault strikes a real child process that downloads from the local Hub. Where the first try ends with
an error, or by a kill, the fault is taken away and the download goes on.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.download_child import Downloads
from tests.support.hub_server import COMMIT, Fault, Hub, Request, serving

CHUNK, CONNECTIONS = 64 << 10, 3
SIZE = 25 * CHUNK + 4321
OPTIONS = {
    "chunk": CHUNK, "connections": CONNECTIONS, "connect_timeout": 2.0, "stall_timeout": 0.3,
    "attempts": 4, "backoff": 0.01, "longest_backoff": 0.05, "longest_wait": 5.0, "interval": 0.01,
}  # fmt: skip
_FILE = "someone/models/m.gguf"
_HEAD = b"GGUF\x03\0\0\0\1\0\0\0\0\0\0\0"

Strike = Callable[[random.Random], Fault]

FAULTS: dict[str, Strike] = {
    "connection cut": lambda r: Fault(cut=r.randrange(CHUNK)),
    "nothing comes any more": lambda r: Fault(stall=r.randrange(CHUNK)),
    "body shorter than announced": lambda r: Fault(extra=r.randrange(1, 999)),
    "fewer bytes announced": lambda r: Fault(extra=-r.randrange(1, 999)),
    "another size announced": lambda r: Fault(total=r.randrange(1, 2 * SIZE)),
    "other bytes announced": lambda r: Fault(shift=r.choice([-7, 7, 4096])),
    "byte flipped": lambda r: Fault(flip=r.randrange(CHUNK)),
    "server error (5xx)": lambda r: Fault(status=r.choice([500, 502, 503, 504])),
    "too many requests (429)": lambda r: Fault(
        status=429, headers=(("Retry-After", r.choice(["0", "3600"])),)
    ),
    "redirect in a circle": lambda _: Fault(loop=True),
    "signed address expired": lambda _: Fault(expired=True),
    "file changed at the same revision": lambda r: Fault(content=content_of(r.randrange(1, 999))),
    "disk full": lambda _: Fault(),
    "kill -9": lambda _: Fault(),
}
_REPEATED = ("connection cut", "server error", "too many", "redirect", "fewer bytes")
"""Faults that may also strike every time until the first try has ended."""


@dataclass(frozen=True)
class Outcome:
    """What came of a download with a fault.

    Attributes:
        message, hint: of the error that ended the first try; empty where it got through.
        ended: whether there was a first try that ended before the file was whole.
        wrong: whether a file with another content was ever accepted.
        whole: whether the right file was there at last.
        again: bytes that were sent more than once.
    """

    kind: str
    message: str
    hint: str
    ended: bool
    wrong: bool
    whole: bool
    again: int

    @property
    def allowed(self) -> int:
        """Bytes that may be sent again: a chunk for each connection.

        Of a file with one wrong byte, nobody knows which: all of it. Where the file changes, what each
        connection has under way is of the old content, and what it asks for next is refused: two chunks.
        """
        if self.kind == "byte flipped":
            return SIZE + CHUNK
        return CHUNK * CONNECTIONS * (2 if self.kind.startswith("file changed") else 1)


def content_of(seed: int) -> bytes:
    """A file of a model's beginning and random bytes."""
    return _HEAD + random.Random(seed).randbytes(SIZE - len(_HEAD))


def strike(kind: str, seed: int, downloads: Downloads, folder: Path) -> Outcome:
    """Download with one fault of a kind, at a place that the seed chooses, until the file is whole."""
    chance = random.Random(f"{kind} {seed}")
    with serving(Hub(files={_FILE: content_of(0)})) as hub:
        return _Try(kind, chance, hub, downloads, folder).run()


class _Try:
    def __init__(
        self, kind: str, chance: random.Random, hub: Hub, downloads: Downloads, folder: Path
    ) -> None:
        self._kind, self._hub, self._downloads = kind, hub, downloads
        self._fault, self._at = FAULTS[kind](chance), chance.randrange(SIZE // CHUNK)
        self._repeated = kind.startswith(_REPEATED) and chance.random() < 0.4
        self._limit = chance.randrange(CHUNK, SIZE)
        self._stall = chance.randrange(CHUNK)
        self._requests = 0
        self._struck = threading.Event()
        self._over = False
        self._before = 0
        self._home = folder / "hub"
        pinned = kind != "file changed at the same revision"
        self._model: dict[str, Any] = {
            "name": "m", "repository": "someone/models", "commit": COMMIT if pinned else "main",
            "file": "m.gguf",
        }  # fmt: skip
        if pinned:
            content = content_of(0)
            self._model |= {
                "size": len(content), "sha256": hashlib.sha256(content).hexdigest(),
            }  # fmt: skip

    def run(self) -> Outcome:
        self._hub.fault = self._decide
        first = self._first()
        self._over = True
        self._hub.released.set()
        ended = first is None or "path" not in first
        wrong = not ended and not self._right(first)
        last = self._download() if ended else first
        return Outcome(
            kind=self._kind,
            message=(first or {}).get("message", ""),
            hint=(first or {}).get("hint", ""),
            ended=ended,
            wrong=wrong or ("path" in (last or {}) and not self._right(last)),
            whole=self._right(last),
            again=self._hub.sent - self._before - SIZE,
        )

    def _first(self) -> dict[str, Any] | None:
        if self._kind == "disk full":
            return self._download(file_limit=self._limit)
        if self._kind != "kill -9":
            return self._download()
        child = self._downloads.start(**self._request())
        assert self._struck.wait(30)
        os.kill(child, signal.SIGKILL)
        return self._downloads.result()

    def _download(self, **changes: Any) -> dict[str, Any] | None:
        return self._downloads.run(**self._request() | changes)

    def _request(self) -> dict[str, Any]:
        return {
            "url": self._hub.url, "home": str(self._home), "model": self._model, "options": OPTIONS,
        }  # fmt: skip

    def _decide(self, request: Request) -> Fault | None:
        """What happens to a request: the fault to the one that was chosen, or from then on to all."""
        if request.side != "cdn" or self._over:
            return None
        self._requests += 1
        due = self._requests - 1 - self._at
        loop = self._fault.loop and due < 7
        if due < 0 or (due > 0 and not (self._repeated or loop)):
            return None
        if self._kind == "kill -9":
            self._struck.set()
            return Fault(stall=self._stall)
        if self._fault.content is not None:
            self._before = self._hub.sent
        return self._fault

    def _right(self, answer: dict[str, Any] | None) -> bool:
        path = (answer or {}).get("path")
        return path is not None and Path(path).read_bytes() == self._hub.files[_FILE]
