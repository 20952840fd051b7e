"""A look at a model file before llama.cpp sees it: what a person can have got wrong, in words.

Only the head is read, in some tens of milliseconds for a large vocabulary; a byte that is wrong within the
weights is found by the file's hash alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sinc_tui.engine.gguf_facts import model_parts
from sinc_tui.engine.gguf_head import MAGIC, SIZE, VERSIONS, Damage, Head, read_head
from sinc_tui.errors import SincError

_AGAIN = "Download or copy it again."
_OTHERS = (
    (b"PK\x03\x04", "a zip archive", "Unpack it, and name the .gguf file in it."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it, and name the .gguf file in it."),
    (b"<", "a web page, perhaps an error or a login", _AGAIN),
    (b"version https://git-lfs", "the pointer of a Git LFS file", "Run git lfs pull beside it."),
    (b"ggml", "an old GGML model", "Get the model as GGUF."),
    (b"\0\0\0\0", "filled with zero bytes, so its download or copy did not end", _AGAIN),
)
"""How other files begin, what they are, and what to do."""
_MOST_LAYERS, _MOST_EXPERTS = 512, 512
_SHORTEST_CONTEXT = 512
_OTHER_TYPES = {
    "adapter": "an adapter, which needs its base model",
    "mmproj": "the part of a model that sees pictures",
    "imatrix": "a table for quantization",
    "vocab": "a vocabulary",
}
"""`general.type` of a GGUF that is no model."""
_WORDLESS = (
    "clip",
    "t5",
    "t5encoder",
    "wavtokenizer-dec",
    "bert",
    "modern-bert",
    "neo-bert",
    "nomic-bert",
)
"""Architectures that write no text."""


def check_gguf(path: Path) -> None:
    """Raise `SincError` when `path` cannot be a GGUF model of whole length that writes text.

    Of a split model all files are looked at.
    """
    parts = model_parts(path)
    for part in parts:
        _check_start(part)
        try:
            head = read_head(part)
            _check_tensors(head, whole=len(parts) == 1)
            if part == parts[0]:
                _check_kind(part, head.metadata)
        except Damage as damage:
            raise SincError(f"{part} is damaged: it {damage}.", hint=_AGAIN) from None
        except OSError as error:
            raise _unreadable(part, error) from None


def _check_start(path: Path) -> None:
    try:
        with path.open("rb") as file:
            header = file.read(SIZE)
    except FileNotFoundError:
        raise SincError(f"There is no file {path}.", hint="Check the path.") from None
    except IsADirectoryError:
        raise SincError(f"{path} is a folder.", hint="Name the .gguf file in it.") from None
    except OSError as error:
        raise _unreadable(path, error) from None
    if header[:4] != MAGIC:
        for start, what, hint in _OTHERS:
            if header.lstrip()[: len(start)] == start:
                raise SincError(f"{path} is no GGUF model: it is {what}.", hint=hint)
        raise SincError(f"{path} is no GGUF model.", hint="Name a .gguf file.")
    version = int.from_bytes(header[4:8], "little")
    if len(header) == SIZE and int.from_bytes(header[4:8], "big") in VERSIONS:
        raise SincError(
            f"{path} is made for machines with another order of bytes (big-endian).",
            hint="Get the model for this kind of machine.",
        )
    if len(header) < SIZE or version not in VERSIONS:
        raise SincError(
            f"{path} is damaged, or a GGUF of an unknown version ({version}).", hint=_AGAIN
        )


def _check_tensors(head: Head, *, whole: bool) -> None:
    """Every tensor within the file, none over another, all of it there; raises `Damage`."""
    if whole and not head.tensors:
        raise Damage("holds no tensors")
    end = 0
    for name, tensor in sorted(head.tensors.items(), key=lambda item: item[1].offset):
        if tensor.offset % head.alignment or tensor.offset < end:
            raise Damage(f"puts the tensor {name!r} where it cannot be")
        end = tensor.offset + (tensor.size or 1)
        if end > head.data:
            missing = f"at least {end - max(head.data, 0):,} of its bytes are missing"
            raise Damage(f"ends before the tensor {name!r} does; {missing}")


def _check_kind(path: Path, metadata: dict[str, Any]) -> None:
    """Whether it is a model that writes text; raises `Damage` or `SincError`."""
    architecture = metadata.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise Damage("names no architecture")
    kind = metadata.get("general.type")
    what = _OTHER_TYPES.get(kind) if isinstance(kind, str) else None
    if what is not None:
        raise SincError(f"{path} is {what}.", hint="Name the model's own file.")
    _check_sizes(architecture, metadata)
    causal = metadata.get(f"{architecture}.attention.causal")
    if architecture in _WORDLESS or causal is False:
        raise SincError(
            f"{path} holds a model of the kind {architecture}, which writes no text.",
            hint="Choose a model that answers in chats.",
        )


def _check_sizes(architecture: str, metadata: dict[str, Any]) -> None:
    """Counts on which llama.cpp would end the process instead of refusing them; raises `Damage`."""

    def count(key: str, default: int) -> int:
        value = metadata.get(f"{architecture}.{key}", default)
        return value if isinstance(value, int) else default

    layers, context = count("block_count", 1), count("context_length", _SHORTEST_CONTEXT)
    experts, used = count("expert_count", 0), count("expert_used_count", 0)
    if not 1 <= layers <= _MOST_LAYERS:
        raise Damage(f"claims to have {layers:,} layers")
    if context < _SHORTEST_CONTEXT:
        raise Damage(f"claims a context of {context} tokens, too few for a prompt and its document")
    if not 0 <= used <= experts <= _MOST_EXPERTS or (experts > 0) != (used > 0):
        raise Damage(f"claims to use {used:,} of {experts:,} experts")


def _unreadable(path: Path, error: OSError) -> SincError:
    return SincError(
        f"{path} cannot be read: {error.strerror or error}.", hint="Check its permissions."
    )
