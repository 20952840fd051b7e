"""A document in the making: six texts, each with a mark that says whether it is finished."""

from __future__ import annotations

from dataclasses import dataclass, field

from sinc_tui.sinc.bands import Band


@dataclass(slots=True)
class Draft:
    """The six bands as far as they are written.

    Attributes:
        texts: the text of each band so far; every band is a key.
        done: the bands that are finished.
    """

    texts: dict[Band, str] = field(default_factory=lambda: dict.fromkeys(Band, ""))
    done: set[Band] = field(default_factory=set)

    @classmethod
    def finished(cls, texts: dict[Band, str]) -> Draft:
        """A draft whose six bands are all finished."""
        return cls(dict(texts), set(Band))

    @property
    def complete(self) -> bool:
        """Whether all six bands are finished."""
        return len(self.done) == len(Band)
