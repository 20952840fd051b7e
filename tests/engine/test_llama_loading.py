"""Loading by plan with the real model: what the user sets, and a GPU that has less than it said."""

from __future__ import annotations

import mmap
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest

from sinc_tui.engine import llama_loading
from sinc_tui.engine.llama_devices import list_devices
from sinc_tui.engine.llama_runtime import LlamaRuntime, silence
from sinc_tui.engine.llama_vocab import LlamaVocab
from sinc_tui.engine.plan import Device, EnginePlan, fallbacks
from sinc_tui.engine.protocol import EngineOptions
from sinc_tui.engine.runtime import Run, RuntimeFailure
from sinc_tui.models.default import ModelFile
from tests.support.mamba import write_mamba

TEXT = "You are an engine. Decompose the prompt into six bands." * 8
CARD = Device("CUDA0", "a card", "gpu", "CUDA", 8 << 30, 8 << 30)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    silence()


def logits(path: Path, options: EngineOptions) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Of the last token of a text."""
    runtime = LlamaRuntime(path, options.model_copy(update={"n_ctx": 512}))
    (row,) = runtime.evaluate([Run(0, 0, LlamaVocab(runtime.model).encode(TEXT))])
    return row.copy()


def test_the_device_list_of_this_build() -> None:
    devices = list_devices()
    assert [device.kind for device in devices].count("cpu") == 1
    processor = next(device for device in devices if device.kind == "cpu")
    assert processor.name == processor.backend == "CPU"
    assert 0 < processor.free <= processor.total


def test_every_setting_changes_only_how_the_same_is_computed(tiny_model: ModelFile) -> None:
    plain = logits(tiny_model.path, EngineOptions())
    for options in (
        EngineOptions(n_batch=32),
        EngineOptions(flash_attention=True),
        EngineOptions(flash_attention=False),
        EngineOptions(kv_type="q8_0"),
        EngineOptions(n_threads=1, mlock=False),
    ):
        other = logits(tiny_model.path, options)
        assert int(other.argmax()) == int(plain.argmax()), options
        assert np.abs(other - plain).max() < 1.5, options
    assert np.array_equal(logits(tiny_model.path, EngineOptions(n_threads=1)), plain)


def test_a_rounded_cache_takes_half_the_room(tiny_model: ModelFile) -> None:
    """What llama.cpp itself says of it: the option has arrived."""
    said: list[str] = []
    listen = llama_cpp.llama_log_callback(lambda _level, text, _: said.append(text.decode()))
    llama_cpp.llama_log_set(listen, None)
    try:
        for kv_type in ("f16", "q8_0"):
            LlamaRuntime(tiny_model.path, EngineOptions(n_ctx=1024, kv_type=kv_type))
    finally:
        silence()
    sizes = [float(size) for size in re.findall(r"KV buffer size = +([\d.]+) MiB", "".join(said))]
    assert sizes[0] / sizes[1] == pytest.approx(32 / 17, rel=0.01)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells")
def test_locked_weights(tiny_model: ModelFile) -> None:
    def locked() -> int:
        """Kilobytes of this process that may not be swapped out."""
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(status.partition("VmLck:")[2].split()[0])

    before = locked()
    runtime = LlamaRuntime(tiny_model.path, EngineOptions(n_ctx=256, mlock=True))
    assert runtime.plan.mlock
    if locked() == before:
        pytest.skip("this user may not lock memory")
    assert locked() - before > tiny_model.path.stat().st_size // 2048


def test_steps_down() -> None:
    cpu = EnginePlan(8192, 4, 512, "off", "f16", True)
    plan = replace(cpu, n_gpu_layers=29, split=(20, 9), backend="CUDA", flash_attention="auto")
    steps = fallbacks(plan, cpu)
    assert [step.n_gpu_layers for step in steps] == [29, 21, 14, 7, 0]
    assert [step.split for step in steps[1:]] == [()] * 4
    assert replace(steps[-1], notes=()) == cpu
    assert all(step.notes for step in steps[1:])
    assert fallbacks(cpu, cpu) == [cpu]
    for layers in (-1, 1, 2, 3):
        counts = [s.n_gpu_layers for s in fallbacks(replace(plan, n_gpu_layers=layers), cpu)]
        assert counts[0] == layers
        assert counts[-1] == 0
        assert len(set(counts)) == len(counts)


class SmallCard:
    """Stands for llama.cpp on a card that holds so many layers; the model is then really loaded."""

    def __init__(self, holds: int, *, in_context: bool) -> None:
        self.holds, self.in_context = holds, in_context
        self.asked: list[int] = []
        self.freed = 0
        self._load = llama_cpp.llama_model_load_from_file
        self._init = llama_cpp.llama_init_from_model
        self._free = llama_cpp.llama_model_free

    def load(self, path: bytes, params: Any) -> Any:
        self.asked.append(params.n_gpu_layers)
        full = params.n_gpu_layers > self.holds
        return None if full and not self.in_context else self._load(path, params)

    def init(self, model: Any, params: Any) -> Any:
        return None if self.asked[-1] > self.holds else self._init(model, params)

    def free(self, model: Any) -> None:
        self.freed += 1
        self._free(model)


@pytest.fixture
def small_card(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> SmallCard:
    card = SmallCard(*request.param[:1], in_context=request.param[1])
    monkeypatch.setattr(llama_cpp, "llama_supports_gpu_offload", lambda: True)
    monkeypatch.setattr(llama_loading, "list_devices", lambda: [CARD])
    monkeypatch.setattr(llama_cpp, "llama_model_load_from_file", card.load)
    monkeypatch.setattr(llama_cpp, "llama_init_from_model", card.init)
    monkeypatch.setattr(llama_cpp, "llama_model_free", card.free)
    return card


@pytest.mark.parametrize("small_card", [(20, False), (20, True)], indirect=True)
def test_fewer_layers_where_the_card_is_full(tiny_model: ModelFile, small_card: SmallCard) -> None:
    runtime = LlamaRuntime(tiny_model.path, EngineOptions(n_ctx=256))
    assert small_card.asked == [31, 23, 15]
    assert runtime.plan.n_gpu_layers == 15
    assert runtime.plan.notes == ("CUDA had no memory for 31 layers; 15 of them are on it.",)
    assert small_card.freed == (2 if small_card.in_context else 0)
    assert len(runtime.evaluate([Run(0, 0, [1])])) == 1


@pytest.mark.parametrize("small_card", [(0, False), (0, True)], indirect=True)
def test_down_to_the_cpu_as_if_there_were_no_card(
    tiny_model: ModelFile, small_card: SmallCard, llama: LlamaRuntime
) -> None:
    runtime = LlamaRuntime(tiny_model.path)
    assert small_card.asked == [31, 23, 15, 7, 0]
    assert replace(runtime.plan, notes=()) == replace(llama.plan, notes=())
    assert runtime.plan.notes == ("CUDA had too little memory, so the CPU does the work.",)


@pytest.mark.parametrize("small_card", [(99, False)], indirect=True)
def test_what_the_user_asks_for_is_tried_first(
    tiny_model: ModelFile, small_card: SmallCard
) -> None:
    LlamaRuntime(tiny_model.path, EngineOptions(n_ctx=256, n_gpu_layers=12))
    assert small_card.asked == [12]
    runtime = LlamaRuntime(tiny_model.path, EngineOptions(n_ctx=256, n_gpu_layers=0))
    assert small_card.asked == [12, 0]
    assert runtime.plan.notes == ()


@pytest.mark.parametrize("small_card", [(-1, False)], indirect=True)
def test_a_model_that_loads_nowhere(tiny_model: ModelFile, small_card: SmallCard) -> None:
    with pytest.raises(RuntimeFailure, match="could not be loaded"):
        LlamaRuntime(tiny_model.path)
    assert small_card.asked[-1] == 0


def test_a_recurrent_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mamba.gguf"
    write_mamba(path)
    with pytest.raises(RuntimeFailure, match="a recurrent model") as caught:
        LlamaRuntime(path)
    assert "by attention alone" in caught.value.hint


def _resident(path: Path) -> int:
    """Kilobytes of a mapped file that this process has in memory."""
    found, inside = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0]:
            inside = line.endswith(f" {path}")
        elif inside and line.startswith("Rss:"):
            found += int(line.split()[1])
    return found


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="nobody tells what is resident")
def test_pages_are_handed_back_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    content = bytes(range(256)) * 4096
    path.write_bytes(content)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        assert data[:] == content
        assert _resident(path) == len(content) // 1024
        llama_loading.release_pages(path)
        assert _resident(path) == 0
        assert data[:] == content
    llama_loading.release_pages(path)
