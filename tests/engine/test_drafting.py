"""Drafts: which tokens are guessed, and that they change the number of batches and nothing else."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sinc_tui.engine.decoder import Decoder
from sinc_tui.engine.drafting import PHRASES, Drafts
from sinc_tui.engine.job import Request
from sinc_tui.engine.layout import chatml
from sinc_tui.engine.protocol import DecodeMode, RunStats, SamplerOptions
from sinc_tui.engine.runtime import Run
from sinc_tui.engine.sampler import Logits
from sinc_tui.engine.vocabulary import Vocabulary
from sinc_tui.sinc.bands import Band
from tests.support.hostile_runtime import PIECES, ByteTokenizer, HostileRuntime

ROOT = Path(__file__).parents[2]
PROMPT = "mail the 3 tenants of 12 Elm Row: water off on monday, from 9 to 11, say sorry"


def test_the_prompt_comes_before_phrases_and_a_longer_match_before_a_shorter() -> None:
    drafts = Drafts([b"the end", b"at the start"])
    assert drafts.after(b"the", 3) == list(b" st"), "the last phrase is the commonest"
    drafts.hold(b"the middle")
    assert drafts.after(b"the", 9) == list(b" middle")
    assert drafts.after(b"at the", 9) == list(b" start"), "only the phrase holds four of them"
    assert drafts.after(b"e st", 9) == list(b"art")
    drafts.hold(b"")
    assert drafts.after(b"the", 2) == list(b" s"), "the prompt before is forgotten"


def test_nothing_to_guess() -> None:
    drafts = Drafts([b"abc"])
    assert drafts.after(b"", 3) == []
    assert drafts.after(b"x", 3) == []
    assert drafts.after(b"abc", 3) == [], "nothing follows the end"
    assert drafts.after(b"ab", 0) == []
    assert drafts.after(b"xa", 2) == list(b"bc")
    assert drafts.after(b"xa", 2, least=2) == []


def test_the_phrases_hold_the_stock_rules() -> None:
    brief = (ROOT / "assets/teacher/brief-plain.md").read_text(encoding="utf-8")
    section = brief.partition("## Stock rules of CONSTRAINTS\n")[2].partition("\n## ")[0]
    rules = {line.removeprefix("- ") for line in section.splitlines() if line.startswith("- ")}
    assert len(rules) == 50
    assert rules <= set(PHRASES)


class Writing(HostileRuntime):
    """Logits that follow from the text of a sequence alone, as a model's do; often what a draft says."""

    def __init__(self, rows: int, seed: int) -> None:
        super().__init__(lambda *_: None, 0)
        self.rows = rows
        self._seed = seed
        self._given: list[Logits] = []
        self._known = Drafts([*(list(f" {p}".encode()) for p in PHRASES), list(PROMPT.encode())])

    def evaluate(self, runs: Sequence[Run], *, logits: bool = True) -> list[Logits]:
        super().evaluate(runs, logits=False)
        for row in self._given:
            row.fill(np.nan)
        self._given = [
            self._after([cell.token for cell in self.cells[run.sequence]][: run.position + size])
            for run in runs
            for size in range(len(run.tokens) - run.wanted + 1, len(run.tokens) + 1)
            if logits
        ]
        return self._given

    def _after(self, tokens: list[int]) -> Logits:
        random = np.random.default_rng([zlib.crc32(bytes(t % 256 for t in tokens)), self._seed])
        row = random.random(len(PIECES), np.float32)
        row[list(b' .,0139etaoinshr"')] += 1
        if random.random() < 0.9 and (likely := self._known.after(tokens, 1)):
            row[likely[0]] += 2
        return row


class Heard:
    """What a listener hears."""

    def __init__(self) -> None:
        self.texts = dict.fromkeys(Band, "")

    def delta(self, band: Band, text: str) -> None:
        self.texts[band] += text

    def band_end(self, band: Band, text: str) -> None:
        """Said in the document too."""


def written(
    rows: int, seed: int, mode: DecodeMode
) -> tuple[dict[Band, str], RunStats, Heard, Writing]:
    tokenizer, runtime, heard = ByteTokenizer(), Writing(rows, seed), Heard()
    decoder = Decoder(runtime, tokenizer, Vocabulary(PIECES), chatml(tokenizer))
    options = SamplerOptions(decode=mode, seed=seed % 3)
    texts, stats = decoder.decompose(Request(PROMPT, options), heard)
    again, _ = decoder.decompose(Request(PROMPT, options), Heard())
    assert again == texts
    return texts, stats, heard, runtime


@pytest.mark.parametrize("mode", ["sequential", "parallel"])
def test_drafts_change_the_batches_and_nothing_else(mode: DecodeMode) -> None:
    taken_back = saved = 0
    for seed in range(12):
        texts, stats, heard, runtime = written(4, seed, mode)
        plain_texts, plain_stats, plain_heard, plain_runtime = written(1, seed, mode)
        assert texts == plain_texts
        assert heard.texts == plain_heard.texts
        assert (stats.free_tokens, stats.masks) == (plain_stats.free_tokens, plain_stats.masks)
        taken_back += stats.masks.get("number_guard", 0)
        saved += len(plain_runtime.evaluated) - len(runtime.evaluated)
    assert saved > 100, "drafts were hit"
    assert taken_back > 10, "numbers were taken back among them"
