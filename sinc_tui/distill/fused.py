"""What makes training quicker on a CPU: fewer copies of large tensors, and fewer page faults.

peft adds base and adapter as separate tensors and casts each layer's input to float32 first; here a LoRA
layer is one operation in the base's precision.
"""

from __future__ import annotations

import contextlib
import ctypes
from typing import Any

import torch
from peft.tuners.lora import Linear
from torch.nn import functional

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Of `mallopt` in glibc's malloc.h."""
_MOST = (1 << 31) - 1


class _LoraLinear(torch.autograd.Function):  # type: ignore[misc]
    """x W^T + bias + scale (x A^T) B^T in the base's precision; A and B alone get gradients, in theirs."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        a: torch.Tensor,
        b: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        rows = x.reshape(-1, x.shape[-1]).to(weight.dtype)
        down, up = a.to(weight.dtype), (b * scale).to(weight.dtype)
        inner = rows @ down.T
        out = functional.linear(rows, weight, bias).addmm_(inner, up.T)
        ctx.save_for_backward(rows, weight, inner, down, up)
        ctx.scale, ctx.shape, ctx.dtype = scale, x.shape, x.dtype
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        rows, weight, inner, down, up = ctx.saved_tensors
        grad = grads[0].reshape(-1, grads[0].shape[-1]).to(weight.dtype)
        grad_inner = grad @ up
        grad_a = (grad_inner.T @ rows).float()
        grad_b = (grad.T @ inner).float() * ctx.scale
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = (grad @ weight).addmm_(grad_inner, down).view(ctx.shape).to(ctx.dtype)
        return grad_x, None, None, grad_a, grad_b, None


def fuse(model: torch.nn.Module) -> None:
    """Let every LoRA layer without dropout run as one operation; the adapter must be named `default`."""
    for layer in model.modules():
        if isinstance(layer, Linear) and isinstance(
            layer.lora_dropout["default"], torch.nn.Identity
        ):
            layer.forward = _forward_of(layer)


def keep_freed_memory() -> None:
    """Let glibc keep large freed blocks for the next step, instead of asking the kernel for zeroed pages.

    Without it a tenth of a step goes into page faults. Other C libraries are left as they are.
    """
    with contextlib.suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        for option, value in ((_TRIM_THRESHOLD, _MOST), (_MMAP_THRESHOLD, 1 << 30)):
            libc.mallopt(option, value)


def _forward_of(layer: Any) -> Any:
    base, a, b = layer.base_layer, layer.lora_A["default"], layer.lora_B["default"]

    def forward(x: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        out: torch.Tensor = _LoraLinear.apply(
            x, base.weight, base.bias, a.weight, b.weight, layer.scaling["default"]
        )
        return out

    return forward
