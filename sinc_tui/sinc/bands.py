"""The six bands of a sinc document, in order, and the constants of its frame."""

from __future__ import annotations

from enum import StrEnum


class Band(StrEnum):
    """One of the six bands; iterating over the class gives them in document order."""

    PERSONA = "PERSONA"
    CONTEXT = "CONTEXT"
    DATA = "DATA"
    CONSTRAINTS = "CONSTRAINTS"
    FORMAT = "FORMAT"
    TASK = "TASK"

    @property
    def n(self) -> int:
        """Position in the document, 0 to 5 (the fragment's key `n`)."""
        return _ORDER[self]


_ORDER = {band: n for n, band in enumerate(Band)}

FORMULA = "x(t) = Σ x(nT) · sinc((t − nT) / T)"
"""The reconstruction formula as the article writes it (the minus is U+2212)."""

FORMULA_SPELLINGS = (
    FORMULA,
    "x(t) = Σ x(nT) · sinc((t - nT) / T)",
    "x(t) = Sigma x(nT) * sinc((t - nT) / T)",
)
"""Every spelling that is read; only the first is written."""

AXIS = "specification-axis"
"""The value of the document's key `T`."""
