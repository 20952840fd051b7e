"""A base model and an adapter of a few kilobytes, with every kind of metadata that a real one has."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

from sinc_tui.models import gguf_io

Floats = npt.NDArray[np.float32]
RANK, ALPHA, WIDTH, HEIGHT = 4, 8.0, 64, 32
CHANGED, BESIDE, NORM = "blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.0.attn_norm.weight"
EMBEDDING, HEAD = "token_embd.weight", "output.weight"


def weights(seed: int, *shape: int) -> Floats:
    """Random weights of a shape, in float32."""
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def write_base(path: Path, *, name: str = "tiny base", head: bool = False) -> Path:
    """A base with one matrix that the adapter changes and three tensors, or four, that it leaves alone.

    Without a `head` of its own the embedding is the head too.
    """
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(name)
    writer.add_context_length(8192)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_add_bos_token(False)
    writer.add_token_list(["a", "ü", "\ufffd<|im_end|>", ""])
    writer.add_token_types([1, 1, 3, 1])
    writer.add_token_scores([0.5, -1.0, 0.0, 1e-3])
    writer.add_string("sinc.layout", "to be replaced")
    q8, q4 = gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.Q4_1
    writer.add_tensor(CHANGED, gguf.quants.quantize(weights(1, HEIGHT, WIDTH), q8), raw_dtype=q8)
    writer.add_tensor(BESIDE, gguf.quants.quantize(weights(4, 16, WIDTH), q4), raw_dtype=q4)
    for number, matrix in enumerate((EMBEDDING, HEAD)[: 1 + head]):
        data = gguf.quants.quantize(weights(2 + 7 * number, 4, WIDTH), q4)
        writer.add_tensor(matrix, data, raw_dtype=q4)
    writer.add_tensor(NORM, weights(3, WIDTH))
    gguf_io.write(writer)
    return path


def write_adapter(path: Path, *, seed: int = 5) -> Path:
    """An adapter for `CHANGED`."""
    a, b = weights(seed, RANK, WIDTH), weights(seed + 1, HEIGHT, RANK)
    gguf_io.write_adapter(
        path,
        "llama",
        ALPHA,
        [(CHANGED, a, b)],
        quantization=(gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F32),
        extra={"sinc.layout": "lines"},
    )
    return path
