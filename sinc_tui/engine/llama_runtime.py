"""The decoder's runtime on llama.cpp's low-level API."""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from sinc_tui.engine.gguf_check import check_gguf
from sinc_tui.engine.gguf_facts import share_in
from sinc_tui.engine.llama_loading import load, plans_for, with_attention
from sinc_tui.engine.pace import Pace
from sinc_tui.engine.plan import SHORT_PROMPT, EnginePlan, FlashAttention, rows_at_once
from sinc_tui.engine.protocol import EngineOptions
from sinc_tui.engine.runtime import Cancelled, Run, RuntimeFailure
from sinc_tui.engine.sampler import Logits

_SHORT = 16
"""Tokens of a batch that is over before anybody could want to stop it, where a token takes `_SLOW` at most."""
_SLOW = 0.05
"""Seconds of a step of one token: in slower ones, as of a large model on a CPU, a stop must be heard."""
_NEVER = llama_cpp.ggml_abort_callback()
_BY_FOUR = {llama_cpp.GGML_TYPE_Q4_0, llama_cpp.GGML_TYPE_IQ4_NL}
"""Types that llama.cpp packs anew for the CPU so that four rows take about half as long again as one, and less
than three; of Q4_K and Q6_K they take nearly four times as long (`tests/benchmarks/rows.py`)."""

_Row = tuple[int, int, int, bool]
"""A token of a batch: its id, position and sequence, and whether its logits are wanted."""


class LlamaRuntime:
    """A GGUF model in memory with one context (`engine.runtime.Runtime`)."""

    def __init__(
        self,
        path: Path,
        options: EngineOptions = EngineOptions(),
        *,
        adapter: Path | None = None,
        progress: Callable[[float], None] = lambda _: None,
        cancelled: Callable[[], bool] = lambda: False,
        planned: Callable[[EnginePlan], None] = lambda _: None,
        reading: Callable[[float], None] = lambda _: None,
    ) -> None:
        """Load `path`; raises `SincError` for anything that cannot be loaded.

        The weights of the `adapter` are added to the model's own at every token.
        `progress` hears fractions from 0.0 to 1.0, and so does `reading` of texts that are read in
        several batches; `cancelled` is asked while long prompts are read; `planned` hears how the model
        is to be run before each attempt.
        """
        check_gguf(path)
        llama_cpp.llama_backend_init()
        self._reading = reading
        self._loaded = load(path, plans_for(path, options), progress, cancelled, planned, adapter)
        self.plan, self.model = self._loaded.plan, self._loaded.model
        layers = int(llama_cpp.llama_model_n_layer(self.model))
        self.rows = rows_at_once(self.plan, layers, lambda: share_in(path, _BY_FOUR))
        self.n_ctx = self.plan.n_ctx - (self.rows - 1)
        self._attention = self.plan.flash_attention
        self._step = 0.0
        vocab = llama_cpp.llama_model_get_vocab(self.model)
        self._width: int = llama_cpp.llama_vocab_n_tokens(vocab)
        self._use(self._loaded.context)
        self._batch = llama_cpp.llama_batch_init(self.plan.n_batch, 0, 1)
        self._pace = Pace(1, math.inf)
        self._pace = self._measured_pace()

    @property
    def n_threads(self) -> int:
        """CPU threads of a calm machine."""
        return self.plan.n_threads

    @property
    def size(self) -> int:
        """Bytes of the model's weights."""
        return int(llama_cpp.llama_model_size(self.model))

    def metadata(self, key: str) -> str | None:
        """A string of the metadata: the adapter's where it has one, else the model's."""
        buffer = ctypes.create_string_buffer(1 << 16)
        asked = (key.encode(), buffer, len(buffer))
        adapter = self._loaded.adapter
        length = llama_cpp.llama_adapter_meta_val_str(adapter, *asked) if adapter else -1
        if length < 0:
            length = llama_cpp.llama_model_meta_val_str(self.model, *asked)
        return buffer.value.decode(errors="replace") if length >= 0 else None

    def prepare(self, tokens: int) -> bool:
        """See `engine.runtime.Runtime.prepare`: long prompts are read without flash attention where the
        plan has it for short ones."""
        wanted: FlashAttention = self.plan.flash_attention
        if wanted == "short" and tokens > SHORT_PROMPT:
            wanted = "off"
        if wanted == self._attention and self._loaded.context:
            return False
        self._use(with_attention(self._loaded, wanted))
        self._attention = wanted
        return True

    def _use(self, context: Any) -> None:
        """Evaluate in this context from now on."""
        self._context = context
        self._memory = llama_cpp.llama_get_memory(context)
        self._threads_now, self._stoppable = 0, True
        self._rows: dict[int, Logits] = {}

    def evaluate(self, runs: Sequence[Run], *, logits: bool = True) -> list[Logits]:
        """See `engine.runtime.Runtime.evaluate`."""
        flat = [
            (token, run.position + i, run.sequence, len(run.tokens) - i <= run.wanted)
            for run in runs
            for i, token in enumerate(run.tokens)
        ]
        most = min(self.plan.n_batch, int(llama_cpp.llama_n_batch(self._context)))
        if len(flat) <= most:
            self._set_threads(self._pace.threads())
            return self._decode(flat, logits=logits)
        rows: list[Logits] = []
        for start in range(0, len(flat), most):
            # Before the word to the reader, who wakes and would be taken for company.
            self._set_threads(self._pace.threads())
            self._reading(start / len(flat))
            part = self._decode(flat[start : start + most], logits=logits)
            rows += [row.copy() for row in part]
        return rows

    def fork(self, source: int, targets: Sequence[int]) -> None:
        """See `engine.runtime.Runtime.fork`."""
        for target in targets:
            llama_cpp.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def forget(self, sequence: int, position: int) -> None:
        """See `engine.runtime.Runtime.forget`."""
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, position, -1)

    def _decode(self, flat: Sequence[_Row], *, logits: bool) -> list[Logits]:
        batch = self._batch
        batch.n_tokens = len(flat)
        wanted = []
        for i, (token, position, sequence, asked) in enumerate(flat):
            batch.token[i] = token
            batch.pos[i] = position
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = sequence
            batch.logits[i] = logits and asked
            if logits and asked:
                wanted.append(i)
        self._let_stop(len(flat) > _SHORT or self._step > _SLOW)
        began = time.perf_counter()
        code = llama_cpp.llama_decode(self._context, batch)
        took = time.perf_counter() - began
        self._step = took if len(flat) == 1 else self._step
        self._pace.took(took, math.ceil(len(flat) / self.rows))
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
        """Threads of the next batch. The logits are the same for any count, to the last bit, so that a busy
        machine does not change what a seed gives."""
        if count != self._threads_now:
            llama_cpp.llama_set_n_threads(self._context, count, count)
            self._threads_now = count

    def _let_stop(self, stoppable: bool) -> None:
        """Whether the next batch can be cancelled on its way.

        llama.cpp then asks at every operation, some six hundred times a batch; between short batches the
        decoder asks anyway.
        """
        if stoppable != self._stoppable:
            callback = self._loaded.abort if stoppable else _NEVER
            llama_cpp.llama_set_abort_callback(self._context, callback, None)
            self._stoppable = stoppable

    def _measured_pace(self) -> Pace:
        """Threads follow how busy the machine is, where that changes nothing but the time."""
        if not self.plan.n_gpu_layers:
            return Pace(self.plan.n_threads, self._single_step())
        return Pace(self.plan.n_threads, math.inf, others=lambda: 0)

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
        """A row of llama.cpp's own memory; there are few places for it, and each gets one array."""
        pointer = llama_cpp.llama_get_logits_ith(self._context, index)
        address = ctypes.addressof(pointer.contents)
        if address not in self._rows:
            self._rows[address] = np.ctypeslib.as_array(pointer, shape=(self._width,))
        return self._rows[address]


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _ignore(_level: int, _text: bytes, _data: object) -> None:
    """Where llama.cpp's chatter goes when nobody keeps a log."""


def silence() -> None:
    """Keep llama.cpp from writing to stderr, for programs whose stderr is a person's."""
    llama_cpp.llama_log_set(_ignore, ctypes.c_void_p(0))
