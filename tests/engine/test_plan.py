"""The plan for machines that nobody here has: GPUs of many sizes, two of them, none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinc_tui.engine.gguf_facts import ModelFacts
from sinc_tui.engine.machine import Machine
from sinc_tui.engine.plan import Device, EnginePlan, gpus, make_plan, rows_at_once
from sinc_tui.engine.protocol import EngineOptions
from sinc_tui.errors import SincError

GIB = 1 << 30
LAPTOP = Machine("Linux", "x86_64", "a laptop", 8, 16 * GIB, 8 * GIB, 8 << 20)
MAC = replace(LAPTOP, system="Darwin", arch="arm64", lockable=None)
SMALL = ModelFacts(485_452_288, (10_883_840,) * 24, 144_646_656, 256, 14, 896, 4864, 151936, 32768)
FULL = ModelFacts(
    4_677_120_000, (138_000_000,) * 28, 447_000_000, 1024, 28, 3584, 18944, 152064, 32768
)
CPU = Device("CPU", "AMD EPYC", "cpu", "CPU", 8 * GIB, 16 * GIB)


def cuda(gib: float, number: int = 0) -> Device:
    """An NVIDIA card of a size, with what a desktop leaves free of it."""
    total = int(gib * GIB)
    return Device(
        f"CUDA{number}", "RTX", "gpu", "CUDA", int(total * 0.94), total, f"0000:0{number}"
    )


def metal(gib: float) -> Device:
    """Apple's GPU in a machine of so much memory: three quarters of it."""
    total = int(gib * GIB * 0.75)
    return Device("Metal", "Apple M2", "gpu", "Metal", total, total)


FACTS = st.builds(
    lambda layers, layer, output, kv, heads, ctx: ModelFacts(
        layers * layer + output, (layer,) * layers, output, kv, heads, 64 * heads, 4096, 50_000, ctx
    ),
    st.integers(1, 80),
    st.integers(1 << 20, 2 << 30),
    st.integers(1 << 20, 2 << 30),
    st.integers(16, 4096),
    st.integers(1, 64),
    st.integers(256, 1 << 17),
)
SIZES = st.floats(0.1, 96)
CARDS = st.lists(SIZES, min_size=1, max_size=4).map(
    lambda sizes: [cuda(size, number) for number, size in enumerate(sizes)]
)
OPTIONS = st.builds(
    EngineOptions,
    n_ctx=st.none() | st.integers(256, 1 << 17),
    n_threads=st.none() | st.integers(1, 64),
    n_gpu_layers=st.none() | st.integers(-1, 200),
    n_batch=st.none() | st.integers(32, 2048),
    flash_attention=st.none() | st.booleans(),
    kv_type=st.none() | st.sampled_from(["f16", "q8_0"]),
    mlock=st.none() | st.booleans(),
).filter(lambda o: not (o.kv_type == "q8_0" and o.flash_attention is False))


def layers(*cards: Device, facts: ModelFacts = FULL, machine: Machine = LAPTOP) -> EnginePlan:
    """The plan where the user sets nothing."""
    return make_plan(machine, [*cards, CPU], facts)


@pytest.mark.parametrize(
    ("card", "facts", "expected"),
    [
        (cuda(24), FULL, 29),
        (cuda(8), FULL, 29),
        (cuda(4), SMALL, 25),
        (metal(16), FULL, 29),
        (metal(8), SMALL, 25),
        (replace(cuda(24), backend="Vulkan", name="Vulkan0"), FULL, 29),
    ],
)
def test_a_model_that_fits_is_on_the_gpu_whole(
    card: Device, facts: ModelFacts, expected: int
) -> None:
    plan = layers(card, facts=facts)
    assert (plan.n_gpu_layers, plan.split) == (expected, (expected,))
    assert (plan.backend, plan.kv_type, plan.flash_attention) == (card.backend, "f16", "auto")
    assert plan.notes == ()


def test_a_model_that_does_not_fit_is_there_in_part_and_the_user_is_told() -> None:
    plan = layers(cuda(4))
    assert 10 < plan.n_gpu_layers < 29
    assert plan.kv_type == "f16", "the cache is rounded only where it lets the whole model fit"
    assert plan.notes == (
        f"{plan.n_gpu_layers} of 29 layers fit on CUDA; the CPU does the others.",
    )


def test_no_room_at_all_is_the_cpu_as_if_there_were_no_gpu() -> None:
    plan = layers(cuda(0.2))
    assert replace(plan, notes=()) == layers()
    assert "no room" in plan.notes[0]


def test_a_rounded_cache_that_lets_all_layers_fit() -> None:
    """Of all sizes of a card there are some where f16 is too much and q8_0 is not."""
    plans = [
        make_plan(LAPTOP, [cuda(n / 20)], FULL, EngineOptions(n_ctx=32768)) for n in range(80, 200)
    ]
    rounded = [plan for plan in plans if plan.kv_type == "q8_0"]
    assert rounded
    assert {plan.n_gpu_layers for plan in rounded} == {29}
    assert {plan.flash_attention for plan in rounded} == {"on"}
    assert all("q8_0" in plan.notes[0] for plan in rounded)


def test_two_devices() -> None:
    """One alone where it is enough, the larger one; else both, in llama.cpp's order."""
    assert layers(cuda(6), cuda(24, 1)).split == (0, 29)
    assert layers(cuda(24), cuda(6, 1)).split == (29, 0)
    both = layers(cuda(4), cuda(4, 1))
    assert both.n_gpu_layers == 29
    assert min(both.split) > 0


def test_the_devices_that_count() -> None:
    inside = Device("Vulkan1", "Radeon 780M", "igpu", "Vulkan", 8 * GIB, 16 * GIB)
    again = replace(cuda(8), name="Vulkan0", backend="Vulkan")
    assert gpus([cuda(8), again, inside, CPU]) == [cuda(8)]
    assert gpus([inside, replace(inside, name="Vulkan2"), CPU]) == [inside]
    assert gpus([CPU, Device("BLAS", "Accelerate", "other", "BLAS")]) == []


def test_the_cpu_alone() -> None:
    plan = layers()
    assert (plan.n_gpu_layers, plan.backend, plan.split, plan.notes) == (0, "CPU", (), ())
    assert (plan.n_threads, plan.n_batch, plan.n_ctx) == (8, 128, 8192)
    assert (plan.flash_attention, plan.kv_type) == ("short", "f16")
    assert "flash attention for short prompts" in plan.in_words
    arm = make_plan(replace(LAPTOP, arch="aarch64"), [], SMALL)
    assert arm == replace(plan, flash_attention="off", mlock=arm.mlock)


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 40), FACTS)
def test_what_decides_the_bits_on_a_cpu_does_not_depend_on_its_memory(
    available: int, lockable: int, facts: ModelFacts
) -> None:
    plan = make_plan(replace(LAPTOP, available=available, lockable=lockable), [], facts)
    assert replace(plan, mlock=False) == replace(make_plan(LAPTOP, [], facts), mlock=False)


def test_locking() -> None:
    assert not layers(facts=SMALL).mlock, "the system allows 8 MiB"
    assert layers(facts=SMALL, machine=MAC).mlock
    assert not layers(facts=FULL, machine=MAC).mlock, "it would take most of what is free"
    assert not layers(metal(16), machine=MAC, facts=SMALL).mlock
    assert make_plan(LAPTOP, [], SMALL, EngineOptions(mlock=True)).mlock


def test_asking_for_layers_without_a_gpu_is_answered() -> None:
    plan = make_plan(LAPTOP, [CPU], SMALL, EngineOptions(n_gpu_layers=10))
    assert plan.n_gpu_layers == 0
    assert "doctor" in plan.notes[0]


def test_flash_attention_on_the_cpu_as_asked_for() -> None:
    for options, wanted in (
        (EngineOptions(flash_attention=True), "on"),
        (EngineOptions(flash_attention=False), "off"),
        (EngineOptions(kv_type="q8_0"), "on"),
        (EngineOptions(kv_type="f16"), "short"),
    ):
        plan = make_plan(LAPTOP, [], SMALL, options)
        assert (plan.flash_attention, plan.notes) == (wanted, ())
    with pytest.raises(SincError, match="needs flash attention"):
        make_plan(LAPTOP, [], SMALL, EngineOptions(kv_type="q8_0", flash_attention=False))


def test_a_model_that_tells_nothing_goes_to_the_gpu_whole() -> None:
    assert make_plan(LAPTOP, [cuda(8)], None).n_gpu_layers == -1
    assert make_plan(LAPTOP, [], None).n_gpu_layers == 0


@given(CARDS, FACTS, OPTIONS)
def test_what_the_user_sets_is_kept(
    cards: list[Device], facts: ModelFacts, options: EngineOptions
) -> None:
    plan = make_plan(LAPTOP, cards, facts, options)
    assert plan.n_threads == (options.n_threads or LAPTOP.cores)
    assert plan.n_ctx == (options.n_ctx or min(8192, facts.n_ctx_train))
    assert options.n_batch in (None, plan.n_batch)
    assert options.kv_type in (None, plan.kv_type)
    assert options.mlock in (None, plan.mlock)
    if options.flash_attention is not None:
        assert plan.flash_attention == ("on" if options.flash_attention else "off")
    every = len(facts.layers) + 1
    if options.n_gpu_layers is not None:
        assert plan.n_gpu_layers == (
            every if options.n_gpu_layers < 0 else min(every, options.n_gpu_layers)
        )


@pytest.mark.parametrize(
    ("on_gpu", "packed", "rows"),
    [
        (0, 1.0, 4),
        (0, 0.91, 4),
        (0, 0.89, 1),  # Q4_K_M: every row costs as much as the first
        (31, 0.0, 4),
        (-1, 0.0, 4),
        (30, 1.0, 1),  # the output is left to the CPU
        (7, 1.0, 1),
    ],
)
def test_how_many_rows_are_worth_filling(on_gpu: int, packed: float, rows: int) -> None:
    plan = replace(make_plan(LAPTOP, [], None), n_gpu_layers=on_gpu)
    assert rows_at_once(plan, 30, lambda: packed) == rows


@given(CARDS, FACTS)
def test_never_more_layers_than_there_are_nor_beyond_the_memory(
    cards: list[Device], facts: ModelFacts
) -> None:
    """Weights and cache alone, counted here from the last layer back, stay below what is free."""
    plan = make_plan(LAPTOP, cards, facts)
    assert 0 <= plan.n_gpu_layers <= len(facts.layers) + 1
    assert sum(plan.split) == plan.n_gpu_layers
    per_number = 2 if plan.kv_type == "f16" else 34 / 32
    units = [size + plan.n_ctx * facts.kv_elements * per_number for size in facts.layers]
    units.append(facts.output)
    for card, count in zip(reversed(cards), reversed(plan.split), strict=False):
        assert sum(units.pop() for _ in range(count)) <= card.free


@given(CARDS, FACTS, st.data())
def test_more_memory_never_means_fewer_layers(
    cards: list[Device], facts: ModelFacts, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(cards) - 1))
    more = data.draw(st.integers(0, 32 * GIB))
    richer = [replace(c, free=c.free + more) if i == at else c for i, c in enumerate(cards)]
    assert (
        make_plan(LAPTOP, richer, facts).n_gpu_layers
        >= make_plan(LAPTOP, cards, facts).n_gpu_layers
    )
