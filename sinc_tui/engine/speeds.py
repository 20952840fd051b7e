"""How fast models were when they were measured, kept for each machine; what that says of other models."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from sinc_tui.files import replace_file

_MOST = 200
"""Measurements that are kept, the newest ones."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One model on one machine.

    Attributes:
        place: the machine, as `fitting.Place.id` calls it.
        model: its name; `size`: bytes of the weights that were read for every token.
    """

    place: str
    model: str
    size: int
    tokens_per_second: float


@dataclass(frozen=True, slots=True)
class Expected:
    """What is to be expected of a model: measured itself, or estimated from another one."""

    tokens_per_second: float
    source: Measurement
    measured: bool

    @property
    def in_words(self) -> str:
        """A sentence that says which of the two it is."""
        if self.measured:
            return f"{_rate(self.tokens_per_second)} tokens/s, measured on this machine."
        source = f"{self.source.model}'s measured {_rate(self.source.tokens_per_second)}"
        return f"About {_rate(self.tokens_per_second)} tokens/s, estimated from {source} by size."

    @property
    def brief(self) -> str:
        """The same for a column; `~` marks an estimate."""
        return f"{'' if self.measured else '~'}{_rate(self.tokens_per_second)} tok/s"


def read(path: Path) -> list[Measurement]:
    """All that is kept; what cannot be read counts as nothing, for it can be measured again."""
    with suppress(OSError, ValueError, TypeError):
        found = [Measurement(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
        return [one for one in found if _sound(one)]
    return []


def remember(path: Path, new: Measurement) -> None:
    """Keep a measurement in place of an older one of the same; raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = [old for old in read(path) if (old.place, old.model) != (new.place, new.model)]
    entries = [asdict(one) for one in [*kept, new][-_MOST:]]
    replace_file(path, json.dumps(entries, indent=1))


def expected(
    measurements: Iterable[Measurement], place: str, model: str, size: int | None
) -> Expected | None:
    """A model's own measurement, else an estimate; None where nothing was measured here.

    All weights are read for every token, so speed goes with the inverse of their size. The estimate is
    made from the model that is closest in size.
    """
    here = [one for one in measurements if one.place == place]
    for one in here:
        if one.model == model:
            return Expected(one.tokens_per_second, one, measured=True)
    if not here or not size:
        return None
    closest = min(here, key=lambda one: abs(math.log(one.size / size)))
    return Expected(closest.tokens_per_second * closest.size / size, closest, measured=False)


def _sound(one: Measurement) -> bool:
    return one.size > 0 and one.tokens_per_second > 0


def _rate(tokens_per_second: float) -> str:
    digits = 0 if tokens_per_second >= 9.95 else 1
    return f"{tokens_per_second:.{digits}f}"
