"""Figures of a report: each is one function of judged documents, for all of them or for a kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean, quantiles
from typing import Literal

from sinc_tui.distill.evaluation import Judged
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.grounding import holds

Rows = Sequence[Judged]
Value = float | None
"""A figure; None where nothing can be said (no facts, no numbers, no run without masks)."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of a set of documents.

    Attributes:
        unit: `share` is 0 to 1, shown in per cent; `number` and `seconds` are shown as they are.
        better: whether more or less is better; `none` where neither is.
    """

    key: str
    title: str
    unit: Literal["share", "number", "seconds"]
    better: Literal["more", "less", "none"]
    measure: Callable[[Rows], Value]


def share(flags: Sequence[bool | None]) -> Value:
    """Share of the true ones among those that are not None; None when all are."""
    known = [flag for flag in flags if flag is not None]
    return sum(known) / len(known) if known else None


def ratio(part: int, whole: int) -> Value:
    """`part / whole`, None for a whole of nothing."""
    return part / whole if whole else None


def _facts_kept(rows: Rows) -> Value:
    kept = sum(len(row.grounding.kept) for row in rows)
    return ratio(kept, kept + sum(len(row.grounding.lost) for row in rows))


def _foreign(rows: Rows) -> Value:
    return ratio(
        sum(len(row.foreign.foreign) for row in rows), sum(row.foreign.total for row in rows)
    )


def _tokens_per_second(rows: Rows) -> Value:
    tokens = sum(row.made.free_tokens for row in rows)
    seconds = sum(row.made.seconds for row in rows)
    return tokens / seconds if tokens and seconds else None


def _mean(values: Sequence[float]) -> Value:
    return mean(values) if values else None


METRICS = (
    Metric("valid", "valid", "share", "more", lambda rows: share([r.valid for r in rows])),
    Metric(
        "valid_unmasked",
        "valid with no mask at all",
        "share",
        "more",
        lambda rows: share([r.made.valid_unmasked for r in rows]),
    ),
    Metric("facts_kept", "facts kept", "share", "more", _facts_kept),
    Metric(
        "all_facts",
        "documents with every fact",
        "share",
        "more",
        lambda rows: share([not r.grounding.lost for r in rows]),
    ),
    Metric(
        "invented",
        "documents with an invented fact",
        "share",
        "less",
        lambda rows: share([bool(r.grounding.invented) for r in rows]),
    ),
    Metric("foreign_numbers", "foreign numbers in DATA", "share", "less", _foreign),
    Metric(
        "closest",
        "closest to its own prompt (swap)",
        "share",
        "more",
        lambda rows: share([r.closest for r in rows]),
    ),
    Metric(
        "degenerate",
        "loop, repeated band or empty talk",
        "share",
        "less",
        lambda rows: share([r.faults.any for r in rows]),
    ),
    Metric(
        "loops", "loops", "share", "less", lambda rows: share([bool(r.faults.loops) for r in rows])
    ),
    Metric(
        "repeats",
        "a band repeats another",
        "share",
        "less",
        lambda rows: share([bool(r.faults.repeats) for r in rows]),
    ),
    Metric(
        "empty",
        "empty talk",
        "share",
        "less",
        lambda rows: share([bool(r.faults.empty) for r in rows]),
    ),
    Metric(
        "duplicates",
        "a band as for another prompt",
        "share",
        "less",
        lambda rows: share([bool(r.duplicates) for r in rows]),
    ),
    Metric(
        "tokens",
        "free tokens a document",
        "number",
        "none",
        lambda rows: _mean([r.made.free_tokens for r in rows if r.made.free_tokens]),
    ),
    Metric(
        "seconds",
        "seconds a document",
        "seconds",
        "less",
        lambda rows: _mean([r.made.seconds for r in rows if r.made.free_tokens]),
    ),
    Metric("speed", "tokens a second", "number", "more", _tokens_per_second),
)
"""Every figure, in the order in which they are shown."""

KIND_METRICS = ("valid", "facts_kept", "closest", "degenerate")
"""The figures that are also given for each kind of prompt."""


def summary(rows: Rows) -> dict[str, Value]:
    """Every figure of these documents, by its key."""
    return {metric.key: metric.measure(rows) for metric in METRICS}


def by_kind(rows: Rows) -> dict[str, dict[str, Value]]:
    """The figures of each kind of prompt, the commonest kind first."""
    counts = Counter(row.example.kind for row in rows)
    chosen = [metric for metric in METRICS if metric.key in KIND_METRICS]
    result: dict[str, dict[str, Value]] = {}
    for kind, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        own = [row for row in rows if row.example.kind == kind]
        result[kind] = {"documents": count} | {metric.key: metric.measure(own) for metric in chosen}
    return result


def by_band(rows: Rows) -> dict[str, dict[str, Value]]:
    """What can be said of each band: facts held, faults, duplicates, and lengths in code points."""
    return {band.value: _band(rows, band) for band in Band}


def _band(rows: Rows, band: Band) -> dict[str, Value]:
    facts = [(row, fact) for row in rows for fact in row.grounding.kept + row.grounding.lost]
    lengths = sorted(len(row.made.texts.get(band, "")) for row in rows)
    low, middle, high = _spread(lengths)
    return {
        "facts_held": share([holds(row.made.texts.get(band, ""), fact) for row, fact in facts]),
        "invented": _mean([sum(i.band is band for i in row.grounding.invented) for row in rows]),
        "loops": share([band in row.faults.loops for row in rows]),
        "repeats": share([any(band in pair for pair in row.faults.repeats) for row in rows]),
        "empty": share([band in row.faults.empty for row in rows]),
        "duplicates": share([band in row.duplicates for row in rows]),
        "length_p5": low,
        "length_median": middle,
        "length_p95": high,
    }


def _spread(lengths: Sequence[int]) -> tuple[Value, Value, Value]:
    """5th percentile, median and 95th percentile."""
    if len(lengths) < 2:
        only = float(lengths[0]) if lengths else None
        return only, only, only
    cuts = quantiles(lengths, n=20, method="inclusive")
    return cuts[0], cuts[9], cuts[18]


def masks(rows: Rows) -> dict[str, dict[str, float]]:
    """How each mask was used: in what share of the documents, and how often in a document."""
    names = sorted({name for row in rows for name in row.made.masks})
    return {
        name: {
            "documents": sum(row.made.masks.get(name, 0) > 0 for row in rows) / len(rows),
            "uses": sum(row.made.masks.get(name, 0) for row in rows) / len(rows),
        }
        for name in names
    }


GOALS: dict[str, dict[str, float]] = {
    "tiny": {
        "valid_unmasked": 0.97,
        "facts_kept": 0.92,
        "foreign_numbers": 0.01,
        "closest": 0.99,
        "degenerate": 0.02,
    },
    "small": {
        "valid_unmasked": 0.99,
        "facts_kept": 0.97,
        "foreign_numbers": 0.01,
        "closest": 1.0,
        "degenerate": 0.01,
    },
}
"""What a shipped student has to reach on the dev set, with nothing helping it, by tier."""


def reaches(metric: Metric, value: Value, goal: float) -> bool | None:
    """Whether a figure reaches a goal; None where there is no figure."""
    if value is None:
        return None
    return value >= goal if metric.better == "more" else value <= goal
