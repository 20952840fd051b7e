"""The head of a GGUF file, metadata and the table of tensors, read without llama.cpp.

Nothing in the file is believed before it is compared with what the file is long enough for.
"""

from __future__ import annotations

import functools
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAGIC = b"GGUF"
SIZE = 24
"""Bytes of magic, version, tensor count and metadata count."""
VERSIONS = (2, 3)
_SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_STRING, _ARRAY = 8, 9
_MOST = 1 << 20
"""Tensors, entries of metadata or words, beyond which a file is not believed."""
_LONG_LIST = 4096
"""From this length on, only the length of a list of numbers is kept."""
_MOST_DIMENSIONS = 4
_LONGEST_NAME = 63
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110),
    22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8),
    29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip
"""Numbers in a block, and the block's bytes, by the number of the tensor type (ggml.h)."""


class Damage(ValueError):
    """What is wrong with a file, words that follow 'it'."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor's entry: `offset` from the start of the data, `size` in bytes (None: a type unknown here)."""

    kind: int
    shape: tuple[int, ...]
    offset: int
    size: int | None


@dataclass(frozen=True, slots=True)
class Head:
    """Metadata (of a list of strings, or a long list, only its length) and tensors; `data` bytes follow."""

    metadata: dict[str, Any]
    tensors: dict[str, Tensor]
    data: int
    alignment: int


def read_head(path: Path) -> Head:
    """The head; raises `Damage`, or `OSError`. Read once as long as the file does not change."""
    stat = path.stat()
    return _read(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _read(path: Path, size: int, _mtime: int) -> Head:
    if size < SIZE:
        raise Damage("ends within its first bytes")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return _parse(data)
        except (struct.error, IndexError):
            raise Damage("ends within its head") from None


def _parse(data: mmap.mmap) -> Head:
    cursor = _Cursor(data, 8)
    n_tensors, n_entries = cursor.scalar("Q"), cursor.scalar("Q")
    if max(n_tensors, n_entries) > _MOST:
        raise Damage(f"claims to hold {n_tensors:,} tensors and {n_entries:,} entries of metadata")
    metadata: dict[str, Any] = {}
    for _ in range(n_entries):
        key = cursor.text()
        if not key or key in metadata:
            raise Damage(f"holds the key {key[:60]!r} twice" if key else "holds an empty key")
        metadata[key] = cursor.value(cursor.scalar("I"))
    tensors: dict[str, Tensor] = {}
    for _ in range(n_tensors):
        name = cursor.text()
        if name in tensors or len(name.encode()) > _LONGEST_NAME:
            raise Damage(f"holds a tensor {name[:60]!r} twice, or one whose name is too long")
        tensors[name] = cursor.tensor(name)
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
        raise Damage(f"aligns its tensors to {alignment!r} bytes, which is no power of two")
    begin = -(-cursor.at // alignment) * alignment
    return Head(metadata, tensors, len(data) - begin, alignment)


class _Cursor:
    """Reads values one after the other; raises `struct.error` or `Damage` past the end."""

    def __init__(self, data: mmap.mmap, at: int) -> None:
        self._data, self.at = data, at

    def scalar(self, code: str) -> Any:
        (value,) = struct.unpack_from("<" + code, self._data, self.at)
        self.at += struct.calcsize("<" + code)
        return value

    def text(self) -> str:
        length = self.scalar("Q")
        self._skip(length)
        return self._data[self.at - length : self.at].decode(errors="replace")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY:
            return self.scalar(self._code(kind))
        inner, count = self.scalar("I"), self.scalar("Q")
        if inner == _STRING:
            if count > _MOST:
                raise Damage(f"claims to hold a list of {count:,} words")
            self._skip_strings(count)
            return count
        code = self._code(inner)
        if count >= _LONG_LIST:
            self._skip(count * struct.calcsize("<" + code))
            return count
        return [self.scalar(code) for _ in range(count)]

    def tensor(self, name: str) -> Tensor:
        dimensions = self.scalar("I")
        if not 1 <= dimensions <= _MOST_DIMENSIONS:
            raise Damage(f"gives the tensor {name[:60]!r} {dimensions:,} dimensions")
        shape = tuple(self.scalar("q") for _ in range(dimensions))
        kind, offset = self.scalar("I"), self.scalar("Q")
        numbers = 1
        for length in shape:
            numbers *= length
            if length < 1 or numbers > 1 << 62:
                raise Damage(f"gives the tensor {name[:60]!r} the size {shape}")
        block = _BLOCKS.get(kind)
        if block is not None and shape[0] % block[0]:
            raise Damage(f"gives the tensor {name[:60]!r} rows that its type cannot hold")
        return Tensor(kind, shape, offset, numbers // block[0] * block[1] if block else None)

    def _code(self, kind: int) -> str:
        code = _SCALARS.get(kind)
        if code is None:
            raise Damage(f"holds a value of the unknown kind {kind:,}")
        return code

    def _skip(self, length: int) -> None:
        if self.at + length > len(self._data):
            raise Damage("ends within its head, or claims a length that it cannot have")
        self.at += length

    def _skip_strings(self, count: int) -> None:
        unpack, data, at = struct.Struct("<Q").unpack_from, self._data, self.at
        for _ in range(count):
            at += 8 + unpack(data, at)[0]
        self.at = at
        self._skip(0)
