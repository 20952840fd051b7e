"""The shared prefix in sequence 0: what is the same from run to run is evaluated once."""

from __future__ import annotations

from collections.abc import Sequence

from sinc_tui.engine.runtime import Run, Runtime
from sinc_tui.engine.sampler import Logits


class Prefix:
    """Keeps the layout's opening, and the last prompt, in the model's cache.

    Tokens are always evaluated in the same groups (the opening, then the rest), since the grouping
    changes the last bits of the logits and the same seed must give the same document.
    """

    def __init__(self, runtime: Runtime, opening: Sequence[int]) -> None:
        self._runtime = runtime
        self._opening = list(opening)
        self._opening_held = False
        self._held: list[int] | None = None
        self._logits: Logits | None = None

    def lost(self) -> None:
        """The cache is empty: what was in it has to be evaluated again."""
        self._opening_held, self._held = False, None

    def warm_up(self) -> None:
        """Evaluate the opening ahead of the first prompt."""
        if self._opening_held:
            return
        self._runtime.forget(0, 0)
        if self._opening:
            self._runtime.evaluate([Run(0, 0, self._opening)], logits=False)
        self._opening_held = True

    def trim(self) -> None:
        """Drop what a run wrote behind the tokens that are held."""
        self._runtime.forget(0, len(self._held or self._opening))

    def hold(self, tokens: Sequence[int]) -> Logits:
        """Bring sequence 0 to exactly `tokens`, which begin with the opening; the last one's logits."""
        if self._held == list(tokens) and self._logits is not None:
            self._runtime.forget(0, len(tokens))
            return self._logits.copy()
        self.warm_up()
        self._held = None
        start = len(self._opening)
        self._runtime.forget(0, start)
        (logits,) = self._runtime.evaluate([Run(0, start, tokens[start:])])
        self._held, self._logits = list(tokens), logits.copy()
        return self._logits.copy()
