"""A model of some kilobytes that llama.cpp loads, and the many ways in which such a file can be broken."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np

WIDTH, LAYERS, HEADS, FORWARD = 64, 2, 4, 128


def write_model(
    path: Path, *, architecture: str = "llama", kind: str = "model", **changes: int
) -> Path:
    """A model of random weights with a vocabulary of the 256 bytes; `changes` are of its sizes."""
    sizes = {
        "context_length": 4096, "embedding_length": WIDTH, "block_count": LAYERS,
        "feed_forward_length": FORWARD, "attention.head_count": HEADS, "attention.head_count_kv": HEADS,
        "rope.dimension_count": WIDTH // HEADS,
    } | {key.replace("__", "."): value for key, value in changes.items()}  # fmt: skip
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type(kind)
    for key, value in sizes.items():
        writer.add_uint32(f"{architecture}.{key}", value)
    writer.add_layer_norm_rms_eps(1e-5)
    tokens, types = _vocabulary()
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    random_numbers = np.random.default_rng(0)

    def add(name: str, *shape: int) -> None:
        writer.add_tensor(name, random_numbers.normal(0, 0.1, shape).astype(np.float32))

    add("token_embd.weight", len(tokens), WIDTH)
    add("output_norm.weight", WIDTH)
    for n in range(LAYERS):
        for norm in ("attn_norm", "ffn_norm"):
            add(f"blk.{n}.{norm}.weight", WIDTH)
        for matrix in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"blk.{n}.{matrix}.weight", WIDTH, WIDTH)
        for matrix in ("ffn_gate", "ffn_up"):
            add(f"blk.{n}.{matrix}.weight", FORWARD, WIDTH)
        add(f"blk.{n}.ffn_down.weight", WIDTH, FORWARD)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _vocabulary() -> tuple[list[str], list[int]]:
    """An end-of-text token, and the bytes as byte-level BPE writes them."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    characters = [chr(byte) for byte in printable] + [chr(256 + n) for n in range(len(others))]
    return ["<|endoftext|>", *characters], [3] + [1] * 256


def broken(folder: Path) -> Iterator[tuple[str, bytes]]:
    """What is wrong, and a file's content, some sixty of each, the same ones each time."""
    whole = write_model(folder / "whole.gguf").read_bytes()
    yield from _cut(whole)
    yield from _counts(whole)
    yield from _values(whole)
    yield from _tensors(whole)
    yield from _sizes(folder)
    yield from _others(whole)


def _cut(whole: bytes) -> Iterator[tuple[str, bytes]]:
    head = whole.index(b"blk.1.ffn_down.weight") + 60
    numbers = random.Random(5)
    places = [0, 1, 4, 12, 23, 24, 40, head // 3, head - 8, head, len(whole) - 1]
    places += [numbers.randrange(24, head) for _ in range(3)]
    places += [numbers.randrange(head, len(whole)) for _ in range(3)]
    for place in places:
        yield f"cut at {place}", whole[:place]
    yield (
        "zero bytes after a quarter of the head",
        whole[: head // 4] + bytes(len(whole) - head // 4),
    )
    yield "zero bytes alone", bytes(len(whole))


def _counts(whole: bytes) -> Iterator[tuple[str, bytes]]:
    yield "wrong magic", b"GGUX" + whole[4:]
    for version in (0, 1, 4, 1 << 24):
        yield f"version {version}", _put(whole, 4, "<I", version)
    for place, what in ((8, "tensors"), (16, "entries")):
        for count in (-1, 1 << 40, 0, 1000):
            yield f"{count} {what}", _put(whole, place, "<q", count)


def _values(whole: bytes) -> Iterator[tuple[str, bytes]]:
    key = whole.index(b"general.architecture")
    yield "a key of negative length", _put(whole, key - 8, "<q", -1)
    yield "a key of a terabyte", _put(whole, key - 8, "<q", 1 << 40)
    yield "a value of an unknown kind", _put(whole, key + 20, "<I", 13)
    yield "an architecture of negative length", _put(whole, key + 24, "<q", -5)
    yield "an unknown architecture", whole.replace(b"llama", b"lllll")
    words = whole.index(b"tokenizer.ggml.tokens") + len("tokenizer.ggml.tokens")
    yield "a list of lists", _put(whole, words + 4, "<I", 9)
    for count in (-1, 1 << 40, 300):
        yield f"a list of {count} words", _put(whole, words + 8, "<q", count)
    kinds = whole.index(b"tokenizer.ggml.token_type") + len("tokenizer.ggml.token_type")
    yield "a list of a quintillion numbers", _put(whole, kinds + 8, "<Q", 1 << 60)
    yield (
        "a key twice",
        whole.replace(b"tokenizer.ggml.bos_token_id", b"tokenizer.ggml.eos_token_id"),
    )


def _tensors(whole: bytes) -> Iterator[tuple[str, bytes]]:
    """An entry: the name's length, the name, the number of dimensions, two lengths, type, offset."""
    name = b"blk.0.attn_q.weight"
    place = whole.index(name) + len(name)
    yield "no dimension", _put(whole, place, "<I", 0)
    yield "five dimensions", _put(whole, place, "<I", 5)
    for length in (-1, 0, 1 << 40, 128):
        yield f"a row of {length} numbers", _put(whole, place + 4, "<q", length)
    yield "rows without number", _put(whole, place + 12, "<q", (1 << 63) - 1)
    for kind in (4, 99):
        yield f"type {kind}", _put(whole, place + 20, "<I", kind)
    offset = struct.unpack_from("<Q", whole, place + 24)[0]
    for changed in (offset + 1, offset + 32, offset - 32, 1 << 63, len(whole)):
        yield f"offset {changed}", _put(whole, place + 24, "<Q", changed)
    yield "a tensor twice", whole.replace(name, b"blk.0.attn_k.weight")
    yield "a tensor of another name", whole.replace(name, b"blk.0.attn_Q.weight")


def _sizes(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Files that are whole, and do not fit together."""
    changes: dict[str, int] = {
        "block_count": 3,
        "embedding_length": 128,
        "feed_forward_length": 64,
        "attention__head_count": 0,
        "attention__head_count_kv": 3,
        "context_length": 0,
        "expert_count": 8,
        "expert_used_count": 2,
    }
    for key, value in changes.items():
        path = write_model(folder / "sizes.gguf", **{key: value})
        yield f"{key} {value}", path.read_bytes()
    for layers in (0, 0xFFFFFFFF):
        path = write_model(folder / "sizes.gguf", block_count=layers)
        yield f"{layers} layers", path.read_bytes()
    for architecture in ("clip", "bert", "nonsense"):
        path = write_model(folder / "sizes.gguf", architecture=architecture)
        yield f"architecture {architecture}", path.read_bytes()


def _others(whole: bytes) -> Iterator[tuple[str, bytes]]:
    yield "a zip archive", b"PK\x03\x04" + whole[4:]
    yield "an HTML error page", b"<!DOCTYPE html><html><h1>503 Service Unavailable</h1></html>" * 9
    yield (
        "the pointer of a Git LFS file",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    )
    yield "JSON", b'{"error": "Repository not found"}'
    yield "random bytes", random.Random(7).randbytes(50_000)


def _put(whole: bytes, place: int, code: str, value: int) -> bytes:
    return whole[:place] + struct.pack(code, value) + whole[place + struct.calcsize(code) :]
