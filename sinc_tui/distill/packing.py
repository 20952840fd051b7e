"""Examples as token sequences with loss weights, positions and attention blocks.

An example can be laid out both ways that the decoder knows. Sequential: the bands stand one after the
other, each sees all before it. Parallel: each chain of bands (`engine.layout.CHAINS`) stands in a block
of its own that sees the shared prefix and itself, its positions starting where the prefix ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import numpy.typing as npt

from sinc_tui.distill.dataset import Example
from sinc_tui.engine.layout import CHAINS, Layout, Tokenizer, escape
from sinc_tui.engine.protocol import DecodeMode
from sinc_tui.sinc.bands import Band

SHARED = 0
"""Block number of tokens that every later token of the same sequence may see."""


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """One example in tokens; all lists have the sequence's length.

    Attributes:
        tokens: ids.
        weights: loss weight of predicting each token from those before it.
        positions: rotary position of each token.
        blocks: `SHARED`, or the number of the block whose tokens alone (and shared ones) see it.
    """

    tokens: list[int]
    weights: list[float]
    positions: list[int]
    blocks: list[int]

    def __len__(self) -> int:
        return len(self.tokens)


class Packer:
    """Lays examples out in one model's tokens.

    `scaffold_weight` is the loss weight of the fixed parts in sequential order (0: only what the
    decoder lets the model write counts); with a little of it, and the layout of the whole document, the
    student can do without a decoder too. `band_weights` are the loss weights of what is written in the
    bands (1 where none is given).
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        layout: Layout,
        *,
        scaffold_weight: float = 0.0,
        band_weights: Mapping[Band, float] | None = None,
    ) -> None:
        self._tokenizer = tokenizer
        self._layout = layout
        self._scaffold = layout.scaffold
        self._scaffold_weight = scaffold_weight
        self._band_weights = dict.fromkeys(Band, 1.0) | dict(band_weights or {})

    def even(self) -> Packer:
        """One that counts all that is written alike and nothing else: for measuring a loss."""
        return Packer(self._tokenizer, self._layout)

    def pack(self, example: Example, mode: DecodeMode) -> TokenSequence:
        """One example in one of the two orders."""
        scaffold = self._scaffold
        fixed_weight = self._scaffold_weight if mode == "sequential" else 0.0
        prompt = self._layout.prompt(self._tokenizer, example.prompt)
        start = len(prompt) + len(scaffold.head)
        tokens, positions = [*prompt, *scaffold.head], list(range(start))
        weights = [0.0] * len(prompt) + [fixed_weight] * len(scaffold.head)
        blocks = [SHARED] * start
        for block, chain in enumerate(CHAINS[mode], start=1):
            before = len(tokens)
            for number, band in enumerate(chain):
                fixed = (scaffold.separator if number else ()) + scaffold.openers[band]
                written = self._written(example, band)
                tokens += [*fixed, *written]
                weights += [fixed_weight] * len(fixed) + [self._band_weights[band]] * len(written)
            if mode == "sequential":
                tokens += scaffold.tail
                weights += [fixed_weight] * len(scaffold.tail)
            size = len(tokens) - before
            positions += range(start, start + size)
            blocks += [block] * size
        return TokenSequence(tokens, weights, positions, blocks)

    def _written(self, example: Example, band: Band) -> list[int]:
        """What the model writes for a band: its text and the quote that closes it."""
        return self._tokenizer.encode(escape(example.bands[band])) + list(self._scaffold.quote)


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences padded to one length: `tokens`, `positions` (int64), `weights` (float32), all
    [batch, length], and `visible` (bool, [batch, length, length]: may row's token see column's)."""

    tokens: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    visible: npt.NDArray[np.bool_]


def collate(sequences: Sequence[TokenSequence], *, pad: int = 0) -> Batch:
    """Pad to the longest; padding sees only itself and carries no loss."""
    length = max(len(s) for s in sequences)
    shape = (len(sequences), length)
    tokens = np.full(shape, pad, np.int64)
    positions = np.zeros(shape, np.int64)
    weights = np.zeros(shape, np.float32)
    visible = np.zeros((*shape, length), np.bool_)
    causal = np.tri(length, dtype=np.bool_)
    for row, s in enumerate(sequences):
        n = len(s)
        tokens[row, :n], positions[row, :n], weights[row, :n] = s.tokens, s.positions, s.weights
        blocks = np.array(s.blocks)
        same = (blocks[None, :] == SHARED) | (blocks[None, :] == blocks[:, None])
        visible[row, :n, :n] = same & causal[:n, :n]
        visible[row, np.arange(n, length), np.arange(n, length)] = True
    return Batch(tokens, positions, weights, visible)


def batches(
    sequences: Sequence[TokenSequence], size: int, rng: Random, *, pool: int = 16
) -> Iterator[list[TokenSequence]]:
    """Shuffled batches of similar lengths: sorted within pools of `pool` batches, so little is padding."""
    order = list(sequences)
    rng.shuffle(order)
    step = size * pool
    groups: list[list[TokenSequence]] = []
    for start in range(0, len(order), step):
        chunk = sorted(order[start : start + step], key=len)
        groups += [chunk[i : i + size] for i in range(0, len(chunk), size)]
    rng.shuffle(groups)
    yield from groups
