"""An adapter that is applied at run time: the same student as the merged one, but for the rounding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sinc_tui import paths
from sinc_tui.engine.layout import LAYOUT_KEY, lines
from sinc_tui.engine.llama_runtime import LlamaRuntime, silence
from sinc_tui.engine.llama_vocab import LlamaVocab
from sinc_tui.engine.protocol import EngineOptions
from sinc_tui.engine.runtime import Run, RuntimeFailure
from sinc_tui.engine.sampler import Logits
from sinc_tui.models.default import embedded_base
from sinc_tui.models.merging import merge
from sinc_tui.sinc.bands import Band

ADAPTER = "tiny.adapter.gguf"
ANSWER = "You are a careful programmer who fixes single lines of code."


@pytest.fixture(autouse=True)
def _quiet() -> None:
    silence()


def opened(path: Path, adapter: Path | None = None) -> LlamaRuntime:
    return LlamaRuntime(path, EngineOptions(n_ctx=512), adapter=adapter)


def steps(runtime: LlamaRuntime) -> list[Logits]:
    """Logits after every token of an answer, in the student's own layout."""
    vocab = LlamaVocab(runtime.model)
    layout = lines(vocab)
    opener = layout.scaffold.openers[Band.PERSONA]
    tokens = [*layout.prompt(vocab, "fix line 3"), *opener, *vocab.encode(ANSWER)]
    return [
        runtime.evaluate([Run(0, position, [token])])[0].copy()
        for position, token in enumerate(tokens)
    ]


def agreement(ours: list[Logits], theirs: list[Logits]) -> float:
    """Share of the steps at which both would choose the same token."""
    same = [int(a.argmax()) == int(b.argmax()) for a, b in zip(ours, theirs, strict=True)]
    return float(np.mean(same))


def test_as_the_merged_student_and_not_as_its_base(tmp_path: Path) -> None:
    """Rounding to Q8_0 changes a near tie now and then; without the adapter it is another model."""
    whole = tmp_path / "merged.gguf"
    merge(embedded_base(), paths.assets() / ADAPTER, whole, quantization="Q8_0")
    runtime = opened(embedded_base(), paths.assets() / ADAPTER)
    assert runtime.metadata(LAYOUT_KEY) == "lines"
    assert runtime.metadata("general.architecture") == "llama"
    with_adapter, merged = steps(runtime), steps(opened(whole))
    base = opened(embedded_base())
    assert base.metadata(LAYOUT_KEY) is None
    assert agreement(with_adapter, merged) > 0.85
    assert agreement(with_adapter, merged) > agreement(steps(base), merged) + 0.2


@pytest.mark.parametrize("name", ["small.adapter.gguf", "sinc.gbnf", "no-such-file.gguf"])
def test_what_is_no_adapter_of_this_model(name: str) -> None:
    with pytest.raises(RuntimeFailure, match=f"The adapter {name} does not fit the model"):
        opened(embedded_base(), paths.assets() / name)
