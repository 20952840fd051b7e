"""Whether a model fits a machine, and why, in words: memory, GPU, disk.

Pure: what the machine has and what the model needs go in. Nothing here is a promise: the need of memory
is what the catalogue says, or the size of the file and a share for the cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sinc_tui.engine.machine import Machine
from sinc_tui.engine.plan import Device, gpus
from sinc_tui.sizes import in_memory, on_disk

_OVERHEAD = 300 << 20
"""Bytes beside the weights where nobody says what a run takes: cache, buffers, the process itself."""
_SPARE = 64 << 20
"""Bytes that a disk should have left."""


class Verdict(StrEnum):
    """How well a model fits, the worst last."""

    FITS = "fits"
    TIGHT = "tight"
    """It runs when other programs give something up, or in part on the GPU."""
    NO = "no"


@dataclass(frozen=True, slots=True)
class Place:
    """A machine and the disk that models go to.

    Attributes:
        devices: what the installed llama.cpp can compute on.
        disk_free: bytes; None: nobody tells.
    """

    machine: Machine
    devices: Sequence[Device] = ()
    disk_free: int | None = None

    @property
    def id(self) -> str:
        """What decides how fast a model is here, as one line."""
        machine = self.machine
        parts = [machine.system, machine.arch, machine.processor, f"{machine.cores} cores"]
        return ", ".join([*filter(None, parts), *(card.description for card in gpus(self.devices))])


@dataclass(frozen=True, slots=True)
class Need:
    """What a model takes; bytes.

    Attributes:
        size: of its files; None: not known.
        memory: of a run; None: not known.
        missing: what is still to be downloaded.
        loaded: whether it is in memory now, so that its need is met.
    """

    size: int | None
    memory: int | None = None
    missing: int = 0
    loaded: bool = False

    @property
    def of_memory(self) -> int | None:
        """What a run takes, as far as it can be told."""
        return self.memory or (self.size + _OVERHEAD if self.size else None)


@dataclass(frozen=True, slots=True)
class Reason:
    """One side of the matter, as a sentence."""

    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True)
class Fit:
    """The verdict is the worst of its reasons; None: nothing is known."""

    reasons: tuple[Reason, ...]

    @property
    def verdict(self) -> Verdict | None:
        """Whether it fits."""
        verdicts = [reason.verdict for reason in self.reasons]
        return max(verdicts, key=list(Verdict).index) if verdicts else None


def fit(need: Need, place: Place) -> Fit:
    """Look at memory, GPU and disk."""
    return Fit((*_memory(need, place), *_gpu(need, place), *_disk(need, place)))


def _memory(need: Need, place: Place) -> Iterator[Reason]:
    wanted, machine = need.of_memory, place.machine
    if need.loaded:
        yield Reason(Verdict.FITS, "It is loaded, so there is memory for it.")
        return
    if wanted is None or machine.memory is None:
        return
    free = machine.memory if machine.available is None else machine.available
    needs = f"Needs about {in_memory(wanted)} of memory"
    if wanted > machine.memory:
        yield Reason(Verdict.NO, f"{needs}; this machine has {in_memory(machine.memory)}.")
    elif wanted > free:
        text = f"{needs}, and {in_memory(free)} are free: close other programs first."
        yield Reason(Verdict.TIGHT, text)
    else:
        yield Reason(Verdict.FITS, f"{needs}, and {in_memory(free)} are free.")


def _gpu(need: Need, place: Place) -> Iterator[Reason]:
    """Which device does the work."""
    cards, wanted = gpus(place.devices), need.of_memory
    if not cards:
        cores = place.machine.cores
        text = (
            f"CPU, {cores} {'core' if cores == 1 else 'cores'}: this llama.cpp can use no GPU here."
        )
        yield Reason(Verdict.FITS, text)
    elif wanted is not None:
        card = max(cards, key=lambda card: card.room)
        name, room = f"{card.backend} ({card.description})", sum(card.room for card in cards)
        if wanted <= room:
            yield Reason(Verdict.FITS, f"All of it fits on {name}, {in_memory(room)} to use.")
        else:
            text = f"{name} has {in_memory(room)} to use: a part goes there, the CPU does the rest."
            yield Reason(Verdict.TIGHT, text)


def _disk(need: Need, place: Place) -> Iterator[Reason]:
    if not need.missing or place.disk_free is None:
        return
    download, free = on_disk(need.missing), on_disk(place.disk_free)
    if need.missing + _SPARE > place.disk_free:
        text = f"{download} are to be downloaded, and the disk has {free} free: make room first."
        yield Reason(Verdict.NO, text)
    else:
        text = f"{download} are to be downloaded, and the disk has {free} free."
        yield Reason(Verdict.FITS, text)
