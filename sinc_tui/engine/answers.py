"""What the writer of a band is given to obey, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sinc_tui.engine.guards import Guard


@dataclass(frozen=True, slots=True)
class BandRules:
    """What a band has to obey beyond its limit and JSON.

    Attributes:
        may_close: whether the band may end at a length (CONSTRAINTS must be the longest).
        may_wait: whether an answer of no may change by itself, so that waiting beats writing on.
        complete: the text that the band shall end as, from the one that the model ended (facts).
        guards: asked before every token.
    """

    may_close: Callable[[int], bool] = lambda _: True
    may_wait: Callable[[], bool] = lambda: False
    complete: Callable[[str], str] = lambda text: text
    guards: Sequence[Guard] = ()


@dataclass(frozen=True, slots=True)
class Finish:
    """How a band ended: its final text, and a note where it had to be cut."""

    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """The band would close and may not yet; `BandWriter.resume` asks again."""


@dataclass(frozen=True, slots=True)
class Retake:
    """The last `back` tokens were wrong: `token` is to be evaluated in their place."""

    token: int
    back: int


Answer = int | Wait | Retake | Finish
