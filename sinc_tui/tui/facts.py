"""What the screen shows of grounding: counts, sentences, and where in the texts the facts stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sinc_tui.sinc.bands import Band

if TYPE_CHECKING:
    from sinc_tui.sinc.grounding import Fact, Grounding
    from sinc_tui.tui.widgets.safe_area import Mark

LONGEST_PROMPT = 20_000
"""Code points of a prompt beyond which facts are not sought: it would hold up every key."""
_NAMED = 3


@dataclass(frozen=True, slots=True)
class FactView:
    """The facts of a result.

    Attributes:
        grounding: which facts are kept, lost, invented.
        prompt_marks: where they stand in the prompt.
        band_marks: where they stand in each band.
    """

    grounding: Grounding
    prompt_marks: list[Mark] = field(default_factory=list)
    band_marks: dict[Band, list[Mark]] = field(default_factory=dict)

    @property
    def lost(self) -> str:
        """The lost facts as a sentence; empty when there are none."""
        facts = self.grounding.lost
        return f"Lost from the prompt: {_named(fact.text for fact in facts)}." if facts else ""

    @property
    def invented(self) -> str:
        """The invented facts as a sentence; empty when there are none."""
        found = self.grounding.invented
        named = _named((i.fact.text for i in found), [f" in {i.band}" for i in found])
        return f"Not in the prompt: {named}." if found else ""


def view(prompt: str, texts: Mapping[Band, str]) -> FactView | None:
    """The facts of a prompt and its bands; None where the prompt is blank or too long."""
    if not prompt.strip() or len(prompt) > LONGEST_PROMPT:
        return None
    from sinc_tui.sinc.grounding import extract_facts, ground, holds

    grounding = ground(prompt, texts)
    invented = {(i.band, i.fact) for i in grounding.invented}
    marks = {
        band: [
            (fact.start, fact.end, "invented" if (band, fact) in invented else "kept")
            for fact in extract_facts(text)
            if (band, fact) in invented or holds(prompt, fact)
        ]
        for band, text in texts.items()
    }
    return FactView(grounding, _prompt_marks(grounding), marks)


def _prompt_marks(grounding: Grounding) -> list[Mark]:
    def marks(facts: list[Fact], look: str) -> list[Mark]:
        return [(fact.start, fact.end, look) for fact in facts]

    return marks(grounding.kept, "kept") + marks(grounding.lost, "lost")


def _named(texts: Iterable[str], where: list[str] | None = None) -> str:
    """The first few, each in quotation marks, and how many more there are."""
    quoted = [f"“{' '.join(text.split())}”" for text in texts]
    named = [text + place for text, place in zip(quoted, where or [""] * len(quoted), strict=True)]
    more = [f"{len(named) - _NAMED} more"] if len(named) > _NAMED else []
    return ", ".join(named[:_NAMED] + more)
