"""What is left to do when all bands are written: keep what they lost, and CONSTRAINTS the longest."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from sinc_tui.engine.answers import Finish
from sinc_tui.engine.facts import with_data, with_rule
from sinc_tui.engine.job import Job
from sinc_tui.engine.trimming import trim
from sinc_tui.engine.verbatim import VerbatimGuard
from sinc_tui.sinc.bands import Band

_MIND = "Keep in mind these words of the prompt"
_RULES = (
    " Keep to what the prompt says.",
    " Keep every fact of DATA as it is written.",
    " Do not add facts that the prompt does not hold.",
    " State what is missing instead of guessing it.",
)


def close(job: Job) -> None:
    """Bring a job's finished bands to their final texts."""
    _keep_clauses(job)
    _outgrow(job)


def _keep_clauses(job: Job) -> None:
    """Put clauses of the prompt that no band tells into DATA while it stays below CONSTRAINTS, else there."""
    rules = job.texts[Band.CONSTRAINTS]
    given, limits = job.request.given, job.limits
    room = min(limits[Band.DATA].characters, len(rules) - 1) if Band.DATA not in given else 0
    most = limits[Band.CONSTRAINTS].characters if Band.CONSTRAINTS not in given else 0
    items: list[str] = []
    minded: list[str] = []
    for clause in job.lost_clauses():
        if len(_data_with(job, [*items, clause])) <= room:
            items.append(clause)
        elif len(with_rule(rules, [*minded, clause], _MIND)) <= most:
            minded.append(clause)
    if items:
        job.finish(Band.DATA, Finish(_data_with(job, items)))
    if minded:
        job.finish(Band.CONSTRAINTS, Finish(with_rule(rules, minded, _MIND)))
    if items or minded:
        job.masks["clause_keeper"] += 1


def _data_with(job: Job, clauses: Sequence[str]) -> str:
    data = with_data(job.texts[Band.DATA], clauses)
    return VerbatimGuard(job.request.prompt).tidied(data) if job.request.sampler.verbatim else data


def _outgrow(job: Job) -> None:
    """Where CONSTRAINTS could not outgrow a band, cut that band and say so.

    A given band is not cut: there general rules fill CONSTRAINTS up.
    """
    given, rules = job.request.given, job.texts[Band.CONSTRAINTS]
    fixed = max((len(t) for b, t in given.items() if b is not Band.CONSTRAINTS), default=0)
    if len(rules) <= fixed:
        for rule in itertools.cycle(_RULES):
            rules += rule
            if len(rules) > fixed:
                break
        job.finish(Band.CONSTRAINTS, Finish(rules, "CONSTRAINTS was filled up with general rules."))
    for band in Band:
        text = job.texts[band]
        if band is Band.CONSTRAINTS or band in given or len(text) < len(rules):
            continue
        cut = trim(text, len(rules) - 1)
        job.finish(band, Finish(cut, f"{band} was cut to stay under CONSTRAINTS."))
