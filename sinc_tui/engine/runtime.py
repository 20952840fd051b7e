"""What the decoder needs of a model: evaluate tokens, read logits, share and forget a prefix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sinc_tui.engine.sampler import Logits
from sinc_tui.errors import SincError


class Cancelled(Exception):
    """A run was stopped while tokens were evaluated."""


class RuntimeFailure(SincError):
    """llama.cpp refused; its reason is in the engine's log."""


@dataclass(frozen=True, slots=True)
class Run:
    """Tokens to append to one sequence, the first at `position`; logits are wanted for the last `wanted`."""

    sequence: int
    position: int
    tokens: Sequence[int]
    wanted: int = 1


class Runtime(Protocol):
    """A loaded model with room for `n_ctx` tokens and several sequences over one cache.

    `rows` tokens are evaluated at once in little more time than one; batches are best filled up to a
    multiple of it, for which there is room beside `n_ctx`.
    """

    n_ctx: int
    rows: int

    def prepare(self, tokens: int) -> bool:
        """Get ready for a prompt of so many tokens; whether all that was cached is gone by that."""

    def evaluate(self, runs: Sequence[Run], *, logits: bool = True) -> list[Logits]:
        """Evaluate all runs in as few batches as fit; logits [vocabulary] of each run's last
        `wanted` tokens, run by run.

        The arrays may be changed by the caller and are valid until the next call. Raises `Cancelled`.
        """

    def fork(self, source: int, targets: Sequence[int]) -> None:
        """Make each target sequence share all of the source's cells."""

    def forget(self, sequence: int, position: int) -> None:
        """Drop a sequence's cells from `position` on."""
