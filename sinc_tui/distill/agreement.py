"""Does the exported GGUF choose the tokens that the trained model chooses?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from sinc_tui.distill.dataset import Example
from sinc_tui.distill.model import additive_mask
from sinc_tui.distill.packing import Packer, TokenSequence
from sinc_tui.engine.llama_runtime import LlamaRuntime
from sinc_tui.engine.protocol import EngineOptions
from sinc_tui.engine.runtime import Run


def agreement(
    model: Any, exported: Path, packer: Packer, examples: Sequence[Example], *, positions: int = 5
) -> float:
    """Share of equal likeliest next tokens, 0.0 to 1.0, at `positions` places of each example.

    The places are spread evenly over what the model writes, in sequential order. `model` is the
    trained torch model, `exported` the merged GGUF (F16 for a fair comparison).
    """
    runtime = LlamaRuntime(exported, EngineOptions(n_ctx=2048, flash_attention=False))
    equal = total = 0
    for example in examples:
        sequence = packer.pack(example, "sequential")
        places = _places(sequence, positions)
        ours, theirs = (
            _torch_choices(model, sequence, places),
            _llama_choices(runtime, sequence, places),
        )
        equal += sum(a == b for a, b in zip(ours, theirs, strict=True))
        total += len(places)
    return equal / total


def _places(sequence: TokenSequence, count: int) -> list[int]:
    """Indices of tokens after which the next one is the model's to choose."""
    written = [i - 1 for i, weight in enumerate(sequence.weights) if weight == 1.0]
    return [written[i * len(written) // count] for i in range(count)]


def _torch_choices(model: Any, sequence: TokenSequence, places: Sequence[int]) -> list[int]:
    tokens = torch.tensor([sequence.tokens])
    length = tokens.shape[1]
    causal = torch.ones(1, length, length, dtype=torch.bool).tril()
    with torch.no_grad():
        logits = model(
            input_ids=tokens,
            attention_mask=additive_mask(causal, next(model.parameters()).dtype),
            position_ids=torch.arange(length)[None],
            use_cache=False,
        ).logits[0]
    return [int(logits[place].argmax()) for place in places]


def _llama_choices(
    runtime: LlamaRuntime, sequence: TokenSequence, places: Sequence[int]
) -> list[int]:
    runtime.forget(0, 0)
    choices, start = [], 0
    for place in places:
        (row,) = runtime.evaluate([Run(0, start, sequence.tokens[start : place + 1])])
        choices.append(int(row.argmax()))
        start = place + 1
    return choices
