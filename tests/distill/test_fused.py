"""The quick LoRA layer computes what peft's does, forwards and back."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="training needs the extra `distill`")

import torch
from peft import LoraConfig, get_peft_model

from sinc_tui.distill.fused import fuse


class Two(torch.nn.Module):
    """Two layers, the first with a bias, so that a gradient has to pass through the second."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(12, 20)
        self.second = torch.nn.Linear(20, 7, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.second(torch.tanh(self.first(x)))
        return out


def adapted(*, dropout: float = 0.0) -> torch.nn.Module:
    torch.manual_seed(0)
    config = LoraConfig(r=4, lora_alpha=8, lora_dropout=dropout, target_modules=["first", "second"])
    model = get_peft_model(Two(), config)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight)
    return model


def results(model: torch.nn.Module) -> list[torch.Tensor]:
    """The output and the gradients of the adapter's weights."""
    x = torch.linspace(-1, 1, 3 * 5 * 12).view(3, 5, 12)
    out = model(x)
    out.square().sum().backward()
    return [out, *(p.grad for p in model.parameters() if p.grad is not None)]


def test_output_and_gradients_are_those_of_peft() -> None:
    plain, fused = adapted(), adapted()
    fuse(fused)
    assert sum("forward" in vars(layer) for layer in fused.modules()) == 2
    ours, theirs = results(fused), results(plain)
    assert len(ours) == 1 + 4
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b)


def test_a_layer_with_dropout_is_left_to_peft() -> None:
    model = adapted(dropout=0.5)
    before = [m.forward for m in model.modules()]
    fuse(model)
    assert [m.forward for m in model.modules()] == before
