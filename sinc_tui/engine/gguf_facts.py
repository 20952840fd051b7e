"""What a model needs of a machine, read from the head of its file without llama.cpp."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sinc_tui.engine.gguf_head import Head, read_head

_LAYER = re.compile(r"blk\.(\d+)\.")
_PART = re.compile(r"(?P<stem>.*)-00001-of-(?P<count>\d{5})\.gguf")
_MOST = 1 << 20
"""Layers beyond which a file is not believed."""


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
            head = read_head(part)
            metadata = head.metadata | metadata
            tensors |= _sizes(head)
        return _facts(metadata, tensors)
    except (OSError, ValueError, LookupError, TypeError, ArithmeticError):
        return None


def share_in(path: Path, kinds: Collection[int]) -> float:
    """The share of the bytes of a model's layers, 0 to 1, that is in some of ggml's types; 0 when the file
    does not tell."""
    with suppress(OSError, ValueError):
        tensors = [t for name, t in read_head(path).tensors.items() if _LAYER.match(name)]
        whole = sum(tensor.size or 0 for tensor in tensors)
        part = sum(tensor.size or 0 for tensor in tensors if tensor.kind in kinds)
        return part / whole if whole else 0.0
    return 0.0


def architecture(path: Path) -> str:
    """The kind of model that a file says it is, `unknown` where it does not tell."""
    with suppress(OSError, ValueError):
        return str(read_head(path).metadata.get("general.architecture", "unknown"))
    return "unknown"


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


def _sizes(head: Head) -> dict[str, int]:
    """Bytes from each tensor's offset to the next one's; the types need not be known."""
    tensors, end = head.tensors, head.data
    names = sorted(tensors, key=lambda name: tensors[name].offset)
    if names and tensors[names[-1]].offset >= end:
        raise ValueError("a tensor past the end")
    ends = [*(tensors[name].offset for name in names[1:]), end]
    return {name: after - tensors[name].offset for name, after in zip(names, ends, strict=True)}


def _believable(count: int) -> int:
    if count > _MOST:
        raise ValueError("an absurd count")
    return count
