"""A model of ours as a student to be judged: the engine in this process, with or without its masks."""

from __future__ import annotations

from pathlib import Path

from sinc_tui.distill.baselines import Decomposition
from sinc_tui.engine.decoder import Decoder
from sinc_tui.engine.job import Request
from sinc_tui.engine.llama_runtime import silence
from sinc_tui.engine.protocol import EngineOptions, SamplerOptions
from sinc_tui.engine.service import open_decoder
from sinc_tui.models.catalog import catalog, named
from sinc_tui.models.prepare import prepare
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.invariants import Status, check

_INVALID = frozenset({"json", "endless"})
"""Counts of a free run that mean: this was no JSON string, or it did not end."""


class _Deaf:
    """A listener that needs no stream."""

    def delta(self, band: Band, text: str) -> None: ...

    def band_end(self, band: Band, text: str) -> None: ...


class EngineStudent:
    """A GGUF under our decoder.

    `free` takes every mask off. Without the number guard and the fact keeper of `sampler` it is seen
    what the model keeps and invents by itself, in a document that is valid.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        sampler: SamplerOptions = SamplerOptions(),
        *,
        free: bool = False,
        options: EngineOptions = EngineOptions(),
    ) -> None:
        self.name = name
        self._sampler, self._free = sampler, free
        self._decoder: Decoder | None = None
        self._path, self._options = path, options

    def decompose(self, prompt: str) -> Decomposition:
        """The six bands for a prompt; the model is loaded at the first."""
        if self._decoder is None:
            silence()
            self._decoder = open_decoder(self._path, self._options)[0]
        request = Request(prompt, self._sampler, free=self._free)
        texts, stats = self._decoder.decompose(request, _Deaf())
        return Decomposition(
            texts,
            stats.free_tokens,
            stats.seconds,
            stats.masks,
            valid_unmasked=_valid(texts, stats.masks) if self._free else None,
            notes=tuple(stats.notes),
        )


def _valid(texts: dict[Band, str], masks: dict[str, int]) -> bool:
    verdicts = check(Draft.finished(texts))
    return not _INVALID & masks.keys() and all(v.status is Status.PASS for v in verdicts)


def open_student(spec: str, *, free: bool = False) -> EngineStudent:
    """A student from `MODEL[:bare][:parallel]`; MODEL is a GGUF file or a name of the catalogue.

    `bare` is without what the decoder does for facts: verbatim DATA, number guard, fact keeper.
    Raises `SincError` where there is no such model.
    """
    model, *modes = spec.split(":")
    helped = "bare" not in modes
    sampler = SamplerOptions(
        decode="parallel" if "parallel" in modes else "sequential",
        verbatim=helped,
        number_guard=helped,
        fact_keeper=helped,
    )
    name = f"{spec}:free" if free else spec
    return EngineStudent(name, _model_path(model), sampler, free=free)


def _model_path(model: str) -> Path:
    if model not in catalog():
        return Path(model)
    file = named(model)
    if file.student is not None and not file.student.ready():
        prepare(file.student, lambda _: None)
    return file.path
