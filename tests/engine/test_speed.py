"""Measuring how fast a model writes: a few tokens of a real run, never more than needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from sinc_tui.engine import speed
from sinc_tui.engine.decoder import Decoder
from sinc_tui.engine.job import Listener, Request
from sinc_tui.engine.runtime import Cancelled
from sinc_tui.engine.service import open_decoder
from sinc_tui.engine.speed import measure
from sinc_tui.models.default import ModelFile
from sinc_tui.sinc.bands import Band


class Writer:
    """A decoder that writes a token every so many seconds of a clock of its own."""

    def __init__(self, every: float, most: int = 1000) -> None:
        self.now, self.tokens = 0.0, 0
        self._every, self._most = every, most

    def decompose(
        self, _request: Request, listener: Listener, cancelled: Callable[[], bool]
    ) -> None:
        while self.tokens < self._most:
            if cancelled():
                raise Cancelled
            self.now += self._every
            self.tokens += 1
            listener.delta(Band.PERSONA, "word ")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Callable[..., float]:
    def run(writer: Writer, stopped: Callable[[], bool] = lambda: False) -> float:
        monkeypatch.setattr(speed.time, "perf_counter", lambda: writer.now)
        return measure(cast(Decoder, writer), stopped)

    return run


@pytest.mark.parametrize(("every", "tokens"), [(0.01, 49), (0.5, 10), (30.0, 2)])
def test_stops_as_soon_as_it_knows(
    measured: Callable[..., float], every: float, tokens: int
) -> None:
    writer = Writer(every)
    assert measured(writer) == pytest.approx(1 / every)
    assert writer.tokens == tokens


def test_a_short_document_does(measured: Callable[..., float]) -> None:
    assert measured(Writer(0.1, most=5)) == pytest.approx(10)
    assert measured(Writer(0.1, most=1)) == 0.0
    assert measured(Writer(0.1, most=0)) == 0.0


def test_stopped_before_it_knows(measured: Callable[..., float]) -> None:
    writer = Writer(0.01)
    with pytest.raises(Cancelled):
        measured(writer, lambda: writer.tokens == 20)
    assert writer.tokens == 20


def test_the_real_model(tiny_model: ModelFile) -> None:
    """It is what a run has, and the next run is as if nothing had been."""
    texts: list[dict[Band, str]] = []
    for measures in (False, True):
        decoder, info = open_decoder(tiny_model.path)
        if measures:
            assert measure(decoder) > 0
        texts.append(decoder.decompose(Request("hi"), speed._Meter())[0])
        assert info.size == pytest.approx(tiny_model.path.stat().st_size, rel=0.05)
    assert texts[0] == texts[1]
