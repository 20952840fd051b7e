"""The decoder's runtime on llama.cpp's low-level API."""

from __future__ import annotations

import ctypes
import math
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from sinc_tui.engine.gguf_check import check_gguf
from sinc_tui.engine.pace import Pace
from sinc_tui.engine.protocol import EngineOptions
from sinc_tui.engine.runtime import Cancelled, Run, RuntimeFailure
from sinc_tui.engine.sampler import Logits
from sinc_tui.sinc.bands import Band

_SEQUENCES = len(Band) + 1
_BATCH = 512
_CONTEXT = 8192


class LlamaRuntime:
    """A GGUF model in memory with one context (`engine.runtime.Runtime`)."""

    def __init__(
        self,
        path: Path,
        options: EngineOptions = EngineOptions(),
        *,
        progress: Callable[[float], None] = lambda _: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Load `path`; raises `SincError` for anything that cannot be loaded.

        `progress` hears fractions from 0.0 to 1.0; `cancelled` is asked while long prompts are read.
        """
        check_gguf(path)
        llama_cpp.llama_backend_init()
        self._cancelled = cancelled
        self._keep: list[Any] = []
        self._threads_now = 0
        self.model = self._load(path, options, progress)
        self.n_threads = options.n_threads or physical_cores()
        self.n_gpu_layers = self._model_params.n_gpu_layers if _gpu() else 0
        self.n_ctx = options.n_ctx or min(_CONTEXT, llama_cpp.llama_model_n_ctx_train(self.model))
        self._context = self._new_context(path)
        self._memory = llama_cpp.llama_get_memory(self._context)
        vocab = llama_cpp.llama_model_get_vocab(self.model)
        self._width: int = llama_cpp.llama_vocab_n_tokens(vocab)
        self._batch = llama_cpp.llama_batch_init(_BATCH, 0, 1)
        self._pace = Pace(1, math.inf)
        single = math.inf if self.n_gpu_layers else self._single_step()
        self._pace = Pace(self.n_threads, single)

    @property
    def backend(self) -> str:
        """Where the layers are: `CPU`, or the name of the GPU backend."""
        return _gpu() if self.n_gpu_layers and _gpu() else "CPU"

    def metadata(self, key: str) -> str | None:
        """A string of the model's metadata."""
        buffer = ctypes.create_string_buffer(1 << 16)
        length = llama_cpp.llama_model_meta_val_str(self.model, key.encode(), buffer, len(buffer))
        return buffer.value.decode(errors="replace") if length >= 0 else None

    def evaluate(self, runs: Sequence[Run], *, logits: bool = True) -> list[Logits]:
        """See `engine.runtime.Runtime.evaluate`."""
        flat = [
            (token, run.position + i, run.sequence, number if i == len(run.tokens) - 1 else -1)
            for number, run in enumerate(runs)
            for i, token in enumerate(run.tokens)
        ]
        if len(flat) <= _BATCH:
            return self._decode(flat, logits=logits)
        rows: list[Logits] = []
        for start in range(0, len(flat), _BATCH):
            part = self._decode(flat[start : start + _BATCH], logits=logits)
            rows += [row.copy() for row in part]
        return rows

    def fork(self, source: int, targets: Sequence[int]) -> None:
        """See `engine.runtime.Runtime.fork`."""
        for target in targets:
            llama_cpp.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def forget(self, sequence: int, position: int) -> None:
        """See `engine.runtime.Runtime.forget`."""
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, position, -1)

    def _decode(self, flat: Sequence[tuple[int, int, int, int]], *, logits: bool) -> list[Logits]:
        batch = self._batch
        batch.n_tokens = len(flat)
        wanted = []
        for i, (token, position, sequence, number) in enumerate(flat):
            batch.token[i] = token
            batch.pos[i] = position
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = sequence
            batch.logits[i] = logits and number >= 0
            if logits and number >= 0:
                wanted.append(i)
        self._set_threads(self._pace.threads())
        began = time.perf_counter()
        code = llama_cpp.llama_decode(self._context, batch)
        self._pace.took(time.perf_counter() - began, len(flat))
        if code == 2:
            raise Cancelled
        if code != 0:
            raise RuntimeFailure(
                f"llama.cpp could not evaluate a batch (code {code}).",
                hint="Run it again.",
                retryable=True,
            )
        return [self._row(i) for i in wanted]

    def _set_threads(self, count: int) -> None:
        """Threads of the next batch. Without flash attention the logits are the same for any count,
        to the last bit, so that a busy machine does not change what a seed gives."""
        if count != self._threads_now:
            llama_cpp.llama_set_n_threads(self._context, count, count)
            self._threads_now = count

    def _single_step(self) -> float:
        """Seconds of a step of one token with one thread, the least of three."""
        times = []
        for position in range(3):
            began = time.perf_counter()
            self.evaluate([Run(0, position, [0])])
            times.append(time.perf_counter() - began)
        self.forget(0, 0)
        return min(times)

    def _row(self, index: int) -> Logits:
        pointer = llama_cpp.llama_get_logits_ith(self._context, index)
        return np.ctypeslib.as_array(pointer, shape=(self._width,))

    def _load(self, path: Path, options: EngineOptions, progress: Callable[[float], None]) -> Any:
        def report(fraction: float, _: Any) -> bool:
            progress(float(fraction))
            return True

        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = -1 if options.n_gpu_layers is None else options.n_gpu_layers
        params.progress_callback = llama_cpp.llama_progress_callback(report)
        self._model_params = params
        model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
        if not model:
            raise RuntimeFailure(
                f"{path.name} could not be loaded.",
                hint="The file may be damaged, or of a kind that this llama.cpp does not know.",
            )
        return model

    def _new_context(self, path: Path) -> Any:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = self.n_ctx
        params.n_batch = params.n_ubatch = _BATCH
        params.n_seq_max = _SEQUENCES
        params.kv_unified = True
        params.n_threads = params.n_threads_batch = self.n_threads
        params.no_perf = True
        if not self.n_gpu_layers:
            params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED  # see _set_threads
        abort = llama_cpp.ggml_abort_callback(lambda _: self._cancelled())
        self._keep.append(abort)
        params.abort_callback = abort
        context = llama_cpp.llama_init_from_model(self.model, params)
        if not context:
            raise RuntimeFailure(
                f"There is not enough memory for {path.name} with {self.n_ctx:,} tokens of context.",
                hint="Close other programs, choose a smaller model or a shorter context.",
            )
        return context


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _ignore(_level: int, _text: bytes, _data: object) -> None:
    """Where llama.cpp's chatter goes when nobody keeps a log."""


def silence() -> None:
    """Keep llama.cpp from writing to stderr, for programs whose stderr is a person's."""
    llama_cpp.llama_log_set(_ignore, ctypes.c_void_p(0))


def physical_cores() -> int:
    """Physical cores that this process may use; hyper-threads of one core count once."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    if allowed is None:
        return os.cpu_count() or 1
    siblings = {_siblings(cpu) for cpu in allowed}
    return max(1, len(siblings))


def _siblings(cpu: int) -> str:
    try:
        return Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text()
    except OSError:
        return str(cpu)


def _gpu() -> str:
    """Name of the GPU backend of this llama.cpp build, empty for a build without one."""
    if not llama_cpp.llama_supports_gpu_offload():
        return ""
    info = llama_cpp.llama_print_system_info().decode(errors="replace")
    return next(
        (name for name in ("CUDA", "Metal", "Vulkan") if name.lower() in info.lower()), "GPU"
    )
