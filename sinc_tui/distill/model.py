"""The trainable model: a base with a LoRA adapter, and the pieces that make it quick on a CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from torch.nn import functional
from transformers import AttentionInterface, AutoModelForCausalLM

from sinc_tui.distill.export import read_adapter
from sinc_tui.distill.profiles import ADAPTER_FILE, Profile
from sinc_tui.errors import SincError

_ROWS = 64
"""Rows of logits in work at once: few enough that they stay in the processor's cache."""


def load_base(base: str, *, dtype: torch.dtype) -> Any:
    """The base model from a GGUF file, a folder or a Hub repository, frozen."""
    path = Path(base)
    where = {"gguf_file": path.name} if path.suffix == ".gguf" else {}
    name = str(path.parent) if where else base
    model = AutoModelForCausalLM.from_pretrained(
        name, dtype=torch.float32, attn_implementation="grouped_matmul", **where
    )
    return model.to(dtype).requires_grad_(False)


def add_adapter(model: Any, profile: Profile) -> PeftModel:
    """A fresh LoRA adapter (float32) on all of the profile's projections, in the layers that it names."""
    count = model.config.num_hidden_layers
    first = count - profile.layers if profile.layers else 0
    config = LoraConfig(
        r=profile.rank,
        lora_alpha=profile.alpha,
        lora_dropout=profile.dropout,
        target_modules=list(profile.projections),
        layers_to_transform=list(range(max(0, first), count)),
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def load_adapter(model: Any, source: Path, profile: Profile) -> PeftModel:
    """The adapter in `source`, to be trained on: the folder of an earlier run, or a GGUF adapter.

    Raises `SincError` where there is none, or one of another shape than the profile's.
    """
    if source.is_file():
        return _load_gguf(model, source, profile)
    if not (source / ADAPTER_FILE).is_file():
        raise SincError(
            f"{source} holds no adapter.",
            hint="Name the `adapter` folder that `sinc-tui distill train` wrote, or a GGUF adapter.",
        )
    config = LoraConfig.from_pretrained(str(source))
    _check_shape(source, config.r, config.lora_alpha, set(config.target_modules), profile)
    return PeftModel.from_pretrained(model, str(source), is_trainable=True)


def _load_gguf(model: Any, source: Path, profile: Profile) -> PeftModel:
    alpha, weights = read_adapter(source, Path(profile.base))
    ranks = {len(w) for name, w in weights.items() if ".lora_A." in name}
    projections = {name.split(".lora_")[0].rpartition(".")[2] for name in weights}
    _check_shape(source, max(ranks, default=0), alpha, projections, profile)
    adapted = add_adapter(model, profile)
    tensors = {name: torch.tensor(weight) for name, weight in weights.items()}
    unknown = set_peft_model_state_dict(adapted, tensors).unexpected_keys
    if unknown:
        raise SincError(f"{source} changes what {profile.base} does not have: {unknown[0]}.")
    return adapted


def _check_shape(
    source: Path, rank: int, alpha: float, projections: set[str], profile: Profile
) -> None:
    if (rank, alpha, projections) != (profile.rank, profile.alpha, set(profile.projections)):
        raise SincError(
            f"The adapter in {source} has rank {rank} and alpha {alpha:g}.",
            hint=f"Go on with it by --rank {rank} --alpha {alpha:g}.",
        )


def additive_mask(visible: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """[batch, length, length] bool -> [batch, 1, length, length], 0 where visible, far below elsewhere."""
    mask = torch.zeros(visible.shape, dtype=dtype, device=visible.device)
    return mask.masked_fill_(~visible, torch.finfo(dtype).min / 2)[:, None]


def _grouped_matmul(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor,
    scaling: float = 1.0,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention as two plain matrix products, query heads of one key head side by side.

    On a CPU, at lengths of some hundred tokens and with a mask, twice as quick as the fused kernel.
    """
    batch, heads, length, width = query.shape
    groups = key.shape[1]
    per = heads // groups
    stacked = query.reshape(batch, groups, per * length, width)
    scores = torch.matmul(stacked, key.transpose(2, 3)).view(batch, groups, per, length, -1)
    weights = torch.softmax(scores * scaling + attention_mask[:, :, None], dim=-1).to(value.dtype)
    mixed = torch.matmul(weights.view(batch, groups, per * length, -1), value)
    return mixed.view(batch, heads, length, width).transpose(1, 2).contiguous(), None


AttentionInterface.register("grouped_matmul", _grouped_matmul)


class _FrozenHeadLoss(torch.autograd.Function):  # type: ignore[misc]
    """Cross-entropy of each row, [rows], over a large vocabulary whose head is not trained.

    Never holds all logits: blocks of rows, the gradient of the hidden states made on the way.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        head: torch.Tensor,
        targets: torch.Tensor,
    ) -> torch.Tensor:
        gradient = torch.empty_like(hidden)
        loss = hidden.new_empty(len(hidden), dtype=torch.float32)
        for start in range(0, len(hidden), _ROWS):
            rows = slice(start, start + _ROWS)
            logits = functional.linear(hidden[rows], head).float()
            target = targets[rows, None]
            log_sum = logits.logsumexp(-1, keepdim=True)
            loss[rows] = (log_sum - logits.gather(1, target))[:, 0]
            slope = logits.sub_(log_sum).exp_()
            slope.scatter_add_(1, target, -torch.ones_like(target, dtype=slope.dtype))
            gradient[rows] = slope.to(head.dtype) @ head
        ctx.save_for_backward(gradient)
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        (gradient,) = ctx.saved_tensors
        return (gradient * grads[0][:, None]).to(gradient.dtype), None, None


def sequence_loss(
    model: Any,
    tokens: torch.Tensor,
    positions: torch.Tensor,
    weights: torch.Tensor,
    pairs: torch.Tensor,
    visible: torch.Tensor,
    *,
    preference: float = 0.0,
) -> torch.Tensor:
    """Mean next-token loss in nats, weighted, and that of the pairs; shapes as in `packing.Batch`.

    A token's weight counts for the prediction made at the token before it in the sequence; the first
    token of a parallel block is an opener and must have weight 0, since its predecessor is of another
    block. A pair adds `preference * log(1 + exp(-m))`, divided by the sum of all weights as the rest is,
    where m is by how many nats the correction as a whole is likelier than what was rejected: the ranking
    loss of RankNet (Burges et al., 2005) on what the decoder would choose between, without a reference
    model; the likelihood of the correction beside it keeps both from sinking (as in CPO, Xu et al., 2024).
    """
    causal = getattr(model, "base_model", model)
    causal = getattr(causal, "model", causal) if hasattr(model, "peft_config") else causal
    head = causal.get_output_embeddings().weight
    hidden = causal.get_decoder()(
        input_ids=tokens,
        attention_mask=additive_mask(visible, head.dtype),
        position_ids=positions,
        use_cache=False,
    ).last_hidden_state
    pairs = pairs[:, 1:] if preference else torch.zeros_like(pairs[:, 1:])
    counted = (weights[:, 1:] > 0) | (pairs != 0)
    rows = hidden[:, :-1][counted].to(head.dtype)
    losses: torch.Tensor = _FrozenHeadLoss.apply(rows, head, tokens[:, 1:][counted])
    weights, pairs = weights[:, 1:][counted], pairs[counted]
    total = (losses * weights).sum()
    if pairs.any():
        margins = losses.new_zeros(int(pairs.max()) + 1)
        margins = margins.index_add(0, pairs.abs(), -losses * pairs.sign())[1:]
        total = total + preference * functional.softplus(-margins).sum()
    return total / weights.sum()
