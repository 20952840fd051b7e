"""Results: what came of a run, with the reader's edits, and the earlier ones to step back to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.draft import Draft

if TYPE_CHECKING:
    from sinc_tui.engine.protocol import RunStats
    from sinc_tui.sinc.document import SincDocument
    from sinc_tui.sinc.invariants import Verdict

MOST = 100
"""Results that are kept; the oldest goes first."""


@dataclass(slots=True, eq=False)
class Result:
    """One run's bands.

    Attributes:
        prompt: the raw prompt of the run.
        seed: the run's seed; 0 asked for the likeliest text.
        draft: the bands as they stand, edits included; kept when a run stops or fails.
        written: the bands as the model wrote them, as far as it did.
        verdicts: the newest verdict of each invariant, by id.
        document: the bands as a document; None while they are none.
        stats: figures of the finished run; model: the name of the one that wrote it.
        ended: how the run ended, as a phase; empty while it has not.
    """

    prompt: str = ""
    seed: int = 0
    draft: Draft = field(default_factory=Draft)
    written: dict[Band, str] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    document: SincDocument | None = None
    stats: RunStats | None = None
    model: str = ""
    ended: str = ""

    @property
    def empty(self) -> bool:
        """Whether no band holds any text."""
        return not any(self.draft.texts.values())

    @property
    def edits(self) -> set[Band]:
        """The bands that differ from what the model wrote."""
        return {
            band for band, text in self.draft.texts.items() if self.written.get(band, "") != text
        }

    @property
    def missing(self) -> list[Band]:
        """The bands that are blank or were never finished."""
        draft = self.draft
        return [b for b in Band if b not in draft.done or not draft.texts[b].strip()]

    def edit(self, band: Band, text: str) -> None:
        """The reader changed a band: it counts as finished, and everything is judged again."""
        self.draft.texts[band] = text
        self.draft.done.add(band)
        self.judge()

    def judge(self) -> None:
        """Check the invariants; where all hold there is a document."""
        from sinc_tui.sinc.invariants import Status, check

        verdicts = check(self.draft)
        self.verdicts = {verdict.id: verdict for verdict in verdicts}
        self.document = None
        if all(verdict.status is Status.PASS for verdict in verdicts):
            from sinc_tui.sinc.document import SincDocument

            self.document = SincDocument.from_bands(self.draft.texts)


class Results:
    """The results of this session, one of them in view; an empty one is never kept."""

    def __init__(self) -> None:
        self.current = Result()
        self._kept: list[Result] = []

    def all(self) -> list[Result]:
        """Every result in the order in which they were begun, the current one included."""
        if self.current in self._kept or self.current.empty:
            return list(self._kept)
        return [*self._kept, self.current]

    @property
    def place(self) -> tuple[int, int]:
        """The current result's number, from 1, and how many there are; (0, n) for an empty one."""
        kept = self.all()
        return (kept.index(self.current) + 1 if self.current in kept else 0), len(kept)

    def open(self, result: Result) -> None:
        """Bring a result into view, behind the others when it is new."""
        self._kept = self.all()[-MOST:]
        self.current = result

    def step(self, by: int) -> bool:
        """Go `by` results back or forth; whether there was one to go to."""
        kept = self.all()
        number, count = self.place
        target = (number - 1 if number else count) + by
        if not 0 <= target < count:
            return False
        self.open(kept[target])
        return True

    def next_seed(self, prompt: str) -> int:
        """A seed that no result of this prompt has used."""
        return 1 + max((result.seed for result in self.all() if result.prompt == prompt), default=0)
