"""How fast the loaded model writes on this machine: the beginning of a document, timed."""

from __future__ import annotations

import time
from collections.abc import Callable

from sinc_tui.engine.decoder import Decoder
from sinc_tui.engine.job import Request
from sinc_tui.engine.runtime import Cancelled
from sinc_tui.sinc.bands import Band

_PROMPT = "fix line 3"
_TOKENS = 48
"""Enough of them to level out single slow ones."""
_SECONDS = 4.0
"""After which fewer tokens do."""


class _Meter:
    """The moments at which tokens came (`engine.job.Listener`)."""

    def __init__(self) -> None:
        self._times: list[float] = []

    def delta(self, _band: Band, _text: str) -> None:
        self._times.append(time.perf_counter())

    def band_end(self, _band: Band, _text: str) -> None: ...

    @property
    def seconds(self) -> float:
        """From the first token to the last."""
        return self._times[-1] - self._times[0] if self._times else 0.0

    @property
    def enough(self) -> bool:
        """Whether the speed can be told."""
        return len(self._times) > _TOKENS or (len(self._times) > 1 and self.seconds > _SECONDS)

    @property
    def tokens_per_second(self) -> float:
        return (len(self._times) - 1) / self.seconds if self.seconds else 0.0


def measure(decoder: Decoder, stopped: Callable[[], bool] = lambda: False) -> float:
    """Free tokens per second, one band after the other; raises `Cancelled` when stopped too early."""
    meter = _Meter()
    try:
        decoder.decompose(Request(_PROMPT), meter, lambda: meter.enough or stopped())
    except Cancelled:
        if not meter.enough:
            raise
    return meter.tokens_per_second
