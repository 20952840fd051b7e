"""Whatever a model does, the document is valid: hostile logits in both decoding orders."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import sinc_prompt

from sinc_tui.engine.answers import Finish
from sinc_tui.engine.decoder import Decoder
from sinc_tui.engine.job import Request
from sinc_tui.engine.layout import TRAINED, lines
from sinc_tui.engine.limits import LEAST_RULES, Limit
from sinc_tui.engine.protocol import DecodeMode, SamplerOptions
from sinc_tui.engine.repeats import STARTS
from sinc_tui.engine.sampler import Sampler
from sinc_tui.engine.verbatim import VerbatimGuard
from sinc_tui.engine.vocabulary import Vocabulary
from sinc_tui.engine.writer import BandWriter
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.clauses import lost_clauses
from sinc_tui.sinc.document import SincDocument
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.grounding import extract_facts
from sinc_tui.sinc.invariants import Status, check
from sinc_tui.sinc.rulesets import problems
from tests.support.hostile_runtime import PIECES, POLICIES, ByteTokenizer, HostileRuntime

PROMPTS = [
    "fix line 3",
    "",
    "pay 1,200.50 to 12C before 2024-02-01, v2.3.1",
    'say "hi" \\ {} 日本 ½',
    "book the small room, nobody should smoke inside; 4 people",
]
SEEDS = range(17)
VOCABULARY = Vocabulary(PIECES)


class Recorder:
    """What a listener heard, put together as a front end would."""

    def __init__(self) -> None:
        self.draft = Draft()

    def delta(self, band: Band, text: str) -> None:
        assert band not in self.draft.done
        self.draft.texts[band] += text

    def band_end(self, band: Band, text: str) -> None:
        self.draft.texts[band] = text
        self.draft.done.add(band)


LAYOUTS = list(TRAINED.values())


def decompose(
    policy: str, mode: DecodeMode, seed: int, *, temperature: float = 0.0
) -> tuple[dict[Band, str], Recorder, str]:
    prompt = PROMPTS[seed % len(PROMPTS)]
    tokenizer, heard = ByteTokenizer(), Recorder()
    runtime = HostileRuntime(POLICIES[policy], seed)
    layout = LAYOUTS[seed % len(LAYOUTS)](tokenizer)
    decoder = Decoder(runtime, tokenizer, VOCABULARY, layout)
    sampler = SamplerOptions(seed=seed, decode=mode, temperature=temperature)
    texts, _ = decoder.decompose(Request(prompt, sampler), heard)
    return texts, heard, prompt


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("mode", ["sequential", "parallel"])
@pytest.mark.parametrize("again", [False, True], ids=["once", "again"])
def test_every_document_is_valid(
    policy: str, mode: DecodeMode, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where every band that can be written anew is, repeat it another or not."""
    if again:
        every = [(band, start) for band, starts in STARTS.items() for start in starts]
        monkeypatch.setattr(
            "sinc_tui.engine.decoder.beginnings",
            lambda job: every if len(job.texts[Band.CONSTRAINTS]) > LEAST_RULES else [],
        )
    for seed in SEEDS:
        texts, heard, prompt = decompose(policy, mode, seed, temperature=float(seed % 3))
        assert heard.draft.texts == texts
        verdicts = check(heard.draft)
        assert all(v.status is Status.PASS for v in verdicts), (seed, verdicts, texts)
        document = SincDocument.from_bands(texts).model_dump_json()
        for rules in ("sinc-tui", "article", "sinc-prompt"):
            assert problems(document, rules) == [], (seed, rules, texts)
        assert sinc_prompt.validate(json.loads(document)) == (True, []), (seed, texts)
        for band in set(Band) - {Band.FORMAT}:
            assert _numbers(texts[band]) <= _numbers(prompt), (seed, band, texts)
            assert _joined(texts[band]) <= _joined(prompt), (seed, band, texts)
        facts = [fact.text for fact in extract_facts(prompt)]
        for item in texts[Band.DATA].removesuffix(".").split("; "):
            assert item in facts or VerbatimGuard(prompt).closes(item), (seed, texts)
        assert lost_clauses(prompt, texts.values()) == [], (seed, texts)


def _numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+", text))


def _joined(text: str) -> set[tuple[str, str]]:
    """Runs of digits with a mark between them: the first with the mark, and the second."""
    return set(re.findall(r"(?<!\d)(\d+[.,:/-])(?=(\d+))", text))


def test_same_seed_same_document() -> None:
    for mode in ("sequential", "parallel"):
        first, _, _ = decompose("random", mode, 5, temperature=1.0)
        again, _, _ = decompose("random", mode, 5, temperature=1.0)
        assert first == again


def test_given_bands_are_kept() -> None:
    given = {Band.DATA: "x" * 600, Band.TASK: "Do it."}
    for mode in ("sequential", "parallel"):
        tokenizer, heard = ByteTokenizer(), Recorder()
        decoder = Decoder(
            HostileRuntime(POLICIES["random"], 1), tokenizer, VOCABULARY, lines(tokenizer)
        )
        request = Request("fix", SamplerOptions(decode=mode), given=given)
        texts, _ = decoder.decompose(request, heard)
        assert {band: texts[band] for band in given} == given
        assert len(texts[Band.CONSTRAINTS]) > 600


def test_task_is_cut_where_one_token_ends_it_and_starts_another_sentence() -> None:
    pieces = [b"Do it.", b" ", b'T"', b"x"]
    writer = BandWriter(Band.TASK, Vocabulary(pieces), Sampler(SamplerOptions(), 0), Limit(90, 90))
    answers = [writer.write(np.eye(4, dtype=np.float32)[token] * 9) for token in (0, 1, 2)]
    assert answers[:2] == [0, 1]
    assert answers[2] == Finish("Do it.")
