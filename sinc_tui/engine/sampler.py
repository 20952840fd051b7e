"""Choosing a token from logits: temperature, min-p and DRY, with a seed of its own for every band."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sinc_tui.engine.protocol import SamplerOptions

Logits = npt.NDArray[np.float32]

_DRY_ALLOWED = 3
"""A repetition of this many tokens is free (llama.cpp counts likewise; its default is 2)."""
_DRY_BASE = 1.75
_DRY_LONGEST = 40
_NEVER = np.float32(-np.inf)


class Sampler:
    """Chooses tokens for one band; same options and logits, same choices."""

    def __init__(self, options: SamplerOptions, stream: int) -> None:
        """`stream` separates the random numbers of bands that share a seed."""
        self._options = options
        self._random = np.random.default_rng([options.seed, stream])

    def choose(self, logits: Logits, written: Sequence[int]) -> int:
        """A token id for logits [vocabulary]; `written` are the band's tokens so far.

        The logits are changed in place where the DRY penalty applies.
        """
        for token, penalty in self._repetitions(written).items():
            logits[token] -= penalty
        return self.pick(logits)

    def among(self, logits: Logits, allowed: npt.NDArray[np.bool_]) -> int | None:
        """A token among those allowed (bool [vocabulary]); None when there is none."""
        if not allowed.any():
            return None
        choices = np.where(allowed, logits, _NEVER)
        if not np.isfinite(choices.max()):
            return int(allowed.argmax())
        return self.pick(choices)

    def pick(self, logits: Logits) -> int:
        """The likeliest token, or at a temperature above 0 one of those that min-p leaves."""
        best = int(logits.argmax())
        temperature = self._options.heat
        if temperature <= 0 or not np.isfinite(logits[best]):
            return best
        floor = logits[best] + temperature * math.log(max(self._options.min_p, 1e-6))
        candidates = np.flatnonzero(logits >= floor)
        weights = np.exp((logits[candidates] - logits[best]).astype(np.float64) / temperature)
        edge = self._random.random() * weights.sum()
        return int(candidates[min(int(np.searchsorted(weights.cumsum(), edge)), len(weights) - 1)])

    def _repetitions(self, written: Sequence[int]) -> dict[int, float]:
        """Penalty by token that would prolong a run of tokens which the band holds already.

        DRY: multiplier * base ** (length of the run - allowed length),
        https://github.com/oobabooga/text-generation-webui/pull/5677.
        """
        multiplier = self._options.dry_multiplier
        if multiplier <= 0 or len(written) <= _DRY_ALLOWED:
            return {}
        last = len(written) - 1
        longest: dict[int, int] = {}
        for end in range(last - 1, -1, -1):
            if written[end] != written[last]:
                continue
            length = _match(written, end, last)
            follower = written[end + 1]
            if length >= _DRY_ALLOWED and length > longest.get(follower, 0):
                longest[follower] = length
        return {t: multiplier * _DRY_BASE ** (n - _DRY_ALLOWED) for t, n in longest.items()}


def _match(written: Sequence[int], end: int, last: int) -> int:
    """How many tokens up to `end` equal those up to `last`."""
    length = 1
    while (
        length < _DRY_LONGEST
        and end - length >= 0
        and written[end - length] == written[last - length]
    ):
        length += 1
    return length
