"""The one stream of events that every front end reads while a prompt is rewritten."""

from __future__ import annotations

from dataclasses import dataclass

from sinc_tui.engine.protocol import ModelInfo, RunStats
from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.invariants import Verdict


@dataclass(frozen=True, slots=True)
class Loading:
    """A model is being made ready; `fraction` runs from 0.0 to 1.0."""

    what: str
    fraction: float


@dataclass(frozen=True, slots=True)
class ModelReady:
    """The model is loaded."""

    info: ModelInfo


@dataclass(frozen=True, slots=True)
class Reading:
    """The model reads a long prompt; `fraction` runs from 0.0 to 1.0."""

    fraction: float


@dataclass(frozen=True, slots=True)
class BandDelta:
    """More text of a band, to be appended."""

    band: Band
    text: str


@dataclass(frozen=True, slots=True)
class BandDone:
    """A band is finished; `text` is the whole of it and replaces what came in deltas."""

    band: Band
    text: str


@dataclass(frozen=True, slots=True)
class InvariantChanged:
    """An invariant's status or reason is not what it was."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Finished:
    """The document is complete and valid. Last event of a stream."""

    document: SincDocument
    stats: RunStats


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run was stopped; what was written so far is kept in `draft`. Last event of a stream."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class Failed:
    """The run failed; what was written so far is kept in `draft`. Last event of a stream."""

    error: SincError
    draft: Draft


Event = (
    Loading
    | ModelReady
    | Reading
    | BandDelta
    | BandDone
    | InvariantChanged
    | Finished
    | Stopped
    | Failed
)
