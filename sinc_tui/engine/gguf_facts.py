"""What a model needs of a machine, read from the head of its file without llama.cpp."""

from __future__ import annotations

import mmap
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
_LAYER = re.compile(r"blk\.(\d+)\.")
_PART = re.compile(r"(?P<stem>.*)-00001-of-(?P<count>\d{5})\.gguf")
_MOST = 1 << 20
"""Tensors, layers, words or entries of metadata, beyond which a file is not believed."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Sizes of a model; bytes where nothing else is said.

    Attributes:
        size: all tensors.
        layers: the tensors of each layer.
        output: the output matrix with its norm, a copy of the embeddings where the model ties them.
        kv_elements: numbers that one layer keeps for one token.
        heads, width, feed_forward, vocabulary: of the model, as counts.
        n_ctx_train: the longest context it was trained on, in tokens.
    """

    size: int
    layers: tuple[int, ...]
    output: int
    kv_elements: int
    heads: int
    width: int
    feed_forward: int
    vocabulary: int
    n_ctx_train: int


def read_facts(path: Path) -> ModelFacts | None:
    """The facts of a model and its other parts; None when the file does not tell them."""
    try:
        metadata: dict[str, Any] = {}
        tensors: dict[str, int] = {}
        for part in model_parts(path):
            more, sizes = _read_head(part)
            metadata = more | metadata
            tensors |= sizes
        return _facts(metadata, tensors)
    except (OSError, ValueError, LookupError, TypeError, ArithmeticError, struct.error):
        return None


def model_parts(path: Path) -> list[Path]:
    """The files of a model that is named by its first, or its only, file."""
    match = _PART.fullmatch(path.name)
    if match is None:
        return [path]
    stem, count = match["stem"], match["count"]
    return [path.with_name(f"{stem}-{i:05}-of-{count}.gguf") for i in range(1, int(count) + 1)]


def _facts(metadata: dict[str, Any], tensors: dict[str, int]) -> ModelFacts:
    arch = metadata["general.architecture"]

    def number(key: str, default: int | None = None) -> int:
        value: Any = metadata.get(f"{arch}.{key}", default)
        return max(value) if isinstance(value, list) else int(value)

    layers = [0] * _believable(number("block_count"))
    for name, size in tensors.items():
        if match := _LAYER.match(name):
            layers[int(match[1])] += size
    output = sum(size for name, size in tensors.items() if name.startswith("output"))
    if "output.weight" not in tensors:
        output += tensors["token_embd.weight"]
    width, heads = number("embedding_length"), number("attention.head_count")
    key = number("attention.key_length", width // heads)
    value = number("attention.value_length", width // heads)
    return ModelFacts(
        size=sum(tensors.values()),
        layers=tuple(layers),
        output=output,
        kv_elements=number("attention.head_count_kv", heads) * (key + value),
        heads=heads,
        width=width,
        feed_forward=number("feed_forward_length", 4 * width),
        vocabulary=number("vocab_size", metadata.get("tokenizer.ggml.tokens", 0)),
        n_ctx_train=number("context_length"),
    )


def _read_head(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """Metadata (of a list of strings only its length) and the bytes of each tensor."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:4] != b"GGUF":
            raise ValueError("no GGUF")
        cursor = _Cursor(data, 8)
        n_tensors, n_entries = cursor.scalar("Q"), cursor.scalar("Q")
        entries = range(_believable(n_entries))
        metadata = {cursor.text(): cursor.value(cursor.scalar("I")) for _ in entries}
        offsets = {}
        for _ in range(_believable(n_tensors)):
            name = cursor.text()
            dimensions = cursor.scalar("I")
            cursor.at += 8 * dimensions + 4
            offsets[name] = cursor.scalar("Q")
        alignment = int(metadata.get("general.alignment", 32))
        begin = -(-cursor.at // alignment) * alignment
        return metadata, _sizes(offsets, len(data) - begin)


def _believable(count: int) -> int:
    if count > _MOST:
        raise ValueError("an absurd count")
    return count


def _sizes(offsets: dict[str, int], end: int) -> dict[str, int]:
    """Bytes from each tensor's offset to the next one's; the types need not be known."""
    names = sorted(offsets, key=offsets.__getitem__)
    if names and offsets[names[-1]] >= end:
        raise ValueError("a tensor past the end")
    ends = [*(offsets[name] for name in names[1:]), end]
    return {name: after - offsets[name] for name, after in zip(names, ends, strict=True)}


class _Cursor:
    """Reads values one after the other; raises `struct.error` or `ValueError` past the end."""

    def __init__(self, data: mmap.mmap, at: int) -> None:
        self._data, self.at = data, at

    def scalar(self, code: str) -> Any:
        (value,) = struct.unpack_from("<" + code, self._data, self.at)
        self.at += struct.calcsize("<" + code)
        return value

    def text(self) -> str:
        length = self.scalar("Q")
        if self.at + length > len(self._data):
            raise ValueError("a string past the end")
        self.at += length
        return self._data[self.at - length : self.at].decode(errors="replace")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY:
            return self.scalar(_SCALARS[kind])
        inner, count = self.scalar("I"), self.scalar("Q")
        if inner == _STRING:
            self._skip_strings(_believable(count))
            return count
        values = [self.scalar(_SCALARS[inner]) for _ in range(count)] if count < 4096 else count
        if count >= 4096:
            self.at += count * struct.calcsize("<" + _SCALARS[inner])
        return values

    def _skip_strings(self, count: int) -> None:
        unpack, data, at = struct.Struct("<Q").unpack_from, self._data, self.at
        for _ in range(count):
            at += 8 + unpack(data, at)[0]
        self.at = at
