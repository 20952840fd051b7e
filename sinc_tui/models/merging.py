"""Merging a LoRA adapter into its base model, quantized anew: done once, so that no run pays for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf

from sinc_tui.engine.layout import LAYOUT_KEY
from sinc_tui.engine.llama_quantize import quantize_rows
from sinc_tui.errors import SincError
from sinc_tui.models import gguf_io

_HEAD, _EMBEDDING = "output.weight", "token_embd.weight"
_FLOATS = ("F16", "BF16")


def merge(
    base: Path,
    adapter: Path,
    target: Path,
    *,
    quantization: str = "IQ4_NL",
    progress: Callable[[float], None] = lambda _: None,
) -> None:
    """Write `base` + `adapter` to `target`.

    The layers' matrices, whether the adapter changes them or not, and the output head (the embedding where
    the two are one) become `quantization` (F16, BF16, Q8_0, IQ4_NL, Q5_1, Q5_0, Q4_1 or Q4_0): a batch of a
    few tokens is quick only where all of them are in a type that suits it. All else stays as it is, bit by
    bit. W + alpha / rank * B A, https://arxiv.org/abs/2106.09685. `progress` hears fractions from 0.0 to
    1.0. Raises `SincError` for an adapter of another model.
    """
    kind = gguf.GGMLQuantizationType[quantization]
    reader, delta = gguf.GGUFReader(base), gguf.GGUFReader(adapter)
    pairs = gguf_io.tensors(delta)
    _check_fit(base, reader, pairs)
    alpha = float(delta.get_field(gguf.Keys.Adapter.LORA_ALPHA).contents())
    layout = gguf_io.text(delta, LAYOUT_KEY)
    extra = {LAYOUT_KEY: layout} if layout else {}
    writer = gguf.GGUFWriter(target, gguf_io.text(reader, "general.architecture"))
    gguf_io.copy_metadata(reader, writer, extra)
    head = _HEAD if any(tensor.name == _HEAD for tensor in reader.tensors) else _EMBEDDING
    for done, tensor in enumerate(reader.tensors):
        if f"{tensor.name}.lora_a" in pairs:
            matrix = _merged(tensor, pairs, alpha)
        elif tensor.name == head or _of_a_layer(tensor):
            matrix = gguf_io.dequantized(tensor)
        else:
            matrix = None
        if matrix is not None:
            writer.add_tensor(tensor.name, _packed(matrix, kind), raw_dtype=kind)
        else:
            writer.add_tensor(
                tensor.name, tensor.data, raw_dtype=tensor.tensor_type, raw_shape=tensor.data.shape
            )
        progress((done + 1) / len(reader.tensors) * 0.9)
    gguf_io.write(writer)
    progress(1.0)


def _check_fit(base: Path, reader: gguf.GGUFReader, pairs: dict[str, Any]) -> None:
    """Every pair must have its tensor in the base, of rows and columns that the pair's product has."""
    shapes = {tensor.name: tuple(int(n) for n in tensor.shape) for tensor in reader.tensors}
    for name, part in pairs.items():
        target, _, side = name.rpartition(".")
        shape = shapes.get(target, ())
        axis = {"lora_a": 0, "lora_b": 1}.get(side)
        if axis is None or len(shape) != 2 or int(part.shape[axis]) != shape[axis]:
            raise SincError(
                f"The adapter does not fit {base.name}: it changes {target}, which is not there "
                "or of another size.",
                hint="Name the base model that the adapter was trained on.",
            )


def _of_a_layer(tensor: Any) -> bool:
    """Whether it is one of a layer's matrices; what is kept in F32 (norms, biases, routers) is none."""
    kept = tensor.tensor_type == gguf.GGMLQuantizationType.F32
    return tensor.name.startswith("blk.") and len(tensor.shape) == 2 and not kept


def _packed(matrix: gguf_io.Floats, kind: gguf.GGMLQuantizationType) -> Any:
    """The matrix in a type that llama.cpp multiplies by."""
    if kind.name in _FLOATS:
        return gguf.quants.quantize(matrix, kind)
    return quantize_rows(matrix, kind)


def _merged(tensor: Any, pairs: dict[str, Any], alpha: float) -> gguf_io.Floats:
    a = gguf_io.dequantized(pairs[f"{tensor.name}.lora_a"])
    b = gguf_io.dequantized(pairs[f"{tensor.name}.lora_b"])
    return gguf_io.dequantized(tensor) + (b @ a) * (alpha / len(a))
