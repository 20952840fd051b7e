"""Examples as token sequences with loss weights, positions and attention blocks.

An example can be laid out both ways that the decoder knows. Sequential: the bands stand one after the
other, each sees all before it. Parallel: each chain of bands (`engine.layout.CHAINS`) stands in a block
of its own that sees the shared prefix and itself, its positions starting where the prefix ends. In this
order a text that was rejected can stand beside the one that corrects it: in one more block.
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
        pairs: of the tokens of a corrected text the number of its pair, from 1; of those of the text that
            was rejected that number below 0; 0 of all others.
    """

    tokens: list[int]
    weights: list[float]
    positions: list[int]
    blocks: list[int]
    pairs: list[int]

    def __len__(self) -> int:
        return len(self.tokens)


class _SequenceBuilder:
    """A token sequence while it is laid out: first what all blocks see, then block by block."""

    def __init__(self) -> None:
        self._sequence = TokenSequence([], [], [], [], [])
        self._block = SHARED
        self._prefix = self._next = 0

    def open_block(self) -> None:
        """What comes next sees the prefix and its own block alone; its positions follow the prefix."""
        if self._block == SHARED:
            self._prefix = self._next
        self._block += 1
        self._next = self._prefix

    def add(self, tokens: Sequence[int], *, weight: float = 0.0, pair: int = 0) -> None:
        """Append tokens that follow one another."""
        count, laid = len(tokens), self._sequence
        laid.tokens.extend(tokens)
        laid.weights.extend([weight] * count)
        laid.positions.extend(range(self._next, self._next + count))
        laid.blocks.extend([self._block] * count)
        laid.pairs.extend([pair] * count)
        self._next += count

    def finished(self) -> TokenSequence:
        """All that was laid out."""
        return self._sequence


class Packer:
    """Lays examples out in one model's tokens.

    `scaffold_weight` is the loss weight of the fixed parts in sequential order (0: only what the
    decoder lets the model write counts); with a little of it, and the layout of the whole document, the
    student can do without a decoder too. `band_weights` are the loss weights of what is written in the
    bands (1 where none is given). With `corrections`, texts that were rejected are laid out beside theirs in
    parallel order, but for bands of weight 0.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        layout: Layout,
        *,
        scaffold_weight: float = 0.0,
        band_weights: Mapping[Band, float] | None = None,
        corrections: bool = False,
    ) -> None:
        self._tokenizer = tokenizer
        self._layout = layout
        self._scaffold = layout.scaffold
        self._scaffold_weight = scaffold_weight
        self._band_weights = dict.fromkeys(Band, 1.0) | dict(band_weights or {})
        self._corrections = corrections

    def even(self) -> Packer:
        """One that counts all that is written alike and nothing else: for measuring a loss."""
        return Packer(self._tokenizer, self._layout)

    def pack(self, example: Example, mode: DecodeMode) -> TokenSequence:
        """One example in one of the two orders."""
        scaffold, builder = self._scaffold, _SequenceBuilder()
        fixed_weight = self._scaffold_weight if mode == "sequential" else 0.0
        pairs = example.rejected if self._corrections and mode == "parallel" else {}
        paired = [band for band in pairs if self._band_weights[band]]
        builder.add(self._layout.prompt(self._tokenizer, example.prompt))
        builder.add(scaffold.head, weight=fixed_weight)
        for chain in CHAINS[mode]:
            builder.open_block()
            for number, band in enumerate(chain):
                written = self._written(example.bands[band])
                pair = paired.index(band) + 1 if band in paired else 0
                builder.add(self._opening(band, first=not number), weight=fixed_weight)
                builder.add(written, weight=self._band_weights[band], pair=pair)
            if mode == "sequential":
                builder.add(scaffold.tail, weight=fixed_weight)
        for pair, band in enumerate(paired, start=1):
            self._add_rejected(builder, example, band, pair)
        return builder.finished()

    def _add_rejected(
        self, builder: _SequenceBuilder, example: Example, band: Band, pair: int
    ) -> None:
        """What was rejected for a band, in a block of its own, after the bands that it follows."""
        (chain,) = (chain for chain in CHAINS["parallel"] if band in chain)
        builder.open_block()
        for number, before in enumerate(chain[: chain.index(band)]):
            builder.add(self._opening(before, first=not number))
            builder.add(self._written(example.bands[before]))
        builder.add(self._opening(band, first=chain[0] is band))
        builder.add(self._written(example.rejected[band]), pair=-pair)

    def _opening(self, band: Band, *, first: bool) -> tuple[int, ...]:
        """The fixed tokens before a band's text."""
        return (() if first else self._scaffold.separator) + self._scaffold.openers[band]

    def _written(self, text: str) -> list[int]:
        """What the model writes for a band: its text and the quote that closes it."""
        return self._tokenizer.encode(escape(text)) + list(self._scaffold.quote)


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences padded to one length: `tokens`, `positions`, `pairs` (int64), `weights` (float32), all
    [batch, length], and `visible` (bool, [batch, length, length]: may row's token see column's).

    `pairs` counts on from sequence to sequence, so that no two pairs of a batch have one number.
    """

    tokens: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    pairs: npt.NDArray[np.int64]
    visible: npt.NDArray[np.bool_]


def collate(sequences: Sequence[TokenSequence], *, pad: int = 0) -> Batch:
    """Pad to the longest; padding sees only itself and carries no loss."""
    length = max(len(s) for s in sequences)
    shape = (len(sequences), length)
    tokens = np.full(shape, pad, np.int64)
    positions = np.zeros(shape, np.int64)
    pairs = np.zeros(shape, np.int64)
    weights = np.zeros(shape, np.float32)
    visible = np.zeros((*shape, length), np.bool_)
    causal = np.tri(length, dtype=np.bool_)
    taken = 0
    for row, s in enumerate(sequences):
        n = len(s)
        tokens[row, :n], positions[row, :n], weights[row, :n] = s.tokens, s.positions, s.weights
        pairs[row, :n] = s.pairs
        pairs[row] += np.sign(pairs[row]) * taken
        taken = np.abs(pairs).max()
        blocks = np.array(s.blocks)
        same = (blocks[None, :] == SHARED) | (blocks[None, :] == blocks[:, None])
        visible[row, :n, :n] = same & causal[:n, :n]
        visible[row, np.arange(n, length), np.arange(n, length)] = True
    return Batch(tokens, positions, weights, pairs, visible)


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
