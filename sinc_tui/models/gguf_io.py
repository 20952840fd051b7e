"""Reading and writing GGUF files beyond what the gguf package offers in one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_COMPUTED = {"general.architecture", "GGUF.version", "GGUF.tensor_count", "GGUF.kv_count"}
"""Keys that a writer puts in by itself."""


def tensors(reader: gguf.GGUFReader) -> dict[str, Any]:
    """The file's tensors by name."""
    return {tensor.name: tensor for tensor in reader.tensors}


def dequantized(tensor: Any) -> Floats:
    """A tensor as float32 [rows, columns]."""
    return np.asarray(gguf.quants.dequantize(tensor.data, tensor.tensor_type), np.float32)


def text(reader: gguf.GGUFReader, key: str) -> str | None:
    """A string of the metadata, None when it is not there."""
    field = reader.get_field(key)
    return str(field.contents()) if field is not None else None


def copy_metadata(
    reader: gguf.GGUFReader, writer: gguf.GGUFWriter, extra: Mapping[str, str]
) -> None:
    """All of the reader's keys, then `extra` strings, which win.

    Empty arrays, which the gguf package cannot write, are left out.
    """
    for field in reader.fields.values():
        if field.name in _COMPUTED or field.name in extra:
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        if inner is not None and not field.data:
            continue
        writer.add_key_value(field.name, field.contents(), kind, sub_type=inner)
    for key, value in extra.items():
        writer.add_string(key, value)


def write(writer: gguf.GGUFWriter) -> None:
    """Write header, metadata and tensors, and close the file."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_adapter(
    path: Path,
    architecture: str,
    alpha: float,
    pairs: Iterable[tuple[str, Floats, Floats]],
    *,
    quantization: tuple[gguf.GGMLQuantizationType, gguf.GGMLQuantizationType],
    extra: Mapping[str, str],
) -> None:
    """A LoRA adapter that llama.cpp loads too: pairs of (tensor name, A [rank, in], B [out, rank]).

    `quantization` is that of A and of B.
    """
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
    for key, value in extra.items():
        writer.add_string(key, value)
    for name, a, b in pairs:
        for part, matrix, kind in zip(("lora_a", "lora_b"), (a, b), quantization, strict=True):
            data = gguf.quants.quantize(matrix, kind)
            writer.add_tensor(f"{name}.{part}", data, raw_dtype=kind)
    write(writer)
