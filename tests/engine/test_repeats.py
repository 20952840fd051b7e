"""Bands that say what another says are written anew, and lose nothing by it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from sinc_tui.engine.decoder import Decoder
from sinc_tui.engine.job import Request
from sinc_tui.engine.layout import lines
from sinc_tui.engine.protocol import DecodeMode, RunStats, SamplerOptions
from sinc_tui.engine.runtime import Run
from sinc_tui.engine.sampler import Logits
from sinc_tui.engine.vocabulary import Vocabulary
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.likeness import repeats
from tests.support.hostile_runtime import PIECES, POLICIES, ByteTokenizer, HostileRuntime

PROMPT = "my kiln 3 tripped at cone 6 and the glaze ran, what now"
TEXTS = {
    Band.PERSONA: ["You are a potter who fires kilns."],
    Band.CONTEXT: ["The kiln 3 tripped at cone 6 and the glaze ran."],
    Band.DATA: ["my kiln 3 tripped at cone 6 and the glaze ran."],
    Band.CONSTRAINTS: [
        "Keep cone 6 as given. Put the most likely cause first. Give the steps in order, one action each. "
        "Say which of them must be done before the kiln is used again. Mark every guess as a guess."
    ],
    Band.FORMAT: ["The cause, then the steps to take."],
    Band.TASK: ["Say what to do now that the glaze ran."],
}


class Scribe(HostileRuntime):
    """Writes given texts: in each band the first one that begins as the band does so far."""

    def __init__(self, texts: Mapping[Band, Sequence[str]]) -> None:
        super().__init__(POLICIES["random"], 1)
        self.rows = 1
        self._texts = texts

    def evaluate(self, runs: Sequence[Run], *, logits: bool = True) -> list[Logits]:
        super().evaluate(runs)
        return [self._next(self.text(run.sequence).decode()) for run in runs] if logits else []

    def _next(self, seen: str) -> Logits:
        row = np.full(len(PIECES), -20.0, np.float32)
        opened = re.search(r'([A-Z]+): "([^"\n]*)\Z', seen)
        if opened is not None:
            texts = self._texts[Band(opened[1])]
            text = next((t for t in texts if t.startswith(opened[2])), opened[2])
            row[f'{text}"'.encode()[len(opened[2])]] = 20.0
        return row


class Ends:
    """Remembers what each band ended as, in order."""

    def __init__(self) -> None:
        self.heard: list[tuple[Band, str]] = []
        self.grown = ""

    def delta(self, band: Band, text: str) -> None:
        if band is Band.CONTEXT:
            self.grown += text

    def band_end(self, band: Band, text: str) -> None:
        self.heard.append((band, text))


def written(
    mode: DecodeMode,
    texts: Mapping[Band, Sequence[str]],
    given: Mapping[Band, str] | None = None,
    *,
    free: bool = False,
) -> tuple[dict[Band, str], RunStats, Ends]:
    """What a decoder makes of the prompt when the model writes `texts`."""
    tokenizer = ByteTokenizer()
    decoder = Decoder(Scribe(texts), tokenizer, Vocabulary(PIECES), lines(tokenizer))
    ends = Ends()
    request = Request(PROMPT, SamplerOptions(decode=mode), given or {}, free=free)
    bands, stats = decoder.decompose(request, ends)
    return bands, stats, ends


MODES: tuple[DecodeMode, ...] = ("sequential", "parallel")


@pytest.mark.parametrize("mode", MODES)
def test_a_context_that_repeats_data_is_written_anew(mode: DecodeMode) -> None:
    again = "The user wants to know what to do about the kiln."
    texts = {**TEXTS, Band.CONTEXT: [*TEXTS[Band.CONTEXT], again]}

    bands, stats, ends = written(mode, texts)

    assert bands == {**{band: first for band, (first, *_) in texts.items()}, Band.CONTEXT: again}
    assert stats.masks["repeat_keeper"] == 1
    assert ends.heard[-1] == (Band.CONTEXT, again)
    assert ends.grown == TEXTS[Band.CONTEXT][0], "what the screen shows grows in one text only"


def test_only_the_first_sentence_is_taken_when_the_rest_repeats() -> None:
    again = "The user wants help. My kiln 3 tripped at cone 6 and the glaze ran."
    bands, _, _ = written("parallel", {**TEXTS, Band.CONTEXT: [*TEXTS[Band.CONTEXT], again]})
    assert bands[Band.CONTEXT] == "The user wants help."


def test_the_next_beginning_is_tried_when_the_first_repeats_too() -> None:
    stubborn = "The user wants my kiln 3 tripped at cone 6 and the glaze ran."
    again = "The user has a kiln that tripped."
    texts = {**TEXTS, Band.CONTEXT: [*TEXTS[Band.CONTEXT], stubborn, again]}
    bands, _, _ = written("parallel", texts)
    assert bands[Band.CONTEXT] == again


def test_format_gives_way_to_task() -> None:
    task = "Write a short notice for the kiln room about the glaze."
    texts = {
        **TEXTS,
        Band.TASK: [task],
        Band.FORMAT: [task.replace("Write a", "A"), "Only the notice, ready to print."],
    }
    bands, _, _ = written("parallel", texts)
    assert bands[Band.FORMAT] == "Only the notice, ready to print."


def test_a_draft_that_loses_a_fact_is_not_taken() -> None:
    """DATA is given and lacks a number that CONTEXT alone tells: it stays, though it repeats."""
    given = {Band.DATA: "my kiln tripped at cone 6 and the glaze ran and the shelf."}
    context = "My kiln 3 tripped at cone 6 and the glaze ran and the shelf."
    texts = {
        **TEXTS,
        Band.CONTEXT: [context, "The user wants to know what to do about the oven."],
        Band.CONSTRAINTS: [TEXTS[Band.CONSTRAINTS][0].replace("Keep cone 6 as given. ", "")],
    }
    bands, stats, _ = written("parallel", texts, given)
    assert repeats(PROMPT, bands) == [(Band.CONTEXT, Band.DATA)]
    assert bands[Band.CONTEXT] == context
    assert "repeat_keeper" not in stats.masks


@pytest.mark.parametrize("free", [True, False])
def test_what_is_given_and_what_is_free_stays(free: bool) -> None:
    same = TEXTS[Band.CONTEXT][0]
    again = "The user wants to know what to do about the kiln."
    texts = {**TEXTS, Band.CONTEXT: [same, again]}
    bands, stats, _ = written("parallel", texts, {} if free else {Band.CONTEXT: same}, free=free)
    assert bands[Band.CONTEXT] == same
    assert "repeat_keeper" not in stats.masks
