"""From a trained adapter to files that llama.cpp loads, and back, to train on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors.numpy import load_file

from sinc_tui.distill.profiles import ADAPTER_FILE, base_of
from sinc_tui.engine.layout import LAYOUT_KEY
from sinc_tui.errors import SincError
from sinc_tui.models import gguf_io
from sinc_tui.models.gguf_io import Floats

_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_PROJECTIONS = {name: projection for projection, name in _NAMES.items()}
_PREFIX = "base_model.model.model.layers."


def export_adapter(
    folder: Path,
    base: Path,
    target: Path,
    *,
    layout: str,
    quantization: tuple[str, str] = ("Q8_0", "Q8_0"),
) -> None:
    """Write the peft adapter in `folder`, trained on `base` (a GGUF) in `layout`, as a GGUF adapter.

    `quantization` is that of A and of B. Raises `SincError` where the folder holds no adapter.
    """
    config_path, weights_path = folder / "adapter_config.json", folder / ADAPTER_FILE
    if not config_path.is_file() or not weights_path.is_file():
        raise SincError(
            f"{folder} holds no adapter.", hint="Train one with: sinc-tui distill train"
        )
    config = json.loads(config_path.read_text(encoding="utf-8"))
    reader = gguf.GGUFReader(base)
    architecture = gguf_io.text(reader, "general.architecture") or ""
    gguf_io.write_adapter(
        target,
        architecture,
        float(config["lora_alpha"]),
        _pairs(load_file(weights_path), reader, architecture),
        quantization=tuple(gguf.GGMLQuantizationType[name] for name in quantization),
        extra={LAYOUT_KEY: layout},
    )


def trained_layout(folder: Path) -> str:
    """The layout that the run in `folder` was trained in; raises `SincError` without its card."""
    return str(run_card(folder)["profile"].get("layout", "chatml"))


def trained_base(folder: Path) -> Path:
    """The base model of the run in `folder`.

    Raises `SincError` without its card, and where the profile's model is not here or not the one.
    """
    card = run_card(folder)
    base = base_of(card["profile"]["name"])
    with base.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != card["base_sha256"]:
        raise SincError(
            f"{folder} was trained on another base than {base}.",
            hint="Name that one with --base.",
        )
    return base


def run_card(folder: Path) -> dict[str, Any]:
    """The card of the run in `folder`; raises `SincError` where there is none."""
    try:
        card: dict[str, Any] = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        _ = card["profile"], card["base_sha256"]
    except (OSError, ValueError, LookupError) as error:
        raise SincError(
            f"{folder} holds no card of a training run: {error}.",
            hint="Train one with: sinc-tui distill train",
        ) from error
    return card


def read_adapter(adapter: Path, base: Path) -> tuple[float, dict[str, Floats]]:
    """Alpha, and the weights by peft's names, of a GGUF adapter that was trained on `base` (a GGUF).

    The rank is the number of rows of every `lora_A`. Raises `SincError` for a file that is no adapter.
    """
    try:
        reader, delta = gguf.GGUFReader(base), gguf.GGUFReader(adapter)
        alpha = float(delta.get_field(gguf.Keys.Adapter.LORA_ALPHA).contents())
    except (OSError, ValueError, AttributeError) as error:
        raise SincError(f"{adapter} is no GGUF adapter: {error}.") from error
    architecture = gguf_io.text(reader, "general.architecture") or ""
    heads = _heads(reader, architecture) if architecture == "llama" else {}
    weights: dict[str, Floats] = {}
    for tensor in delta.tensors:
        _, layer, name, _, side = tensor.name.split(".")
        matrix = gguf_io.dequantized(tensor)
        if side == "lora_b" and name in heads:
            matrix = _halves(matrix, heads[name])
        part = "lora_A" if side == "lora_a" else "lora_B"
        weights[f"{_PREFIX}{layer}.{_PROJECTIONS[name]}.{part}.weight"] = matrix
    return alpha, weights


def _pairs(
    weights: dict[str, Floats], reader: gguf.GGUFReader, architecture: str
) -> Iterator[tuple[str, Floats, Floats]]:
    heads = _heads(reader, architecture)
    for key in sorted(weights):
        if not key.endswith(".lora_A.weight"):
            continue
        module = key.removesuffix(".lora_A.weight")
        layer, _, projection = module.removeprefix(_PREFIX).partition(".")
        name = _NAMES[projection]
        a = weights[key].astype(np.float32)
        b = weights[f"{module}.lora_B.weight"].astype(np.float32)
        if architecture == "llama" and name in heads:
            b = _interleaved(b, heads[name])
        yield f"blk.{layer}.{name}.weight", a, b


def _heads(reader: gguf.GGUFReader, architecture: str) -> dict[str, int]:
    """Heads of the projections whose rows the llama architecture stores in another order."""
    count = int(reader.get_field(f"{architecture}.attention.head_count").contents())
    groups = int(reader.get_field(f"{architecture}.attention.head_count_kv").contents())
    return {"attn_q": count, "attn_k": groups}


def _interleaved(b: Floats, heads: int) -> Floats:
    """Rows in GGUF's order: the two halves of each head's rotary pairs side by side."""
    rows, rank = b.shape
    return b.reshape(heads, 2, rows // heads // 2, rank).swapaxes(1, 2).reshape(rows, rank)


def _halves(b: Floats, heads: int) -> Floats:
    """Undo `_interleaved`."""
    rows, rank = b.shape
    return b.reshape(heads, rows // heads // 2, 2, rank).swapaxes(1, 2).reshape(rows, rank)
