"""Whether a model fits a machine, and why, for machines that nobody has here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sinc_tui.engine.fitting import Need, Place, Verdict, fit
from sinc_tui.engine.machine import Machine
from sinc_tui.engine.plan import Device

GIB = 1 << 30
LAPTOP = Machine("Linux", "x86_64", "A processor", 4, 8 * GIB, 5 * GIB, None)
CARD = Device("CUDA0", "RTX 3060", "gpu", "CUDA", 11 * GIB, 12 * GIB)
HERE = Place(LAPTOP, disk_free=10**10)
SMALL = Need(size=491_400_064, memory=900 << 20)


def words(need: Need, place: Place) -> str:
    return " ".join(reason.text for reason in fit(need, place).reasons)


def test_memory() -> None:
    assert "Needs about 900 MiB of memory, and 5.0 GiB are free." in words(SMALL, HERE)
    assert fit(SMALL, HERE).verdict is Verdict.FITS
    tight = replace(SMALL, memory=6 * GIB)
    assert "Needs about 6.0 GiB of memory, and 5.0 GiB are free: close" in words(tight, HERE)
    assert fit(tight, HERE).verdict is Verdict.TIGHT
    large = replace(SMALL, memory=9 * GIB)
    assert "Needs about 9.0 GiB of memory; this machine has 8.0 GiB." in words(large, HERE)
    assert fit(large, HERE).verdict is Verdict.NO


def test_what_is_loaded_has_its_memory() -> None:
    full = Place(replace(LAPTOP, available=0))
    assert fit(SMALL, full).verdict is Verdict.TIGHT
    assert fit(replace(SMALL, loaded=True), full).verdict is Verdict.FITS


def test_memory_from_the_size_where_nobody_says_more() -> None:
    assert "Needs about 3.3 GiB" in words(Need(3 * GIB), HERE)


@pytest.mark.parametrize("memory", [None, 8 * GIB])
def test_a_system_that_tells_less(memory: int | None) -> None:
    place = Place(replace(LAPTOP, memory=memory, available=None))
    assert fit(SMALL, place).verdict is Verdict.FITS
    assert ("8.0 GiB are free" in words(SMALL, place)) == (memory is not None)


def test_a_model_of_which_nothing_is_known() -> None:
    """Nothing is claimed but what does the work."""
    assert words(Need(None), HERE) == "CPU, 4 cores: this llama.cpp can use no GPU here."
    with_card = replace(HERE, devices=[CARD])
    assert fit(Need(None), with_card).verdict is None


def test_gpu() -> None:
    place = replace(HERE, devices=[CARD])
    assert "All of it fits on CUDA (RTX 3060), 10 GiB to use." in words(SMALL, place)
    small_card = replace(place, devices=[replace(CARD, free=GIB, total=2 * GIB)])
    needs = replace(SMALL, memory=4 * GIB)
    assert "a part goes there, the CPU does the rest" in words(needs, small_card)
    assert fit(needs, small_card).verdict is Verdict.TIGHT
    two = replace(place, devices=[CARD, replace(CARD, name="CUDA1", id="2")])
    huge = replace(SMALL, memory=15 * GIB)
    assert "All of it fits" in words(huge, two)


def test_one_core() -> None:
    assert "CPU, 1 core:" in words(SMALL, replace(HERE, machine=replace(LAPTOP, cores=1)))


def test_disk() -> None:
    assert "to be downloaded" not in words(SMALL, HERE)
    absent = replace(SMALL, missing=491_400_064)
    assert "491 MB are to be downloaded, and the disk has 10 GB free." in words(absent, HERE)
    full = replace(HERE, disk_free=500_000_000)
    assert "the disk has 500 MB free: make room first." in words(absent, full)
    assert fit(absent, full).verdict is Verdict.NO
    assert fit(absent, replace(HERE, disk_free=None)).verdict is Verdict.FITS


def test_the_worst_counts() -> None:
    need = replace(SMALL, memory=6 * GIB, missing=10**10)
    assert [reason.verdict for reason in fit(need, HERE).reasons] == ["tight", "fits", "no"]
    assert fit(need, HERE).verdict is Verdict.NO


def test_a_machine_is_known_by_what_decides_the_speed() -> None:
    same = [HERE, replace(HERE, disk_free=1), Place(replace(LAPTOP, available=1))]
    assert {place.id for place in same} == {"Linux, x86_64, A processor, 4 cores"}
    others = [
        replace(HERE, machine=replace(LAPTOP, cores=2)),
        replace(HERE, devices=[CARD]),
        replace(HERE, machine=replace(LAPTOP, processor="")),
    ]
    assert len({place.id for place in [HERE, *others]}) == 4
