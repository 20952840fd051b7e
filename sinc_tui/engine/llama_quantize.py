"""Quantizing a GGUF with llama.cpp's own quantizer."""

from __future__ import annotations

from pathlib import Path

import llama_cpp

from sinc_tui.errors import SincError


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
