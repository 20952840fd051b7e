"""Bands that say once more what another says: from which beginning they are written anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sinc_tui.engine.job import Job
from sinc_tui.engine.writer import Finish
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.likeness import repeats
from sinc_tui.sinc.sentences import end_of_first_sentence

STARTS: Mapping[Band, Sequence[str]] = {
    Band.CONTEXT: ("The user wants", "The user has"),
    Band.FORMAT: ("Only the", "First the"),
}
"""Other beginnings of the bands that can say something else, as the teacher begins them.

DATA copies the prompt and TASK names the request: where one of them is repeated, the other band gives way.
"""


def beginnings(job: Job) -> Iterator[tuple[Band, str]]:
    """Bands of a finished job that repeat another, each with one beginning after the other till it does not."""
    for band, starts in STARTS.items():
        for start in starts:
            if band not in job.request.given and _repeats(job, band, job.texts[band]):
                yield band, start


def take_if_better(job: Job, band: Band, text: str) -> None:
    """Finish a band as `text`, or its first sentence, where that repeats no band and loses nothing."""
    first = text[: end_of_first_sentence(text)]
    for shorter in dict.fromkeys((text, first)):
        if not _repeats(job, band, shorter) and not job.loses_with(band, shorter):
            job.masks["repeat_keeper"] += 1
            job.finish(band, Finish(shorter))
            return


def _repeats(job: Job, band: Band, text: str) -> bool:
    """Whether a job's band repeats another one with a text."""
    bands = {one: text if one is band else job.texts[one] for one in Band}
    return any(band in pair for pair in repeats(job.request.prompt, bands))
