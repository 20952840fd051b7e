"""Training with the rounding in the loop, so that the student is as good in 4 bits as it was trained.

A student runs merged and rounded: Q(W + s B A). Training it as W + s B A and rounding once at the end costs
a small student much of what it learned. Here the base's weights are replaced, every few updates, by
Q(W + s B A) - s B A: what a layer then computes is the rounded student, and gradients pass to A and B as if
nothing had been rounded (the straight-through estimator, https://arxiv.org/abs/1308.3432).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gguf
import torch
from peft.tuners.lora import Linear

from sinc_tui.engine.llama_quantize import dequantize_rows, quantize_rows


class Rounding:
    """Keeps a model's LoRA layers at what they are once merged and rounded; all other matrices that a merged
    file rounds, those of layers without an adapter and the head, are rounded once."""

    def __init__(self, model: Any, kind: str) -> None:
        self._kind = gguf.GGMLQuantizationType[kind]
        self._layers = [layer for layer in model.modules() if isinstance(layer, Linear)]
        self._originals = [layer.base_layer.weight.detach().clone() for layer in self._layers]
        with torch.no_grad():
            for weight in [model.get_output_embeddings().weight, *_without_adapter(model)]:
                weight.copy_(self._rounded(weight.float()))
        self.refresh()

    def refresh(self) -> None:
        """Round again, to be called when the adapter has changed."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for _ in pool.map(self._refresh, self._layers, self._originals):
                pass

    def _refresh(self, layer: Any, original: torch.Tensor) -> None:
        a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
        with torch.no_grad():
            delta = (b.float() @ a.float()) * layer.scaling["default"]
            layer.base_layer.weight.copy_(self._rounded(original.float() + delta) - delta)

    def _rounded(self, weight: torch.Tensor) -> torch.Tensor:
        packed = quantize_rows(weight.cpu().numpy(), self._kind)
        return torch.from_numpy(dequantize_rows(packed, self._kind)).to(weight.device)


def _without_adapter(model: Any) -> list[torch.Tensor]:
    """The weights of linear layers that have no adapter and belong to none, but for the head."""
    head = model.get_output_embeddings()
    return [
        layer.weight
        for name, layer in model.named_modules()
        if isinstance(layer, torch.nn.Linear)
        and layer is not head
        and ".base_layer" not in name
        and ".lora_" not in name
    ]
