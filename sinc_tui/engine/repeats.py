"""Bands that say once more what another says: from which beginning they are written anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sinc_tui.engine.job import Job
from sinc_tui.engine.limits import LEAST_RULES
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.likeness import repeats
from sinc_tui.sinc.sentences import end_of_first_sentence

STARTS: Mapping[Band, Sequence[str]] = {
    Band.CONTEXT: ("The user wants", "The user has"),
    Band.FORMAT: ("Only the", "The answer"),
}
"""Other beginnings of the bands that can say something else, as the teacher begins them.

DATA copies the prompt and TASK names the request: where one of them is repeated, the other band gives way.
"""


def beginnings(job: Job) -> Iterator[tuple[Band, str]]:
    """Bands of a finished job that repeat another, each with one beginning after the other till it does not."""
    if len(job.texts[Band.CONSTRAINTS]) <= LEAST_RULES:
        return  # too short to be kept while another band is written
    for band, starts in STARTS.items():
        for start in starts:
            text = job.texts[band]
            again = not text.startswith(start) and _repeats(job, band, text)
            if again and band not in job.request.given:
                yield band, start


def take_if_better(job: Job, draft: Job, band: Band, start: str) -> None:
    """Finish a band as its draft, or that one's first sentence, if it says something, all else is still
    told, and no band is repeated."""
    text = draft.texts[band]
    first = text[: end_of_first_sentence(text)]
    longest = len(job.texts[Band.CONSTRAINTS]) - 1
    for shorter in dict.fromkeys((text, first)):
        says = any(map(str.isalnum, shorter[len(start) :])) and len(shorter) <= longest
        if says and not _repeats(job, band, shorter) and not job.loses_with(band, shorter):
            job.take_over(draft, band, shorter)
            job.masks["repeat_keeper"] += 1
            return


def _repeats(job: Job, band: Band, text: str) -> bool:
    """Whether a job's band repeats another one with a text."""
    bands = {one: text if one is band else job.texts[one] for one in Band}
    return any(band in pair for pair in repeats(job.request.prompt, bands))
