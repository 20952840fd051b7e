"""The default model in this process, loaded once, for what only the real one can show."""

from __future__ import annotations

import pytest

from sinc_tui.engine.llama_runtime import LlamaRuntime, silence
from sinc_tui.engine.llama_vocab import LlamaVocab
from sinc_tui.models.default import ModelFile


@pytest.fixture(scope="session")
def llama(tiny_model: ModelFile) -> LlamaRuntime:
    """The model with a context of its own; a test that uses it leaves cells behind."""
    silence()
    return LlamaRuntime(tiny_model.path)


@pytest.fixture(scope="session")
def llama_vocab(llama: LlamaRuntime) -> LlamaVocab:
    """Its vocabulary."""
    return LlamaVocab(llama.model)
