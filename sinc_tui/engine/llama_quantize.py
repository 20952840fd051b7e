"""Quantizing with llama.cpp's own quantizers: whole GGUF files, and single matrices."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import gguf
import llama_cpp
import numpy as np
import numpy.typing as npt
from llama_cpp._ctypes_extensions import load_shared_library
from llama_cpp._ggml import libggml_base_path

from sinc_tui.errors import SincError

Floats = npt.NDArray[np.float32]
Packed = npt.NDArray[np.uint8]

_ggml = load_shared_library("ggml-base", libggml_base_path)


def quantize(source: Path, target: Path, kind: str, *, head: str | None = None) -> None:
    """Write `source` to `target` as `kind` (`Q8_0`, `Q4_0`, `Q4_K_M`, ...).

    `head` is the tensor type of the embedding, which is the output head too where the two are tied
    (`Q4_0`, `Q6_K`, ...); None leaves it to llama.cpp. Raises `SincError` where llama.cpp refuses.
    """
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind}")
    params.allow_requantize = True
    if head is not None:
        kind_of_head = getattr(llama_cpp, f"GGML_TYPE_{head}")
        params.token_embedding_type = params.output_tensor_type = kind_of_head
    code = llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), params)
    if code != 0:
        raise SincError(
            f"llama.cpp could not quantize {source.name} to {kind} (code {code}).",
            hint="Use an F16 model of an architecture that llama.cpp knows.",
        )


def quantize_rows(matrix: Floats, kind: gguf.GGMLQuantizationType) -> Packed:
    """[rows, columns] float32 -> [rows, bytes of a row], in blocks along the columns.

    By ggml's reference quantizers: of IQ4_NL's 15 % less squared error than Q4_0 they keep most, in a
    twelfth of the time that its search over scales takes. Raises `ValueError` where the columns are no
    multiple of the type's block.
    """
    block, size = gguf.GGML_QUANT_SIZES[kind]
    rows, columns = matrix.shape
    if columns % block:
        raise ValueError(f"{kind.name} needs a multiple of {block} columns, not {columns}.")
    source = np.ascontiguousarray(matrix, np.float32)
    packed = np.empty((rows, columns // block * size), np.uint8)
    _call(f"quantize_row_{kind.name.lower()}_ref", source, packed, source.size)
    return packed


def dequantize_rows(packed: Packed, kind: gguf.GGMLQuantizationType) -> Floats:
    """Undo `quantize_rows`, but for what rounding lost."""
    block, size = gguf.GGML_QUANT_SIZES[kind]
    rows, width = packed.shape
    matrix = np.empty((rows, width // size * block), np.float32)
    _call(f"dequantize_row_{kind.name.lower()}", packed, matrix, matrix.size)
    return matrix


def _call(name: str, source: npt.NDArray[Any], target: npt.NDArray[Any], count: int) -> None:
    """One of the functions (const void * from, void * to, int64_t weights) of ggml-quants.h."""
    pointers = (ctypes.c_void_p(array.ctypes.data) for array in (source, target))
    getattr(_ggml, name)(*pointers, ctypes.c_int64(count))
