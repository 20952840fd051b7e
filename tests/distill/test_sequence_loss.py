"""The loss of a batch and of its pairs, against plain references on a small random model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="training needs the extra `distill`")

import torch
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM

from sinc_tui.distill.dataset import Example, load_examples
from sinc_tui.distill.model import _ROWS, _FrozenHeadLoss, sequence_loss
from sinc_tui.distill.packing import Packer, TokenSequence, collate
from sinc_tui.engine.layout import lines
from sinc_tui.sinc.bands import Band
from tests.support.hostile_runtime import ByteTokenizer

LAYOUT = lines(ByteTokenizer())
PLAIN, PAIRED = Packer(ByteTokenizer(), LAYOUT), Packer(ByteTokenizer(), LAYOUT, corrections=True)


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    short = sorted(load_examples("corrections"), key=lambda e: sum(map(len, e.bands.values())))
    return [e for e in short if len(e.rejected) > 1][:3]


class Model(torch.nn.Module):  # type: ignore[misc]
    """A random Llama where `sequence_loss` looks for an adapted one."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        config = LlamaConfig(
            vocab_size=300, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True,
        )  # fmt: skip
        self.base_model = LlamaForCausalLM._from_config(
            config, attn_implementation="grouped_matmul"
        )
        with torch.no_grad():
            for weight in self.parameters():
                weight *= 8


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


def loss(model: Model, sequences: Sequence[TokenSequence], preference: float) -> float:
    batch = collate(sequences)
    arrays = (batch.tokens, batch.positions, batch.weights, batch.pairs, batch.visible)
    with torch.no_grad():
        made = sequence_loss(model, *map(torch.from_numpy, arrays), preference=preference)
    return float(made)


def weight(sequences: Sequence[TokenSequence]) -> float:
    return sum(sum(s.weights) for s in sequences)


def likelihood(model: Model, example: Example, band: Band) -> float:
    """Nats of one band's text, with nothing else laid out that counts."""
    weights = {other: float(other is band) for other in Band}
    sequence = Packer(ByteTokenizer(), LAYOUT, band_weights=weights).pack(example, "parallel")
    return -loss(model, [sequence], 0.0) * weight([sequence])


def test_each_rows_loss_and_gradient_are_those_of_cross_entropy() -> None:
    rows, targets = torch.randn(2 * _ROWS + 3, 8), torch.randint(50, (2 * _ROWS + 3,))
    head, share = torch.randn(50, 8), torch.randn(2 * _ROWS + 3)
    ours, theirs = (rows.clone().requires_grad_() for _ in range(2))

    made = _FrozenHeadLoss.apply(ours, head, targets)
    wanted = functional.cross_entropy(theirs @ head.T, targets, reduction="none")
    (made * share).sum().backward()
    (wanted * share).sum().backward()

    torch.testing.assert_close(made, wanted)
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_pairs_cost_what_the_two_texts_cost_apart(model: Model, examples: list[Example]) -> None:
    sequences = [PAIRED.pack(e, "parallel") for e in examples]
    pairs = loss(model, sequences, 2.0) - loss(model, sequences, 0.0)

    wanted = 0.0
    for example in examples:
        for band, text in example.rejected.items():
            worse = replace(example, bands=example.bands | {band: text})
            margin = likelihood(model, example, band) - likelihood(model, worse, band)
            wanted += 2.0 * float(functional.softplus(torch.tensor(-margin)))
    assert pairs * weight(sequences) == pytest.approx(wanted, rel=1e-3)


def test_a_batch_in_parts_costs_what_it_costs_whole(model: Model, examples: list[Example]) -> None:
    sequences = [PAIRED.pack(e, "parallel") for e in examples]
    whole = loss(model, sequences, 1.0) * weight(sequences)
    assert sum(loss(model, [s], 1.0) * weight([s]) for s in sequences) == pytest.approx(whole)


def test_without_a_preference_nothing_that_was_rejected_counts(
    model: Model, examples: list[Example]
) -> None:
    paired, plain = ([p.pack(e, "parallel") for e in examples] for p in (PAIRED, PLAIN))
    assert loss(model, paired, 0.0) == pytest.approx(loss(model, plain, 1.0))
    assert loss(model, paired, 1.0) > loss(model, paired, 0.0)
