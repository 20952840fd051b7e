"""The signal-to-noise figure that the format's author gives a document.

The formula and its constants are those of sinc-llm 0.1.0 (`core.py` of github.com/mdalexandre/sinc-llm,
MIT), fitted there to a simulation. It looks at lengths alone, so it is a figure to show and never
one to steer by: text of the right length gets the best grade, whatever it says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sinc_tui.sinc.bands import Band

_FLOOR = 0.588
_SPAN = 0.267
_BEST_Z2 = 94.0
_LEAST_Z3 = 37.0
_ZONES = {
    "Z1": (Band.PERSONA,),
    "Z2": (Band.CONTEXT, Band.DATA),
    "Z3": (Band.CONSTRAINTS,),
    "Z4": (Band.FORMAT,),
}
_GRADES = ((0.80, "EXCELLENT"), (0.70, "GOOD"), (0.65, "ADEQUATE"), (0.60, "ALIASED"))


@dataclass(frozen=True, slots=True)
class Snr:
    """The figure and what it was made of.

    Attributes:
        value: 0.588 to 0.855.
        tokens: estimated tokens of each zone, a quarter of its characters.
        factors: what each zone contributes, 0 to 1.
        present: how many bands are not empty.
    """

    value: float
    tokens: dict[str, int]
    factors: dict[str, float]
    present: int

    @property
    def grade(self) -> str:
        """The figure as a word."""
        return next((name for least, name in _GRADES if self.value >= least), "CRITICAL")

    def report(self) -> dict[str, Any]:
        """In the shape in which sinc-llm's clients expect it."""
        return {
            "snr": round(self.value, 4),
            "grade": self.grade,
            "fragments": f"{self.present}/{len(Band)}",
            "zones": {name: round(factor, 4) for name, factor in self.factors.items()},
            "tokens": dict(self.tokens),
        }


def snr(bands: Mapping[Band, str]) -> Snr:
    """The figure of six texts; a missing one counts as empty."""
    tokens = {zone: sum(_tokens(bands.get(b, "")) for b in of) for zone, of in _ZONES.items()}
    factors = {
        "G(Z1)": _gate(tokens["Z1"]),
        "H(Z2)": _hill(tokens["Z2"]),
        "R(Z3)": _clamped(0.03 * max(0.0, tokens["Z3"] - _LEAST_Z3)),
        "G(Z4)": _gate(tokens["Z4"]),
    }
    value = _FLOOR + _SPAN * math.prod(factors.values())
    return Snr(value, tokens, factors, sum(bool(bands.get(band)) for band in Band))


def _tokens(text: str) -> int:
    return max(1, len(text) // 4) if text else 0


def _gate(tokens: int) -> float:
    return _clamped((tokens - 2) / 3)


def _hill(tokens: int) -> float:
    rise = math.pow(tokens / _BEST_Z2, 4.56)
    return rise / (1 + rise) * math.exp(-1.36e-5 * (tokens - _BEST_Z2) ** 2)


def _clamped(value: float) -> float:
    return min(1.0, max(0.0, value))
