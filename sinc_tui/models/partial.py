"""An unfinished download on disk: the bytes in a `.part`, what is known of them in a journal beside it.

Both survive a kill and a reboot: the journal holds a checksum of every finished chunk, written after the
chunk, and the chunks are compared with it before they count. So nothing has to be synced on the way.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

try:
    from isal.isal_zlib import crc32
except ImportError:
    from zlib import crc32

_VERSION = 1
_PIECE = 1 << 18


@dataclass(slots=True)
class Chunk:
    """A stretch of the file, from `start` to before `end` (None: to wherever the file ends).

    Attributes:
        have: bytes of it that are written; crc: their CRC-32.
        old: whether some of it comes from the journal, and is to be compared with it.
    """

    number: int
    start: int
    end: int | None
    have: int = 0
    crc: int = 0
    old: bool = False

    @property
    def at(self) -> int:
        """Where its next byte goes."""
        return self.start + self.have

    @property
    def complete(self) -> bool:
        """Whether all of it is written."""
        return self.end is not None and self.at >= self.end

    def add(self, piece: bytes) -> None:
        """Count bytes that were written at its end."""
        self.crc = crc32(piece, self.crc)
        self.have += len(piece)

    def forget(self) -> None:
        """Begin it again."""
        self.have = self.crc = 0
        self.old = False


class Partial:
    """The `.part` of one file; methods may be called from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = path.with_name(path.name + ".journal")
        self.chunks: list[Chunk] = []
        self._journal: BinaryIO | None = None
        self._lock = threading.Lock()

    def open(self, identity: str, size: int | None, chunk: int, *, ranges: bool) -> bool:
        """Take up what is there of a content, or begin anew; whether another content was thrown away.

        Without `ranges` or a size the file is one chunk, and nothing of it can be taken up. Raises `OSError`.
        """
        old = self._read()
        head: dict[str, Any] = {
            "version": _VERSION,
            "identity": identity,
            "size": size,
            "chunk": chunk,
        }
        usable = ranges and size is not None
        taken_up = usable and old is not None and _same(old[0], head)
        if taken_up and old is not None:
            head["chunk"] = old[0]["chunk"]
        step = int(head["chunk"] or 0) if usable else 0
        self.chunks = _cut(size, step)
        if taken_up and old is not None:
            for number, crc, have in old[1]:
                if 0 <= number < len(self.chunks):
                    known = self.chunks[number]
                    known.crc, known.have, known.old = crc, have, True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._forget_the_impossible()
        self._begin(head, keep=taken_up)
        return old is not None and not _same(old[0], head) and usable

    def note(self, chunk: Chunk) -> None:
        """Write down what is there of a chunk; the last word on it counts."""
        line = f"{chunk.number} {chunk.crc} {chunk.have}\n"
        with self._lock:
            if self._journal is not None:
                self._journal.write(line.encode())

    def digest(self, chunk: Chunk, hasher: Any) -> Any | None:
        """`hasher` after the chunk as it is on the disk; None where that is not what the journal says.

        What was written by this process is believed to be there; the file's hash is compared at last.
        """
        crc, left, trial = 0, chunk.have, hasher.copy()
        buffer = memoryview(bytearray(_PIECE))
        with self.path.open("rb", buffering=0) as file:
            file.seek(chunk.start)
            while left and (read := file.readinto(buffer[: min(left, _PIECE)])):
                left -= read
                piece = buffer[:read]
                crc = crc32(piece, crc) if chunk.old else chunk.crc
                trial.update(piece)
        return None if left or crc != chunk.crc else trial

    def sync(self) -> None:
        """Wait until what was written is on the disk. Raises `OSError`."""
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())

    def close(self) -> None:
        """Close the journal; what is on disk stays."""
        with self._lock:
            if self._journal is not None:
                self._journal.close()
                self._journal = None

    def finish(self, target: Path) -> None:
        """Move the whole file to its place in one step. Raises `OSError`."""
        self.close()
        target.parent.mkdir(parents=True, exist_ok=True)
        os.truncate(self.path, sum(chunk.have for chunk in self.chunks))
        self.sync()
        os.replace(self.path, target)
        self.journal.unlink(missing_ok=True)

    def delete(self) -> None:
        """Throw everything away."""
        self.close()
        self.path.unlink(missing_ok=True)
        self.journal.unlink(missing_ok=True)

    def on_disk(self) -> int:
        """Bytes of disk that it takes up."""
        with suppress(OSError):
            return allocated(self.path)
        return 0

    def _begin(self, head: dict[str, Any], *, keep: bool) -> None:
        with self.path.open("ab" if keep else "wb"):
            pass
        lines = [json.dumps(head)]
        lines += [f"{c.number} {c.crc} {c.have}" for c in self.chunks if c.have and keep]
        fresh = self.journal.with_name(self.journal.name + ".new")
        fresh.write_text("\n".join(lines) + "\n", encoding="utf-8")
        os.replace(fresh, self.journal)
        self._journal = self.journal.open("ab", buffering=0)

    def _forget_the_impossible(self) -> None:
        """A chunk that is longer than it can be, or than the file, was not written by us."""
        try:
            length = self.path.stat().st_size
        except OSError:
            length = 0
        for chunk in self.chunks:
            most = length if chunk.end is None else min(length, chunk.end)
            if not 0 <= chunk.have <= max(0, most - chunk.start):
                chunk.forget()

    def _read(self) -> tuple[dict[str, Any], list[tuple[int, int, int]]] | None:
        """Head and entries; a line that was torn is left out, by a kill the last, by a full disk any."""
        try:
            lines = self.journal.read_bytes().decode().split("\n")[:-1]
            head = json.loads(lines[0])
            if head["version"] != _VERSION or not self.path.exists() or head["chunk"] < 1:
                return None
            entries = []
            for line in lines[1:]:
                fields = line.split()
                if len(fields) == 3 and all(map(str.isdecimal, fields)):
                    entries.append((int(fields[0]), int(fields[1]), int(fields[2])))
            return head, entries
        except (OSError, ValueError, LookupError, TypeError):
            return None


def allocated(path: Path) -> int:
    """Bytes of disk that a file takes up; a file with holes takes less than its length."""
    stat = path.stat()
    blocks: int | None = getattr(stat, "st_blocks", None)
    return stat.st_size if blocks is None else blocks * 512


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two heads are of the same content; one that has no name never is."""
    keys = ("identity", "size")
    return bool(one["identity"]) and all(one[key] == other[key] for key in keys)


def _cut(size: int | None, step: int) -> list[Chunk]:
    if size is None or not step:
        return [Chunk(0, 0, size)]
    starts = range(0, size, step)
    return [Chunk(n, start, min(start + step, size)) for n, start in enumerate(starts)]
