"""A run of the decoder: what is asked, who hears of it, what is known, and what each band has to obey."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from sinc_tui.engine.answers import BandRules, Finish
from sinc_tui.engine.facts import FactKeeper
from sinc_tui.engine.guards import Guard, NumberGuard
from sinc_tui.engine.limits import LEAST_RULES, Limit, limits
from sinc_tui.engine.names import NameGuard
from sinc_tui.engine.protocol import RunStats, SamplerOptions
from sinc_tui.engine.runtime import Cancelled
from sinc_tui.engine.verbatim import VerbatimGuard
from sinc_tui.engine.words import WordGuard, is_english
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.likeness import without_repeats


class Listener(Protocol):
    """Who hears of a run as it goes."""

    def delta(self, band: Band, text: str) -> None:
        """More text of a band."""

    def band_end(self, band: Band, text: str) -> None:
        """A band's final text; a band can end twice, for what is kept or cut when all are written."""


class _Unheard:
    """Hears and says nothing."""

    def delta(self, band: Band, text: str) -> None:
        pass

    def band_end(self, band: Band, text: str) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a run.

    Attributes:
        prompt: the raw prompt.
        sampler: how tokens are chosen, and the decoding mode.
        given: bands that are kept as they are.
        starts: what bands have to begin with.
        free: no mask and no limit at all, to measure what the model does by itself.
    """

    prompt: str
    sampler: SamplerOptions = SamplerOptions()
    given: Mapping[Band, str] = field(default_factory=dict)
    starts: Mapping[Band, str] = field(default_factory=dict)
    free: bool = False


class Job:
    """One run's state: the finished texts and the figures.

    Attributes:
        spare: tokens of the context that neither the prompt nor an answer at its limits takes.
    """

    def __init__(
        self,
        request: Request,
        listener: Listener,
        cancelled: Callable[[], bool],
        *,
        spells: bool = False,
    ) -> None:
        """`spells`: whether words must be those of the prompt or a dictionary, where it is English."""
        self.request = request
        self._spells = spells
        self.texts: dict[Band, str] = dict(request.given)
        self.limits = limits(request.given)
        self.masks: Counter[str] = Counter()
        self.spare = 0
        self._typed = list(request.given.values())
        self._notes: list[str] = []
        self._free_tokens = 0
        self._listener, self._cancelled = listener, cancelled
        self._began = time.monotonic()
        self._first: float | None = None

    @cached_property
    def _keeper(self) -> FactKeeper | None:
        """Looks for the prompt's facts when first asked: the prompt must be known to fit by then."""
        return FactKeeper(self.request.prompt) if self.request.sampler.fact_keeper else None

    def _longest_other(self) -> int:
        """Length of the longest finished band other than CONSTRAINTS."""
        return max((len(t) for b, t in self.texts.items() if b is not Band.CONSTRAINTS), default=0)

    def rules_for(self, band: Band, limit: Limit) -> BandRules:
        """What one band has to obey."""
        numbers = self._number_guards(band)
        guards: list[Guard] = [*numbers, *self._name_guards(band), *self._word_guards]
        if band is Band.CONSTRAINTS:
            return BandRules(
                guards=guards,
                may_close=lambda n: (
                    not self._waits() and n > max(self._longest_other(), LEAST_RULES)
                ),
                may_wait=self._waits,
                complete=lambda text: self._completed_rules(text, limit),
            )
        if band is Band.DATA:
            return self._data_rules(numbers, limit)
        return BandRules(guards=guards)

    def _completed_rules(self, text: str, limit: Limit) -> str:
        """CONSTRAINTS without a rule that stands there twice, and with the facts that all bands lost."""
        text = without_repeats(text)
        if self._keeper is None or self._waits():
            return text
        return self._keeper.constraints(
            text, self._others(), self._longest_other(), limit.characters
        )

    def _number_guards(self, band: Band) -> list[NumberGuard]:
        """What holds a band's numbers: to the prompt's, outside DATA also to those of given bands."""
        if band is Band.FORMAT or not self.request.sampler.number_guard:
            return []
        if band is Band.DATA:
            return [NumberGuard(self.request.prompt)]
        return [NumberGuard(self._known, sparing=True)]

    def _name_guards(self, band: Band) -> list[NameGuard]:
        """What holds the names in a band; PERSONA may speak of `Node.js`, FORMAT of `and/or`."""
        held = band in (Band.CONTEXT, Band.CONSTRAINTS, Band.TASK)
        return [NameGuard(self._known)] if held and self.request.sampler.number_guard else []

    @cached_property
    def _word_guards(self) -> list[WordGuard]:
        """What holds the words of every band but DATA, which is the prompt's own."""
        held = (
            self._spells and self.request.sampler.number_guard and is_english(self.request.prompt)
        )
        return [WordGuard(self._known)] if held else []

    @property
    def _known(self) -> str:
        """What the user typed: the prompt, and bands that are given."""
        return "\n".join([self.request.prompt, *self._typed])

    def lost_clauses(self) -> list[str]:
        """What the prompt says and no finished band does; nothing where facts need not be kept."""
        return self._keeper.lost_clauses(self.texts.values()) if self._keeper else []

    def loses_with(self, band: Band, text: str) -> bool:
        """Whether something that the finished bands tell of the prompt would go with another text of one."""
        if self._keeper is None:
            return False
        texts = {**self.texts, band: text}
        return not self._keeper.untold(texts.values()) <= self._keeper.untold(self.texts.values())

    def draft(self, band: Band, start: str) -> Job:
        """A run that nobody hears of, for one band alone with a beginning; all others are kept."""
        given = {other: text for other, text in self.texts.items() if other is not band}
        request = replace(self.request, given=given, starts={band: start})
        draft = Job(request, _Unheard(), self._cancelled, spells=self._spells)
        draft._typed = self._typed
        return draft

    def take_over(self, draft: Job, band: Band, text: str) -> None:
        """Finish a band anew with what a draft made of it, its figures and notes included."""
        self.masks += draft.masks
        self._free_tokens += draft._free_tokens
        self._notes = [note for note in self._notes if not note.startswith(f"{band} ")]
        self._notes += draft._notes
        self.finish(band, Finish(text))

    def _data_rules(self, numbers: Sequence[Guard], limit: Limit) -> BandRules:
        keeper = self._keeper
        verbatim = VerbatimGuard(self.request.prompt) if self.request.sampler.verbatim else None

        def complete(text: str) -> str:
            text = verbatim.tidied(text) if verbatim else text
            return keeper.data(text, limit.characters) if keeper else text

        return BandRules(
            guards=[verbatim, *numbers] if verbatim else numbers,
            complete=complete,
        )

    def _waits(self) -> bool:
        """Whether CONSTRAINTS has to wait for a band that is still being written."""
        open_bands = (b for b in Band if b is not Band.CONSTRAINTS and b not in self.texts)
        return self.request.sampler.decode == "parallel" and any(open_bands)

    def _others(self) -> str:
        return "\n".join(text for band, text in self.texts.items() if band is not Band.CONSTRAINTS)

    def check(self) -> None:
        """Raise `Cancelled` when the run was stopped."""
        if self._cancelled():
            raise Cancelled

    def took(self, band: Band, added: str) -> None:
        """Count a token and send the text that it added."""
        self._free_tokens += 1
        if added:
            self._first = self._first or time.monotonic()
            self._listener.delta(band, added)

    def finish(self, band: Band, finish: Finish) -> None:
        """Take a band's final text; called again when it is changed at the end."""
        if finish.note:
            self._notes.append(finish.note)
        self.texts[band] = finish.text
        self._listener.band_end(band, finish.text)

    def stats(self, prompt_tokens: int) -> RunStats:
        """The figures so far."""
        now = time.monotonic()
        return RunStats(
            prompt_tokens=prompt_tokens,
            free_tokens=self._free_tokens,
            seconds=now - self._began,
            seconds_to_first=(self._first or now) - self._began,
            masks=dict(self.masks),
            notes=self._notes,
            seed=self.request.sampler.seed,
            decode=self.request.sampler.decode,
        )
