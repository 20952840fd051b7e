"""A rewriter without a model, for commands run in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sinc_tui.engine.protocol import EngineOptions, ModelInfo, RunStats, SamplerOptions
from sinc_tui.errors import SincError
from sinc_tui.events import BandDelta, BandDone, Event, Failed, Finished, Loading, ModelReady
from sinc_tui.models.default import ModelFile
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.sinc.draft import Draft

TEXTS = {
    Band.PERSONA: "You are a programmer.",
    Band.CONTEXT: "Not given: the file.",
    Band.DATA: "Line 3: “x = \u001b1” 日本.",
    Band.CONSTRAINTS: "Ask for the file. Change line 3 and nothing else.",
    Band.FORMAT: "The line in a code block.",
    Band.TASK: "Fix line 3.",
}
DOCUMENT = SincDocument.from_bands(TEXTS)
INFO = ModelInfo(
    name="fake", trained=False, backend="CPU", n_ctx=512, n_threads=1, n_gpu_layers=0, layout="none",
    notes=["4 of 9 layers fit on CUDA; the CPU does the others."],
)  # fmt: skip
NOTE = "DATA was cut at 120 characters."


class FakeRewriter:
    """Answers every prompt with one document, and remembers what it was asked.

    Attributes:
        error: when set, the run fails with it.
        asked: the prompts and options of each run.
        model: the model that it was made for.
        options: how that is to be run.
        closed: whether its engine was ended.
    """

    info = INFO

    def __init__(self) -> None:
        self.error: SincError | None = None
        self.asked: list[tuple[str, SamplerOptions]] = []
        self.model: ModelFile | None = None
        self.options = EngineOptions()
        self.closed = False

    def made_for(self, model: ModelFile | None, options: EngineOptions) -> FakeRewriter:
        self.model, self.options = model, options
        return self

    async def rewrite(self, prompt: str, sampler: SamplerOptions) -> AsyncIterator[Event]:
        self.asked.append((prompt, sampler))
        yield Loading("loading the model", 0.5)
        yield ModelReady(INFO)
        for band, text in TEXTS.items():
            yield BandDelta(band, text)
            yield BandDone(band, text)
        if self.error is not None:
            yield Failed(self.error, Draft())
            return
        stats = RunStats(
            prompt_tokens=9, free_tokens=40, seconds=2.0, seconds_to_first=0.1,
            notes=[NOTE], seed=sampler.seed,
        )  # fmt: skip
        yield Finished(DOCUMENT, stats)

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def rewriter(monkeypatch: pytest.MonkeyPatch) -> FakeRewriter:
    """The rewriter that commands get in this test."""
    fake = FakeRewriter()
    monkeypatch.setattr("sinc_tui.cli.rewrite.new_rewriter", fake.made_for)
    return fake


@pytest.fixture
def document_file(tmp_path: Path) -> Path:
    """A valid document on disk."""
    path = tmp_path / "good.sinc.json"
    path.write_text(DOCUMENT.model_dump_json(), encoding="utf-8")
    return path
