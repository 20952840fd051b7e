"""How a model is run on a machine: threads, batch, attention, cache, and the layers on each GPU.

Pure: the machine, the devices and the model's sizes go in, a plan comes out. Whatever the user sets is
kept. On the CPU nothing depends on how full or busy the machine is, so that a seed gives the same
document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sinc_tui.engine.gguf_facts import ModelFacts
from sinc_tui.engine.machine import Machine
from sinc_tui.engine.protocol import EngineOptions, KvType
from sinc_tui.errors import SincError

FlashAttention = Literal["auto", "on", "off", "short"]
DeviceKind = Literal["cpu", "gpu", "igpu", "other"]

_CONTEXT = 8192
"""Tokens of context where nobody asks for more."""
_BATCH = 512
_SMALL_BATCH = 128
"""For the CPU, which reads a prompt just as fast, with a quarter of the memory for attention scores; and
for a GPU that only holds the whole model with smaller buffers."""
SHORT_PROMPT = 384
"""Tokens up to which the flash kernel makes a whole run quicker on a CPU. Its steps take a tenth less; it reads
1,024 tokens in 1.2 s where the plain one takes 0.8 (`tiny`, two cores)."""
_FLASH_IN_WORDS = {"short": "for short prompts"}
_QUICK = ("x86_64", "AMD64")
"""Processors for which llama.cpp has quick products of the keys that flash attention keeps (bfloat16)."""
_ROWS = 4
_MOSTLY = 0.9
_MIB = 1 << 20
_KV_BITS: dict[KvType, int] = {"f16": 128, "q8_0": 68}
"""Bits of eight cached numbers: q8_0 keeps a scale of 16 bits for 32 of them."""


@dataclass(frozen=True, slots=True)
class Device:
    """Something that llama.cpp can compute on.

    Attributes:
        name: as llama.cpp calls it, `CUDA0` for example.
        description: the hardware's own name.
        kind: `igpu` shares the machine's memory, `other` is an accelerator beside the CPU.
        backend: `CUDA`, `Metal`, `Vulkan`, `CPU`...
        free, total: bytes; 0 where the driver does not tell.
        id: address on the bus, empty when unknown; two backends may offer the same hardware.
    """

    name: str
    description: str
    kind: DeviceKind
    backend: str
    free: int = 0
    total: int = 0
    id: str = ""

    @property
    def room(self) -> int:
        """Bytes that may be planned with; the rest is for the driver and for everyone else."""
        return max(0, self.free - max(256 * _MIB, self.total // 16))


@dataclass(frozen=True, slots=True)
class EnginePlan:
    """What was chosen.

    Attributes:
        n_ctx: context in tokens.
        n_threads: CPU threads.
        n_batch: tokens evaluated at once.
        flash_attention: `auto` leaves it to what the device can do; `short` is for prompts of up to
            `SHORT_PROMPT` tokens, with keys whose products a CPU adds up quickly one by one, slowly in bulk.
        kv_type: how keys and values are kept; under flash attention on a CPU, keys for which `f16` is said
            are kept in bfloat16, which takes as much room.
        mlock: whether the weights are kept from being swapped out.
        n_gpu_layers: layers on GPUs, the last ones of the model; the output counts as one.
        split: of these, the number on each device of `gpus`; empty leaves it to llama.cpp.
        backend: of the layers' devices, `CPU` where none is on a GPU.
        notes: what the user should know, in sentences.
    """

    n_ctx: int
    n_threads: int
    n_batch: int
    flash_attention: FlashAttention
    kv_type: KvType
    mlock: bool
    n_gpu_layers: int = 0
    split: tuple[int, ...] = ()
    backend: str = "CPU"
    notes: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """One line, for the log and the report."""
        parts = [
            f"backend {self.backend}",
            f"{self.n_gpu_layers} layers on the GPU",
            f"{self.n_threads} threads",
            f"context {self.n_ctx}",
            f"batch {self.n_batch}",
            f"flash attention {_FLASH_IN_WORDS.get(self.flash_attention, self.flash_attention)}",
            f"KV cache {self.kv_type}",
            f"mlock {'on' if self.mlock else 'off'}",
        ]
        return ", ".join(parts)


def gpus(devices: Sequence[Device]) -> list[Device]:
    """The devices that llama.cpp puts layers on, in its order.

    Each piece of hardware counts once; a GPU inside the processor counts where there is no other.
    """
    found: list[Device] = []
    for device in devices:
        known = device.id and any(device.id == other.id for other in found)
        if device.kind == "gpu" and not known:
            found.append(device)
    return found or [device for device in devices if device.kind == "igpu"][:1]


def fallbacks(plan: EnginePlan, cpu: EnginePlan) -> list[EnginePlan]:
    """`plan`, then, where it needs a GPU's memory, plans that need less of it, down to `cpu`."""
    plans, layers = [plan], plan.n_gpu_layers
    if not layers:
        return plans
    for fewer in sorted({layers * share // 4 for share in (1, 2, 3)} - {layers}, reverse=True):
        if fewer > 0:
            note = f"{plan.backend} had no memory for {layers} layers; {fewer} of them are on it."
            plans.append(replace(plan, n_gpu_layers=fewer, split=(), notes=(note,)))
    note = f"{plan.backend} had too little memory, so the CPU does the work."
    return [*plans, replace(cpu, notes=(*cpu.notes, note))]


def rows_at_once(plan: EnginePlan, layers: int, packed: Callable[[], float]) -> int:
    """How many rows of a batch take little more time than one.

    Four on a GPU that holds all `layers` and the output, and on a CPU for layers that llama.cpp packs by
    fours, where these are nearly all: `packed` is their share of the bytes.
    """
    if plan.n_gpu_layers:
        return _ROWS if plan.n_gpu_layers < 0 or plan.n_gpu_layers > layers else 1
    return _ROWS if packed() > _MOSTLY else 1


def context_length(options: EngineOptions, trained: int | None) -> int:
    """Tokens of context: what is asked for, else what the model knows, up to a bound."""
    return options.n_ctx or min(_CONTEXT, trained or _CONTEXT)


def make_plan(
    machine: Machine,
    devices: Sequence[Device],
    facts: ModelFacts | None,
    options: EngineOptions = EngineOptions(),
) -> EnginePlan:
    """Choose for a machine; raises `SincError` where the user's own settings contradict each other.

    `facts` None (the file does not tell them) puts everything on a GPU where there is one.
    """
    if options.kv_type == "q8_0" and options.flash_attention is False:
        raise SincError(
            "A q8_0 cache needs flash attention.",
            hint="Leave flash attention to the engine, or keep the cache in f16.",
        )
    cards = gpus(devices)
    base = _on_cpu(machine, facts, options)
    if not cards:
        asked = options.n_gpu_layers not in (None, 0)
        note = "No GPU can be used, so all layers are on the CPU; `sinc-tui doctor` says why."
        return replace(base, notes=(*base.notes, note)) if asked else base
    plan = _on_gpus(base, cards, facts, options)
    return plan if plan.n_gpu_layers else replace(base, notes=(*base.notes, *plan.notes))


def _on_cpu(machine: Machine, facts: ModelFacts | None, options: EngineOptions) -> EnginePlan:
    kv_type = options.kv_type or "f16"
    flash: FlashAttention = "short" if machine.arch in _QUICK else "off"
    if options.flash_attention is not None or kv_type != "f16":
        flash = "off" if options.flash_attention is False else "on"
    return EnginePlan(
        n_ctx=context_length(options, facts.n_ctx_train if facts else None),
        n_threads=options.n_threads or machine.cores,
        n_batch=options.n_batch or _SMALL_BATCH,
        flash_attention=flash,
        kv_type=kv_type,
        mlock=_worth_locking(machine, facts) if options.mlock is None else options.mlock,
    )


def _worth_locking(machine: Machine, facts: ModelFacts | None) -> bool:
    """Whether the model may be locked, and takes so little of the memory that nobody misses it."""
    if facts is None or machine.available is None:
        return False
    allowed = machine.lockable is None or facts.size <= machine.lockable
    return allowed and facts.size <= machine.available // 4


def _on_gpus(
    base: EnginePlan, cards: Sequence[Device], facts: ModelFacts | None, options: EngineOptions
) -> EnginePlan:
    """The first way to put all layers on the GPUs, else the one with the most of them."""
    base = replace(base, mlock=bool(options.mlock), backend=cards[0].backend, notes=())
    ways = list(_ways(base, options))
    if facts is None:
        asked = options.n_gpu_layers
        return replace(ways[0], n_gpu_layers=-1 if asked is None else asked)
    every = len(facts.layers) + 1
    if options.n_gpu_layers is not None:
        wanted = every if options.n_gpu_layers < 0 else min(every, options.n_gpu_layers)
        for way in ways:
            split = _fit(way, cards, facts, wanted)
            if sum(split) == wanted:
                return replace(way, n_gpu_layers=wanted, split=split)
        return replace(ways[0], n_gpu_layers=wanted)
    best, most = ways[0], (0,) * len(cards)
    for way in ways:
        split = _fit(way, cards, facts, every)
        fits = sum(split) == every
        if fits or (way.kv_type == base.kv_type and sum(split) > sum(most)):
            best, most = way, split
        if fits:
            break
    notes = _notes(best, base, sum(most), every)
    return replace(best, n_gpu_layers=sum(most), split=most, notes=notes)


def _ways(base: EnginePlan, options: EngineOptions) -> Iterator[EnginePlan]:
    """Settings to try on a GPU, each smaller than the one before, as far as the user leaves it open."""
    flash: FlashAttention = "auto"
    if options.flash_attention is not None:
        flash = "on" if options.flash_attention else "off"
    kv_types: list[KvType] = [options.kv_type] if options.kv_type else ["f16", "q8_0"]
    batches = [options.n_batch] if options.n_batch else [_BATCH, _SMALL_BATCH]
    for kv_type in kv_types:
        if kv_type != "f16" and flash == "off":
            continue
        for batch in batches:
            needed: FlashAttention = flash if kv_type == "f16" else "on"
            yield replace(base, flash_attention=needed, kv_type=kv_type, n_batch=batch)


def _notes(plan: EnginePlan, base: EnginePlan, layers: int, every: int) -> tuple[str, ...]:
    if layers == 0:
        return (f"The {base.backend} device has no room for a layer, so the CPU does the work.",)
    if layers < every:
        return (f"{layers} of {every} layers fit on {base.backend}; the CPU does the others.",)
    if plan.kv_type != base.kv_type:
        return (f"The cache is kept in {plan.kv_type}, so that all layers fit on {base.backend}.",)
    return ()


def _fit(
    plan: EnginePlan, cards: Sequence[Device], facts: ModelFacts, wanted: int
) -> tuple[int, ...]:
    """How many of the last `wanted` layers each card holds, as many as fit from the last one back.

    One card alone is preferred, the one with the most room. The output counts as the last layer.
    """
    cache = plan.n_ctx * facts.kv_elements * _KV_BITS[plan.kv_type] // 64
    units = [layer + cache for layer in facts.layers] + [facts.output]
    buffers = _buffers(plan, facts)
    tail = units[len(units) - wanted :]
    roomiest = max(range(len(cards)), key=lambda i: cards[i].room)
    if sum(tail) + buffers <= cards[roomiest].room:
        return tuple(wanted if i == roomiest else 0 for i in range(len(cards)))
    counts = []
    for card in reversed(cards):
        left, count = card.room - buffers, 0
        while tail and tail[-1] <= left:
            left -= tail.pop()
            count += 1
        counts.append(count)
    return tuple(reversed(counts))


def _buffers(plan: EnginePlan, facts: ModelFacts) -> int:
    """Bytes that a batch needs on a card while it is evaluated: logits, activations, attention.

    Where it is not sure that flash attention works, as on Vulkan, the attention scores count in full.
    """
    sure = plan.flash_attention == "on" or (
        plan.flash_attention == "auto" and plan.backend in ("CUDA", "Metal")
    )
    scores = 0 if sure else 4 * plan.n_ctx * facts.heads
    rows = 4 * (facts.vocabulary + 8 * facts.width + 2 * facts.feed_forward) + 2 * plan.n_ctx
    return plan.n_batch * (rows + scores)
