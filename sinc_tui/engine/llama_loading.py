"""Loading a model as planned; where a GPU has less memory than it said, with fewer layers on it."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import llama_cpp

from sinc_tui.engine.gguf_facts import architecture, read_facts
from sinc_tui.engine.llama_devices import list_devices
from sinc_tui.engine.machine import detect
from sinc_tui.engine.plan import EnginePlan, FlashAttention, fallbacks, make_plan
from sinc_tui.engine.protocol import EngineOptions
from sinc_tui.engine.runtime import RuntimeFailure
from sinc_tui.sinc.bands import Band

_SEQUENCES = len(Band) + 1
_FLASH = {"auto": -1, "off": 0, "on": 1, "short": 1}
_BF16 = 30
"""`GGML_TYPE_BF16` (ggml.h), which the bindings do not name."""
_KV_TYPES = {"f16": llama_cpp.GGML_TYPE_F16, "q8_0": llama_cpp.GGML_TYPE_Q8_0}


@dataclass(slots=True)
class Loaded:
    """A model with its context, and how they are run; `keep` must live as long as they do.

    `adapter` is None where none was asked for; it ends with the model. `abort` is what the context asks
    on its way through a batch whether to go on.
    """

    model: Any
    context: Any
    plan: EnginePlan
    keep: tuple[Any, ...]
    abort: Any
    adapter: Any = None


def plans_for(path: Path, options: EngineOptions) -> list[EnginePlan]:
    """How to run a model here, the best first, then what to do where memory does not suffice."""
    machine, facts = detect(), read_facts(path)
    devices = list_devices() if llama_cpp.llama_supports_gpu_offload() else []
    plan = make_plan(machine, devices, facts, options)
    return fallbacks(plan, make_plan(machine, [], facts, options))


def load(
    path: Path,
    plans: list[EnginePlan],
    progress: Callable[[float], None],
    cancelled: Callable[[], bool],
    planned: Callable[[EnginePlan], None] = lambda _: None,
    adapter: Path | None = None,
) -> Loaded:
    """Load by the first plan that works; raises `RuntimeFailure` when none does, when the `adapter` does
    not fit the model, and for a model that keeps no cache of its tokens.

    `planned` hears each plan before it is tried.
    """
    failure = RuntimeFailure("There is no plan.")
    for plan in plans:
        planned(plan)
        model, *kept = _model(path, plan, progress)
        if not model:
            failure = RuntimeFailure(
                f"{path.name} could not be loaded.",
                hint=f"The file may be damaged, or its kind ({architecture(path)}) unknown to this llama.cpp.",
            )
            continue
        if llama_cpp.llama_model_is_recurrent(model) or llama_cpp.llama_model_is_hybrid(model):
            llama_cpp.llama_model_free(model)
            raise RuntimeFailure(
                f"{path.name} is a recurrent model ({architecture(path)}), whose memory of a text cannot be "
                "shared or rewound as writing the bands takes.",
                hint="Choose a model that works by attention alone, such as Qwen2.5, Llama or SmolLM2.",
            )
        release_pages(path)
        added = _adapter(model, adapter) if adapter else None
        abort = llama_cpp.ggml_abort_callback(lambda _: cancelled())
        context = _context(model, plan, abort, added)
        if context:
            return Loaded(model, context, plan, tuple(kept), abort, added)
        llama_cpp.llama_model_free(model)
        failure = _no_room(path.name, plan)
    raise failure


def with_attention(loaded: Loaded, flash_attention: FlashAttention) -> Any:
    """A new, empty context of a loaded model with attention computed so, in place of the one it has.

    Raises `RuntimeFailure` where there is no memory for it; the old one is gone in any case.
    """
    if loaded.context:
        llama_cpp.llama_free(loaded.context)
        loaded.context = None
    plan = replace(loaded.plan, flash_attention=flash_attention)
    loaded.context = _context(loaded.model, plan, loaded.abort, loaded.adapter)
    if not loaded.context:
        raise _no_room("the model", plan)
    return loaded.context


def _no_room(name: str, plan: EnginePlan) -> RuntimeFailure:
    return RuntimeFailure(
        f"There is not enough memory for {name} with {plan.n_ctx:,} tokens of context.",
        hint="Close other programs, choose a smaller model or a shorter context.",
    )


def _model(path: Path, plan: EnginePlan, progress: Callable[[float], None]) -> tuple[Any, ...]:
    """The model, None for one that does not load, and what it holds pointers to."""

    def report(fraction: float, _: Any) -> bool:
        progress(float(fraction))
        return True

    callback = llama_cpp.llama_progress_callback(report)
    params = llama_cpp.llama_model_default_params()
    params.n_gpu_layers = plan.n_gpu_layers
    params.progress_callback = callback
    if plan.mlock:
        params.load_mode = llama_cpp.LLAMA_LOAD_MODE_MMAP_MLOCK
    nothing = (ctypes.c_void_p * 1)()
    if not plan.n_gpu_layers:  # else a GPU would still be handed large batches
        params.devices = ctypes.cast(nothing, ctypes.c_void_p)
    split = (ctypes.c_float * llama_cpp.llama_max_devices())(*plan.split)
    if plan.split:
        params.tensor_split = split
    return llama_cpp.llama_model_load_from_file(str(path).encode(), params), callback, split


def release_pages(path: Path) -> None:
    """Hand back the memory of a mapped file's pages; what is read again comes from the system's cache.

    Types that llama.cpp packs anew for the CPU are copied on loading and never read from the file again,
    but their pages would count beside the copy for as long as the engine lives. Where the system has no
    such call, or the pages are locked, they stay.
    """
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
        libc = ctypes.CDLL(None)
    except (OSError, TypeError):
        return
    for line in lines:
        if line.endswith(f" {path.resolve()}"):
            start, end = (int(address, 16) for address in line.split()[0].split("-"))
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)


def _adapter(model: Any, path: Path) -> Any:
    """The adapter for this model, read before there is a context, as llama.cpp wants it."""
    adapter = llama_cpp.llama_adapter_lora_init(model, str(path).encode())
    if not adapter:
        llama_cpp.llama_model_free(model)
        raise RuntimeFailure(
            f"The adapter {path.name} does not fit the model.",
            hint="Name the base model that the adapter was trained on.",
        )
    return adapter


def _apply(context: Any, adapter: Any) -> None:
    """Let every token pass through the adapter too, in full strength."""
    adapters = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(adapter)
    scales = (ctypes.c_float * 1)(1.0)
    if llama_cpp.llama_set_adapters_lora(context, adapters, 1, scales):
        llama_cpp.llama_free(context)
        raise RuntimeFailure("llama.cpp could not use the adapter.", hint="Look into its log.")


def _context(model: Any, plan: EnginePlan, abort: Any, adapter: Any) -> Any:
    """A context with the adapter, if there is one; None where there is no memory for it."""
    params = llama_cpp.llama_context_default_params()
    params.n_ctx = plan.n_ctx
    params.n_batch = params.n_ubatch = plan.n_batch
    params.n_seq_max = _SEQUENCES
    params.kv_unified = True
    params.n_threads = params.n_threads_batch = plan.n_threads
    params.no_perf = True
    params.flash_attn_type = _FLASH[plan.flash_attention]
    params.type_k = params.type_v = _KV_TYPES[plan.kv_type]
    if plan.flash_attention != "off" and plan.kv_type == "f16" and not plan.n_gpu_layers:
        # Of keys in f16 llama.cpp gives each thread a share where a batch is one token, and what the
        # shares add up to depends on their number; of others it does not.
        params.type_k = _BF16
    params.abort_callback = abort
    context = llama_cpp.llama_init_from_model(model, params)
    if context and adapter:
        _apply(context, adapter)
    return context
