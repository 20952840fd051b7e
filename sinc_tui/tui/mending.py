"""Ways to mend a result that breaks an invariant or lost facts, each by one key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sinc_tui.sinc.bands import Band
from sinc_tui.tui.results import Result

if TYPE_CHECKING:
    from sinc_tui.sinc.grounding import Fact


@dataclass(frozen=True, slots=True)
class Mend:
    """A mend: new texts for some bands, or bands that the model is to write.

    Attributes:
        of: the id of the broken invariant, or `facts`.
        words: what the key does, the rest of a sentence that starts with the key.
    """

    of: str
    words: str
    texts: dict[Band, str] = field(default_factory=dict)
    write: tuple[Band, ...] = ()


def mend_of(result: Result) -> Mend | None:
    """The mend of the first broken invariant; None while all hold or nothing is there yet."""
    if result.empty:
        return None
    return _halves(result) or _missing(result) or _sentences(result) or _too_long(result)


def mend_of_facts(result: Result, lost: list[Fact]) -> Mend | None:
    """Lost facts put at the end of DATA, as many as leave it shorter than CONSTRAINTS.

    None where there are none, or no room for the first.
    """
    texts = result.draft.texts
    room = len(texts[Band.CONSTRAINTS])
    data, added = texts[Band.DATA].rstrip(), 0
    for fact in lost:
        longer = _joined(data, fact.text)
        if len(longer) >= room:
            break
        data, added = longer, added + 1
    if not added:
        return None
    left = len(lost) - added
    what = ("adds it" if added == 1 else f"adds {added}") if left else _all(added)
    rest = f"; {left} more would make DATA too long" if left else ""
    return Mend("facts", f"{what} to DATA{rest}.", {Band.DATA: data})


def no_room_for_facts(result: Result, lost: list[Fact]) -> str:
    """Why no lost fact can be added; empty where one can, or none is lost."""
    if not lost or mend_of_facts(result, lost):
        return ""
    return "DATA has no room for it: CONSTRAINTS must stay the longest."


def _all(count: int) -> str:
    return "adds it" if count == 1 else "adds them"


def _joined(data: str, fact: str) -> str:
    if not data:
        return fact
    return f"{data} {fact}" if data[-1] in ".;:,!?" else f"{data}; {fact}"


def _halves(result: Result) -> Mend | None:
    from sinc_tui.sinc.strict_json import has_lone_surrogate

    broken = {b: t for b, t in result.draft.texts.items() if has_lone_surrogate(t)}
    texts = {band: _without_halves(text) for band, text in broken.items()}
    return Mend("json", "takes the broken characters out.", texts) if texts else None


def _without_halves(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _missing(result: Result) -> Mend | None:
    missing = result.missing
    if not missing:
        return None
    names = missing[0].value if len(missing) == 1 else f"the {len(missing)} missing bands"
    return Mend("bands", f"lets the model write {names}.", write=tuple(missing))


def _sentences(result: Result) -> Mend | None:
    from sinc_tui.sinc.sentences import end_of_first_sentence

    texts = result.draft.texts
    task = texts[Band.TASK]
    end = end_of_first_sentence(task)
    if end is None:
        return None
    rest = " ".join(task[end:].split())
    rules = f"{texts[Band.CONSTRAINTS].rstrip()} {rest}".strip()
    return Mend(
        "task_one_sentence",
        "moves the rest to CONSTRAINTS.",
        {Band.TASK: task[:end].strip(), Band.CONSTRAINTS: rules},
    )


def _too_long(result: Result) -> Mend | None:
    """Cut what is too long at the end of a sentence; where that leaves too little, new rules."""
    from sinc_tui.engine.trimming import trim

    texts = result.draft.texts
    room = len(texts[Band.CONSTRAINTS]) - 1
    long: list[Band] = [b for b in Band if b is not Band.CONSTRAINTS and len(texts[b]) > room]
    if not long:
        return None
    if room < max(len(texts[band]) for band in long) // 3:
        words = "lets the model write a longer CONSTRAINTS."
        return Mend("constraints_longest", words, write=(Band.CONSTRAINTS,))
    cut = {band: trim(texts[band], room) for band in long}
    return Mend("constraints_longest", f"shortens {' and '.join(long)}.", cut)
