"""A small recurrent model that llama.cpp loads: Mamba with two layers and random weights."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

_WIDTH, _INNER, _STATE, _RANK, _KERNEL = 64, 128, 16, 8, 4


def write_mamba(path: Path) -> None:
    """Write the model, with a vocabulary of bytes."""
    writer = gguf.GGUFWriter(path, "mamba")
    writer.add_context_length(8192)
    writer.add_embedding_length(_WIDTH)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(2)
    writer.add_ssm_conv_kernel(_KERNEL)
    writer.add_ssm_inner_size(_INNER)
    writer.add_ssm_state_size(_STATE)
    writer.add_ssm_time_step_rank(_RANK)
    writer.add_layer_norm_rms_eps(1e-5)
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581"]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_types([2, 3, 3, *[6] * 256, 1])
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    _add_weights(writer, len(tokens))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_weights(writer: gguf.GGUFWriter, tokens: int) -> None:
    random = np.random.default_rng(0)
    shapes = {
        "ssm_in.weight": (2 * _INNER, _WIDTH),
        "ssm_conv1d.weight": (_INNER, _KERNEL),
        "ssm_conv1d.bias": (_INNER,),
        "ssm_x.weight": (_RANK + 2 * _STATE, _INNER),
        "ssm_dt.weight": (_INNER, _RANK),
        "ssm_dt.bias": (_INNER,),
        "ssm_a": (_INNER, _STATE),
        "ssm_d": (_INNER,),
        "ssm_out.weight": (_WIDTH, _INNER),
    }
    ends = {"token_embd.weight": (tokens, _WIDTH), "output.weight": (tokens, _WIDTH)}
    layers = {f"blk.{n}.{name}": shape for n in range(2) for name, shape in shapes.items()}
    for name, shape in (ends | layers).items():
        writer.add_tensor(name, random.normal(0, 0.3, shape).astype(np.float32))
    for name in ("output_norm.weight", "blk.0.attn_norm.weight", "blk.1.attn_norm.weight"):
        writer.add_tensor(name, np.ones(_WIDTH, np.float32))
