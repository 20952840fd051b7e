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
from sinc_tui.engine.runtime import Cancelled, Run, RuntimeFailure
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

AGAIN = "The user wants to know what to do about the kiln."


class Scribe(HostileRuntime):
    """Writes given texts: in each band the first one that begins as the band does so far."""

    def __init__(self, texts: Mapping[Band, Sequence[str]], rows: int = 1) -> None:
        super().__init__(POLICIES["random"], 1)
        self.rows = rows
        self._texts = texts

    def evaluate(self, runs: Sequence[Run], *, logits: bool = True) -> list[Logits]:
        super().evaluate(runs)
        rows = []
        for run in runs:
            seen = self.text(run.sequence).decode()
            rows += [self._next(seen[: len(seen) - n]) for n in reversed(range(run.wanted))]
        return rows if logits else []

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
    prompt: str = PROMPT,
    free: bool = False,
) -> tuple[dict[Band, str], RunStats, Ends]:
    """What a decoder makes of the prompt when the model writes `texts`."""
    tokenizer = ByteTokenizer()
    decoder = Decoder(Scribe(texts), tokenizer, Vocabulary(PIECES), lines(tokenizer))
    ends = Ends()
    sampler = SamplerOptions(decode=mode, dry_multiplier=0)
    request = Request(prompt, sampler, given or {}, free=free)
    bands, stats = decoder.decompose(request, ends)
    return bands, stats, ends


MODES: tuple[DecodeMode, ...] = ("sequential", "parallel")


@pytest.mark.parametrize("mode", MODES)
def test_a_context_that_repeats_data_is_written_anew(mode: DecodeMode) -> None:
    texts = {**TEXTS, Band.CONTEXT: [*TEXTS[Band.CONTEXT], AGAIN]}

    bands, stats, ends = written(mode, texts)

    assert bands == {**{band: first for band, (first, *_) in texts.items()}, Band.CONTEXT: AGAIN}
    assert stats.masks["repeat_keeper"] == 1
    assert ends.heard[-1] == (Band.CONTEXT, AGAIN)
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
        Band.CONTEXT: [AGAIN],
        Band.TASK: [task],
        Band.FORMAT: [task.replace("Write a", "A"), "Only the notice, ready to print."],
    }
    bands, _, _ = written("parallel", texts)
    given = {Band.FORMAT: "Only the notice, ready to print.", Band.CONTEXT: AGAIN}
    assert bands == {**{band: first for band, (first, *_) in texts.items()}, **given}


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
    texts = {**TEXTS, Band.CONTEXT: [same, AGAIN]}
    bands, stats, _ = written("parallel", texts, {} if free else {Band.CONTEXT: same}, free=free)
    assert bands[Band.CONTEXT] == same
    assert "repeat_keeper" not in stats.masks


def redrafted(*contexts: str) -> str:
    """CONTEXT at the end when the model writes DATA's words first and these if asked again."""
    texts = {**TEXTS, Band.CONTEXT: [*TEXTS[Band.CONTEXT], *contexts]}
    bands, _, _ = written("parallel", texts)
    assert len(bands[Band.CONTEXT]) < len(bands[Band.CONSTRAINTS])
    return bands[Band.CONTEXT]


@pytest.mark.parametrize("bare", ["The user wants", "The user wants."])
def test_a_beginning_alone_is_no_band(bare: str) -> None:
    assert redrafted(bare, "The user has a kiln.") == "The user has a kiln."
    assert redrafted(bare) == TEXTS[Band.CONTEXT][0]


def test_a_band_that_begins_so_already_is_not_begun_so_again() -> None:
    task = "Know what to do now that the glaze ran on all the shelves of the kiln today."
    context = f"The user wants to k{task[1:]}"
    texts = {**TEXTS, Band.TASK: [task], Band.CONTEXT: [context, "The user has a kiln."]}
    bands, _, _ = written("parallel", texts)
    assert bands[Band.CONTEXT] == "The user has a kiln."


def test_a_draft_takes_no_number_from_other_bands_and_none_too_often() -> None:
    """FORMAT may hold a length that nobody typed; a draft that is written beside it may not."""
    texts = {
        **TEXTS,
        Band.FORMAT: ["The cause, then 45 words."],
        Band.CONTEXT: [*TEXTS[Band.CONTEXT], "The user wants 45 steps to mend the kiln."],
    }
    bands, _, _ = written("parallel", texts)
    assert "45" in bands[Band.FORMAT]
    assert "45" not in bands[Band.CONTEXT]
    assert redrafted("The user wants cone 6, cone 6 and cone 6.").count("6") <= 1


def test_a_clause_that_only_the_first_text_tells_is_not_lost_among_many() -> None:
    """Of a text of which many clauses are missing none is put in, but what was told stays told."""
    prompt = (
        "my kiln tripped at cone 6 and the glaze ran; neighbours complain loudly; somebody borrowed tongs; "
        "winter pottery fair approaches; brother wants refund; landlord forbids wiring; "
        "shelves crack often; cousin bakes bread; window leaks water"
    )
    told = "My kiln tripped at cone 6 and the glaze ran; neighbours complain loudly; shelves crack often."
    data = told.lower().replace("; shelves crack often", "")
    texts = {**TEXTS, Band.CONTEXT: [told, "The user wants help."], Band.DATA: [data]}
    bands, _, _ = written("parallel", texts, prompt=prompt)
    assert (Band.CONTEXT, Band.DATA) in repeats(prompt, {**bands, Band.CONTEXT: told})
    assert bands[Band.CONTEXT] == told


@pytest.mark.parametrize("rows", [1, 4])
@pytest.mark.parametrize("mode", MODES)
def test_the_prompt_is_read_once_and_the_next_run_gives_the_same(
    mode: DecodeMode, rows: int
) -> None:
    runtime = Scribe({**TEXTS, Band.CONTEXT: [*TEXTS[Band.CONTEXT], AGAIN]}, rows)
    tokenizer = ByteTokenizer()
    decoder = Decoder(runtime, tokenizer, Vocabulary(PIECES), lines(tokenizer))
    request = Request(PROMPT, SamplerOptions(decode=mode))

    first, _ = decoder.decompose(request, Ends())
    second, _ = decoder.decompose(request, Ends())

    assert first == second
    assert first[Band.CONTEXT] == AGAIN
    long = [run for runs in runtime.evaluated for run in runs if len(run.tokens) > len(PROMPT)]
    assert len([run for run in long if run.position == len(lines(tokenizer).before)]) == 1


@pytest.mark.parametrize("trouble", [Cancelled(), RuntimeFailure("llama.cpp refused")])
@pytest.mark.parametrize("mode", MODES)
def test_a_whole_document_outlives_what_happens_to_a_draft(
    mode: DecodeMode, trouble: Exception
) -> None:
    class Falling(Scribe):
        def _next(self, seen: str) -> Logits:
            if seen.endswith("The user wants to"):
                raise trouble
            return super()._next(seen)

    texts = {**TEXTS, Band.CONTEXT: [*TEXTS[Band.CONTEXT], AGAIN]}
    tokenizer = ByteTokenizer()
    decoder = Decoder(Falling(texts), tokenizer, Vocabulary(PIECES), lines(tokenizer))

    bands, _ = decoder.decompose(Request(PROMPT, SamplerOptions(decode=mode)), Ends())
    assert bands == {band: first for band, (first, *_) in TEXTS.items()}
    bands, _ = decoder.decompose(Request("other", SamplerOptions(decode=mode)), Ends())
    assert bands[Band.PERSONA] == TEXTS[Band.PERSONA][0]


def test_notes_and_figures_are_those_of_the_text_that_stays() -> None:
    long = "The " + PROMPT[3:] + " on" * 200
    texts = {**TEXTS, Band.DATA: [f"{PROMPT}."], Band.CONTEXT: [long, AGAIN]}
    _, plain, _ = written("parallel", TEXTS | {Band.CONTEXT: [AGAIN]})
    bands, stats, _ = written("parallel", texts)
    assert bands[Band.CONTEXT] == AGAIN
    assert not [note for note in stats.notes if note.startswith("CONTEXT")]
    assert stats.free_tokens > plain.free_tokens


@pytest.mark.parametrize("mode", MODES)
def test_a_rule_stands_once(mode: DecodeMode) -> None:
    rules = TEXTS[Band.CONSTRAINTS][0]
    twice = f"{rules} Put the most likely cause first."
    bands, _, _ = written(mode, {**TEXTS, Band.CONTEXT: [AGAIN], Band.CONSTRAINTS: [twice]})
    assert bands[Band.CONSTRAINTS] == rules
