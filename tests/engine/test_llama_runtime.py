"""The runtime on llama.cpp with the real model: the same bits whatever happened before."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

from sinc_tui.engine.llama_runtime import LlamaRuntime
from sinc_tui.engine.llama_vocab import LlamaVocab
from sinc_tui.engine.machine import physical_cores
from sinc_tui.engine.plan import SHORT_PROMPT
from sinc_tui.engine.protocol import EngineOptions
from sinc_tui.engine.runtime import Cancelled, Run, RuntimeFailure
from sinc_tui.engine.sampler import Logits
from sinc_tui.errors import SincError
from sinc_tui.models.default import ModelFile

PREFIX = "You are an engine. Decompose the prompt into six bands."
ANSWER = "Fix line 3 of the code and nothing else."


@pytest.fixture
def runtime(llama: LlamaRuntime) -> Iterator[LlamaRuntime]:
    """The model with an empty cache, ready for short prompts."""
    llama.prepare(1)
    _clear(llama)
    yield llama
    llama.prepare(1)
    _clear(llama)


def _clear(runtime: LlamaRuntime) -> None:
    for sequence in range(7):
        runtime.forget(sequence, 0)


@pytest.fixture
def answer(runtime: LlamaRuntime, llama_vocab: LlamaVocab) -> Callable[[int], list[Logits]]:
    """Evaluates an answer token by token from a position on; the logits of every step."""

    def write(position: int) -> list[Logits]:
        rows = []
        for offset, token in enumerate(llama_vocab.encode(ANSWER)):
            (row,) = runtime.evaluate([Run(0, position + offset, [token])])
            rows.append(row.copy())
        return rows

    return write


def _equal(ours: list[Logits], theirs: list[Logits]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_the_same_bits_again(
    runtime: LlamaRuntime, llama_vocab: LlamaVocab, answer: Callable[[int], list[Logits]]
) -> None:
    """After the same prefix, after longer text that was forgotten, after branches that were."""
    prefix = llama_vocab.encode(PREFIX)
    start = len(prefix)
    runtime.evaluate([Run(0, 0, prefix)])
    first = answer(start)
    runtime.forget(0, start)
    assert _equal(answer(start), first)
    runtime.forget(0, start)
    runtime.evaluate([Run(0, start, prefix * 5)])
    runtime.forget(0, start)
    assert _equal(answer(start), first)
    runtime.fork(0, [1, 2])
    position = start + len(first)
    runtime.evaluate([Run(s, position, prefix) for s in (1, 2)])
    for sequence in (1, 2):
        runtime.forget(sequence, 0)
    runtime.forget(0, start)
    assert _equal(answer(start), first)


@pytest.mark.parametrize("tokens", [10, 4000], ids=["short", "long"])
def test_the_same_bits_with_any_number_of_threads(
    runtime: LlamaRuntime,
    llama_vocab: LlamaVocab,
    answer: Callable[[int], list[Logits]],
    monkeypatch: pytest.MonkeyPatch,
    tokens: int,
) -> None:
    """The number follows how busy the machine is; one branch and several, whatever the attention."""
    prefix, found = (llama_vocab.encode(PREFIX) * 50)[:500], []
    runtime.prepare(tokens)
    for threads in (1, 2, 3):
        monkeypatch.setattr(runtime._pace, "threads", lambda n=threads: n)
        _clear(runtime)
        runtime.evaluate([Run(0, 0, prefix)])
        runtime.fork(0, [1, 2])
        together = runtime.evaluate([Run(s, len(prefix), [1000 + s]) for s in (1, 2)])
        found.append([*(row.copy() for row in together), *answer(len(prefix))])
    assert _equal(found[0], found[1])
    assert _equal(found[0], found[2])


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="elsewhere attention is the same for all"
)
def test_long_prompts_have_an_attention_of_their_own(
    runtime: LlamaRuntime, llama_vocab: LlamaVocab, answer: Callable[[int], list[Logits]]
) -> None:
    prefix = llama_vocab.encode(PREFIX)

    def written() -> list[Logits]:
        runtime.evaluate([Run(0, 0, prefix)])
        return answer(len(prefix))

    short = written()
    assert not runtime.prepare(SHORT_PROMPT)
    assert runtime.prepare(SHORT_PROMPT + 1), "the cache is a new one, and empty"
    long = written()
    assert not runtime.prepare(4000)
    assert not _equal(long, short)
    for ours, theirs in zip(long, short, strict=True):
        assert np.abs(ours - theirs).max() < 1.5
    assert runtime.prepare(10)
    assert _equal(written(), short)


def test_no_memory_for_the_other_attention_is_told_and_no_end(
    tiny_model: ModelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = LlamaRuntime(tiny_model.path, EngineOptions(n_ctx=512))
    monkeypatch.setattr(runtime, "plan", replace(runtime.plan, flash_attention="short"))
    with monkeypatch.context() as full:
        full.setattr(llama_cpp, "llama_init_from_model", lambda *_: None)
        runtime._attention = "on"
        with pytest.raises(RuntimeFailure, match="not enough memory for the model with 512 tokens"):
            runtime.prepare(400)
    assert runtime.prepare(400)
    assert len(runtime.evaluate([Run(0, 0, [1, 2, 3])])) == 1


def test_branches_share_the_prefix_and_go_their_own_ways(
    runtime: LlamaRuntime, llama_vocab: LlamaVocab
) -> None:
    prefix, ways = (
        llama_vocab.encode(PREFIX),
        [llama_vocab.encode(t) for t in (" A cat", " SELECT")],
    )
    runtime.evaluate([Run(0, 0, prefix)])
    runtime.fork(0, [1, 2])
    together = runtime.evaluate(
        [Run(s, len(prefix), way) for s, way in zip((1, 2), ways, strict=True)]
    )
    together = [row.copy() for row in together]
    for way, row in zip(ways, together, strict=True):
        _clear(runtime)
        (alone,) = runtime.evaluate([Run(0, 0, [*prefix, *way])])
        assert int(alone.argmax()) == int(row.argmax())
        assert np.abs(alone - row).max() < 0.5
    assert np.abs(together[0] - together[1]).max() > 1


def test_the_logits_behind_each_draft(runtime: LlamaRuntime, llama_vocab: LlamaVocab) -> None:
    """Drafts ride in one batch with a token of another branch; what was wrong of them is forgotten."""
    prefix = llama_vocab.encode(PREFIX)
    start = len(prefix)
    steps = [llama_vocab.encode(text)[0] for text in (" A", " cat", " sat")]
    runtime.evaluate([Run(0, 0, prefix)])
    runtime.fork(0, [1, 2])
    other = Run(2, start, [llama_vocab.encode(" No")[0]])
    found = runtime.evaluate([Run(1, start, steps, wanted=3), other])
    together = [row.copy() for row in found]
    assert len(together) == 4
    runtime.forget(1, start + 1)
    (again,) = runtime.evaluate([Run(1, start + 1, steps[1:2])])
    assert np.abs(again - together[1]).max() < 0.5
    for size, row in enumerate(together[:3], start=1):
        _clear(runtime)
        (alone,) = runtime.evaluate([Run(0, 0, [*prefix, *steps[:size]])])
        assert int(row.argmax()) == int(alone.argmax())
        assert np.abs(row - alone).max() < 0.5
    assert np.abs(together[0] - together[1]).max() > 1


def test_more_tokens_than_a_batch_holds(runtime: LlamaRuntime, llama_vocab: LlamaVocab) -> None:
    tokens = (llama_vocab.encode(PREFIX) * 80)[:700]
    (row,) = runtime.evaluate([Run(0, 0, tokens)])
    long = row.copy()
    _clear(runtime)
    whole = len(tokens) - len(tokens) % runtime.plan.n_batch
    assert 0 < whole < len(tokens)
    assert runtime.evaluate([Run(0, 0, tokens[:whole])], logits=False) == []
    (row,) = runtime.evaluate([Run(0, whole, tokens[whole:])])
    assert np.array_equal(row, long)


def test_a_full_cache_is_an_error_and_no_end(
    runtime: LlamaRuntime, llama_vocab: LlamaVocab
) -> None:
    prefix = llama_vocab.encode(PREFIX)
    runtime.evaluate([Run(0, 0, prefix)])
    with pytest.raises(RuntimeFailure, match="could not evaluate a batch"):
        runtime.evaluate([Run(0, len(prefix) + 5, [1, 2, 3])])
    _clear(runtime)
    assert len(runtime.evaluate([Run(0, 0, prefix)])) == 1


def test_stopped_in_the_middle_of_a_batch(tiny_model: ModelFile) -> None:
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked >= stop_at

    stop_at = 10**9
    runtime = LlamaRuntime(tiny_model.path, EngineOptions(n_ctx=1024), cancelled=cancelled)
    tokens = LlamaVocab(runtime.model).encode(PREFIX * 8)
    assert asked == 0, "single tokens, as those of the measured pace, are not worth a question"
    runtime._step = 1.0
    runtime.evaluate([Run(0, 0, tokens[:1])])
    assert asked > 10, "but they are where one takes long"
    runtime.forget(0, 0)
    (row,) = runtime.evaluate([Run(0, 0, tokens)])
    wanted = row.copy()
    assert asked > 100, "it is asked many times in one batch"
    runtime.forget(0, 0)
    stop_at = asked + 50
    with pytest.raises(Cancelled):
        runtime.evaluate([Run(0, 0, tokens)])
    assert asked <= stop_at + 10
    stop_at = 10**9
    runtime.forget(0, 0)
    (row,) = runtime.evaluate([Run(0, 0, tokens)])
    assert np.array_equal(row, wanted)


def test_what_is_known_of_it(llama: LlamaRuntime) -> None:
    assert llama.metadata("general.architecture") == "llama"
    assert llama.metadata("sinc.layout") == "lines"
    assert llama.metadata("no.such.key") is None
    assert llama.plan.n_ctx == 8192
    assert llama.rows == 4
    assert llama.n_ctx == 8189, "three cells are kept for drafts"
    assert llama.n_threads == physical_cores()


def test_options(tiny_model: ModelFile) -> None:
    runtime = LlamaRuntime(
        tiny_model.path, EngineOptions(n_ctx=512, n_threads=1, n_gpu_layers=0, n_batch=64)
    )
    assert (runtime.plan.n_ctx, runtime.n_threads, runtime.plan.n_gpu_layers) == (512, 1, 0)
    assert (runtime.plan.backend, runtime.plan.n_batch) == ("CPU", 64)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no limit on memory is kept")
def test_a_context_that_no_memory_holds(tiny_model: ModelFile) -> None:
    """In a process that may have little: where memory is handed out freely, asking is dangerous."""
    program = f"""
import resource
from pathlib import Path
from sinc_tui.engine.llama_runtime import LlamaRuntime, silence
from sinc_tui.engine.protocol import EngineOptions
from sinc_tui.errors import SincError

silence()
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
try:
    LlamaRuntime(Path({str(tiny_model.path)!r}), EngineOptions(n_ctx=1_000_000))
except SincError as error:
    print(error)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith(
        "There is not enough memory for tiny.gguf with 1,000,000 tokens of context."
    )


def test_progress(tiny_model: ModelFile) -> None:
    heard: list[float] = []
    LlamaRuntime(tiny_model.path, EngineOptions(n_ctx=256), progress=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.999])
def test_a_truncated_model(tiny_model: ModelFile, tmp_path: Path, share: float) -> None:
    path = tmp_path / "half.gguf"
    size = max(24, int(tiny_model.path.stat().st_size * share))
    with tiny_model.path.open("rb") as whole:
        path.write_bytes(whole.read(size))
    with pytest.raises(SincError, match=r"half\.gguf is damaged: it (ends|holds no)") as caught:
        LlamaRuntime(path)
    assert "again" in caught.value.hint
