"""Training in the student's own precision: what a layer computes is the merged and rounded matrix."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="training needs the extra `distill`")

import gguf
import torch
from peft import LoraConfig, get_peft_model

from sinc_tui.distill.fused import fuse
from sinc_tui.distill.rounding import Rounding
from sinc_tui.engine.llama_quantize import dequantize_rows, quantize_rows

KIND = gguf.GGMLQuantizationType.IQ4_NL
WIDTH = 64


class Model(torch.nn.Module):
    """A layer that gets an adapter, one that gets none, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.plain = torch.nn.Linear(WIDTH, WIDTH, bias=False)
        self.layer = torch.nn.Linear(WIDTH, WIDTH, bias=False)
        self.head = torch.nn.Linear(WIDTH, 96, bias=False)

    def get_output_embeddings(self) -> torch.nn.Module:
        return self.head

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(torch.tanh(self.layer(self.plain(x))))
        return out


def rounded(matrix: torch.Tensor) -> torch.Tensor:
    packed = quantize_rows(matrix.detach().numpy(), KIND)
    return torch.from_numpy(dequantize_rows(packed, KIND))


def adapted() -> tuple[torch.nn.Module, torch.nn.Module]:
    """A model whose adapter changes something, and its one LoRA layer."""
    torch.manual_seed(0)
    config = LoraConfig(r=4, lora_alpha=8, target_modules=["layer"])
    model = get_peft_model(Model(), config)
    layer = model.base_model.model.layer
    torch.nn.init.normal_(layer.lora_B["default"].weight)
    return model, layer


def merged(layer: torch.nn.Module) -> torch.Tensor:
    return layer.base_layer.weight + layer.get_delta_weight("default")


def test_a_layer_is_the_merged_matrix_rounded() -> None:
    model, layer = adapted()
    exact, head = merged(layer).clone(), model.get_output_embeddings().weight.clone()
    plain = model.base_model.model.plain.weight.clone()
    Rounding(model, "IQ4_NL")
    torch.testing.assert_close(model.base_model.model.plain.weight, rounded(plain))
    torch.testing.assert_close(merged(layer), rounded(exact))
    torch.testing.assert_close(model.get_output_embeddings().weight, rounded(head))
    assert (merged(layer) - exact).abs().max() > 0.01, "nothing to round proves nothing"


def test_rounding_again_starts_from_the_original_weights() -> None:
    model, layer = adapted()
    original = layer.base_layer.weight.clone()
    rounding = Rounding(model, "IQ4_NL")
    torch.nn.init.normal_(layer.lora_B["default"].weight)
    exact = original + layer.get_delta_weight("default")
    rounding.refresh()
    torch.testing.assert_close(merged(layer), rounded(exact))


def test_training_lowers_the_loss_of_the_rounded_model() -> None:
    model, _ = adapted()
    fuse(model)
    rounding = Rounding(model, "IQ4_NL")
    x, wanted = torch.randn(128, WIDTH), torch.randn(128, 96) * 0.1
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 0.02)
    losses = []
    for _ in range(60):
        rounding.refresh()
        loss = torch.nn.functional.mse_loss(model(x), wanted)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert losses[-1] < losses[0] * 0.7
