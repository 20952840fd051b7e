"""An engine in the app's own process that answers by itself: for tests that press keys at random."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping

from sinc_tui import events
from sinc_tui.engine.protocol import SamplerOptions
from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.invariants import check
from tests.support.fake_engine import INFO, STATS
from tests.support.scripted_worker import HOSTILE, TEXTS

_PIECE = 40


class QuickEngine:
    """Writes the scripted texts, hostile ones at times; a run fails now and then."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._stopped = False

    async def start(self) -> AsyncIterator[events.Event]:
        """Loaded at once."""
        yield events.ModelReady(INFO)

    async def measure(self) -> float | None:
        """Measured at once."""
        return 137.0

    async def rewrite(
        self, prompt: str, sampler: SamplerOptions, *, given: Mapping[Band, str] | None
    ) -> AsyncIterator[events.Event]:
        """Write what is not given, as long as it is not stopped."""
        self._stopped = False
        draft = Draft(dict.fromkeys(Band, "") | dict(given or {}), set(given or {}))
        texts = self._random.choice([TEXTS, TEXTS, HOSTILE])
        fails = self._random.random() < 0.1
        for band, text in texts.items():
            if band in draft.done:
                continue
            for at in range(0, len(text), _PIECE):
                await asyncio.sleep(0)
                if self._stopped:
                    yield events.Stopped(draft)
                    return
                draft.texts[band] += text[at : at + _PIECE]
                yield events.BandDelta(band, text[at : at + _PIECE])
            draft.done.add(band)
            yield events.BandDone(band, text)
            if fails:
                yield events.Failed(SincError("The engine ended.", hint="Run again."), draft)
                return
        for verdict in check(draft):
            yield events.InvariantChanged(verdict)
        if all(verdict.status == "pass" for verdict in check(draft)):
            yield events.Finished(SincDocument.from_bands(draft.texts), STATS)
        else:
            yield events.Failed(SincError("The result is not valid."), draft)

    async def stop(self) -> None:
        """The run under way ends at its next piece."""
        self._stopped = True

    async def close(self) -> None:
        """Nothing is held."""
