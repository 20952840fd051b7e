"""Writing one band: which of the model's tokens it takes, and when it closes.

A writer never sees llama.cpp: it is asked with logits and answers with a token to evaluate, or with
the finished text. Free choice first; a mask only where that one choice breaks a rule.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sinc_tui.engine.answers import Answer, BandRules, Finish, Retake, Wait
from sinc_tui.engine.guards import NumberGuard, allow_all, is_number
from sinc_tui.engine.limits import LEAST_RULES, Limit
from sinc_tui.engine.names import NameGuard
from sinc_tui.engine.sampler import Logits, Sampler
from sinc_tui.engine.trimming import trim
from sinc_tui.engine.vocabulary import NEUTRAL, Mask, Step, StringState, Vocabulary, advance
from sinc_tui.engine.words import WordGuard
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.sentences import end_of_first_sentence

_FALLBACK = "Not given."
_FALLBACK_RULE = "Keep to what the prompt says and add nothing to it."
_SENTENCE_END = re.compile(r"[.!?…؟۔।][\"'”’)\]]*\Z")
_LOOSE_END = re.compile(r"\s[!?]+\Z")
"""A mark of its own comes from pasted matter ('! Undefined control sequence.') and is no end of TASK."""
_WITHIN_NUMBER = re.compile(r"[\d.,:/-]+")
_CLOSED = Step("", NEUTRAL, closes=True)
_NEAR = math.log(10)
"""A word is spelt on with a token at least a tenth as likely as the one that spoils it, else begun anew."""
_RESPELLS = 3
"""How often a word is begun anew behind the same text."""
WALK = 64
"""How many of the likeliest tokens are tried one by one before a band gives up on a guard."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """What stood before a word or number that is being written: the way back when it becomes a wrong one."""

    logits: Logits
    text: str
    tokens: int


class BandWriter:
    """The text of one band as it grows."""

    def __init__(
        self,
        band: Band,
        vocabulary: Vocabulary,
        sampler: Sampler,
        limit: Limit,
        rules: BandRules = BandRules(),
        *,
        start: tuple[str, Sequence[int]] = ("", ()),
        free: bool = False,
    ) -> None:
        """`start` is what the band begins with, as text and in tokens that the model has seen already.

        `free` takes every choice of the model as it comes, to measure what it does by itself.
        """
        self.band = band
        self.text = start[0]
        self.tokens = list(start[1])
        self.masks: Counter[str] = Counter()
        self._vocabulary, self._sampler, self._limit = vocabulary, sampler, limit
        self._rules, self._free = rules, free
        self._state: StringState = NEUTRAL
        self._kept: tuple[Logits, Step] | None = None
        self._turn: _Turn | None = None
        self._word: _Turn | None = None
        self._spoilt: defaultdict[str, list[int]] = defaultdict(list)
        """By the text before, tokens with which a word began that could not be finished."""
        self._words = next((g for g in rules.guards if isinstance(g, WordGuard)), None)
        self._cut_short: str | None = None

    @property
    def neutral(self) -> bool:
        """Whether the text ends in a whole code point and no open escape."""
        return self._state.neutral

    @property
    def settled(self) -> str:
        """The text without a number or word at its end that may still be taken back."""
        turns = (turn.text for turn in (self._turn, self._word) if turn)
        return min(turns, key=len, default=self.text)

    def write(self, logits: Logits) -> Answer:
        """The next token to evaluate, or the finish. `logits` [vocabulary] may be changed in place."""
        token = self._sampler.choose(logits, self.tokens)
        step = self._step(token)
        if self._free:
            return self._take_freely(token, step)
        broken = self._broken_rule(step)
        if broken == "constraints_longest" and step is not None and self._rules.may_wait():
            self._kept = (logits.copy(), step)
            return Wait()
        if broken == NumberGuard.name and self._turn is not None:
            return self._renumber(logits, self._turn)
        if broken == WordGuard.name and self._word is not None and self._spoils(step):
            return self._respell(logits, token, self._word)
        return self._go_on(logits, token, step, broken)

    def resume(self) -> Answer:
        """The answer that was put off with `Wait`."""
        if self._cut_short is not None:
            return self._completed(self.text, self._cut_short)
        assert self._kept is not None, "resume() follows a Wait"
        (logits, step), self._kept = self._kept, None
        return self._go_on(logits, 0, step, self._broken_rule(step))

    def _go_on(self, logits: Logits, token: int, step: Step | None, broken: str | None) -> Answer:
        if broken is not None:
            self.masks[broken] += 1
            token, step = self._masked(logits, broken)
        if step is None:
            return self._cut("the last word that fits", whole=True)
        return self._choose(logits, token, step)

    def _choose(self, logits: Logits, token: int, step: Step) -> Answer:
        """Take a token, and keep the way back to before it."""
        self._mark_turn(logits, step)
        self._mark_word(logits, step)
        return self._take(token, step)

    def _mark_turn(self, logits: Logits, step: Step) -> None:
        """Keep the way back from a number in prose; DATA is a list and may end before one.

        Models write the blank before a number as a token of its own and then digit by digit, so what is
        wrong shows when it is too late for another word.
        """
        prose = self.band is not Band.DATA and any(
            g.name == NumberGuard.name for g in self._rules.guards
        )
        if self._turn is not None and _WITHIN_NUMBER.fullmatch(step.text):
            return
        begins = prose and self._state.neutral and not step.closes
        begins = begins and (step.text.isspace() or any(map(is_number, step.text)))
        self._turn = _Turn(logits.copy(), self.text, len(self.tokens)) if begins else None

    def _renumber(self, logits: Logits, turn: _Turn) -> Answer:
        """Mend a number in prose that is not the prompt's.

        Within a name or behind `790.` it is finished as the prompt's is; behind a comma the list goes on
        without it; else it is taken back.
        """
        names = [
            way
            for g in self._rules.guards
            if g.name == NameGuard.name
            for way in g.ways_on(self.text)
        ]
        token, step = self._towards(logits, names)
        if step is not None:
            self.masks[NameGuard.name] += 1
            return self._take(token, step)
        numbers = next(g for g in self._rules.guards if isinstance(g, NumberGuard))
        if numbers.lists(self.text):
            return self._go_on(logits, 0, None, NumberGuard.name)
        rest = numbers.rest_of_joined(self.text)
        token, step = self._towards(logits, [rest] if rest else [])
        if step is None:
            words = self._vocabulary.solid & ~self._vocabulary.digits
            return self._retake(turn, words, NumberGuard.name)
        self.masks[NumberGuard.name] += 1
        return self._take(token, step)

    def _mark_word(self, logits: Logits, step: Step) -> None:
        """Keep the way back from a word: how it is misspelt shows behind its first token."""
        if self._words is None:
            return
        begun = self._words.begun(self.text + step.text)
        begins = begun is not None and begun >= len(self.text)
        if begun is None or step.closes or (begins and not self._state.neutral):
            self._word = None
        elif begins:
            self._word = _Turn(logits.copy(), self.text, len(self.tokens))

    def _spoils(self, step: Step | None) -> bool:
        """Whether it is the word at the end that a step leaves misspelt, and not one of its own."""
        goes_on = step is not None and step.text[:1].isalpha()
        return goes_on or (self._words is not None and not self._words.closes(self.text))

    def _respell(self, logits: Logits, spoilt: int, word: _Turn) -> Answer:
        """Go on with a word in another way, or where no other is likely, back to before it."""
        token, step = self._masked(logits, WordGuard.name)
        beginnings = self._spoilt[word.text]
        near = logits[token] >= logits[spoilt] - _NEAR
        if step is not None and (near or len(beginnings) >= _RESPELLS):
            self.masks[WordGuard.name] += 1
            return self._choose(logits, token, step)
        beginnings.append(self.tokens[word.tokens])
        others = self._vocabulary.plain.copy()
        others[beginnings] = False
        return self._retake(word, others, WordGuard.name)

    def _retake(self, turn: _Turn, allowed: Mask, rule: str) -> Answer:
        """Go back to before what must not stand here, and on with the likeliest token of a mask."""
        self.masks[rule] += 1
        back = len(self.tokens) - turn.tokens
        self._turn, self.text, self._state = None, turn.text, NEUTRAL
        del self.tokens[turn.tokens :]
        token, step = self._likeliest(turn.logits, allowed)
        if step is None:
            return self._cut("the last word that fits", whole=True)
        answer = self._choose(turn.logits, token, step)
        return Retake(answer, back) if isinstance(answer, int) else answer

    def _step(self, token: int) -> Step | None:
        """What a token does here; the end of the model's turn counts as a closing quote."""
        piece = self._vocabulary.pieces[token]
        if not piece:
            return _CLOSED if self._state.neutral else None
        return advance(piece, self._state)

    def _broken_rule(self, step: Step | None) -> str | None:
        """The name of the first rule that a step breaks, None when it may be taken."""
        if step is None:
            return "json"
        after = self.text + step.text
        if step.closes:
            return self._broken_at_close(after)
        if step.state.neutral and not after.strip():
            return "blank"
        if not step.state.neutral and (unfinished := self._unfinished(after)):
            return unfinished
        if self._ends_loosely(after):
            return "one_sentence"
        guard = allow_all(self._rules.guards, after)
        return guard.name if guard else None

    def _unfinished(self, text: str) -> str | None:
        """The guard by which a name, number or word has to go on, so that no escape may begin."""
        names = (NameGuard.name, NumberGuard.name, WordGuard.name)
        held = (g.name for g in self._rules.guards if g.name in names and not g.closes(text))
        return next(held, None)

    def _broken_at_close(self, text: str) -> str | None:
        if not text.strip():
            return "blank"
        if self._ends_loosely(text.strip()):
            return "one_sentence"
        blocking = next((g for g in self._rules.guards if not g.closes(text)), None)
        if blocking is not None:
            return blocking.name
        ending = self._rules.complete(text.strip())
        return None if self._rules.may_close(len(ending)) else "constraints_longest"

    def _ends_loosely(self, text: str) -> bool:
        """Whether TASK would end in a mark of its own; within backticks or quotes it does not."""
        return (
            self.band is Band.TASK
            and _LOOSE_END.search(text) is not None
            and end_of_first_sentence(f"{text.strip()} A") is not None
        )

    def _masked(self, logits: Logits, broken: str) -> tuple[int, Step | None]:
        """The likeliest token that breaks no rule, among those that may follow what was broken."""
        token, step = self._likeliest(logits, self._allowed(broken))
        return (token, step) if step is not None else self._way_on(logits)

    def _likeliest(self, logits: Logits, allowed: Mask) -> tuple[int, Step | None]:
        """The likeliest token of a mask that breaks no rule; no step: none of the first `WALK`."""
        token = self._sampler.among(logits, allowed)
        for _ in range(WALK):
            if token is None:
                break
            step = self._step(token)
            broken_now = self._broken_rule(step)
            if broken_now is None:
                return token, step
            allowed = self._narrowed(allowed, token, broken_now)
            token = self._sampler.among(logits, allowed)
        return 0, None

    def _allowed(self, broken: str) -> Mask:
        vocabulary = self._vocabulary
        if not self._state.neutral:
            return vocabulary.open_in(self._state)
        if not self.text.strip():
            return vocabulary.solid
        if broken == "constraints_longest" and _SENTENCE_END.search(self.text):
            # Behind its last rule the model has nothing but the end in mind; asked for any other
            # token it writes junk, asked for a new rule it writes one.
            return vocabulary.sentences if vocabulary.sentences.any() else vocabulary.plain
        # A list that must not go on as the model wants may end; prose would break off.
        guarded = any(guard.name == broken for guard in self._rules.guards)
        may_end = broken == "one_sentence" or (guarded and self.band is Band.DATA)
        return vocabulary.plain | vocabulary.closing if may_end else vocabulary.plain

    def _narrowed(self, allowed: Mask, token: int, broken: str) -> Mask:
        """`allowed` without `token`, and without all digits where a guard on numbers objects."""
        if broken == "number_guard" and self._vocabulary.digits[token]:
            return allowed & ~self._vocabulary.digits
        narrowed = allowed.copy()
        narrowed[token] = False
        return narrowed

    def _way_on(self, logits: Logits) -> tuple[int, Step | None]:
        """The likeliest token by which a guard knows the text to go on."""
        ways = (way for guard in self._rules.guards for way in guard.ways_on(self.text))
        return self._towards(logits, ways)

    def _towards(self, logits: Logits, ways: Iterable[str]) -> tuple[int, Step | None]:
        """The likeliest token that begins one of some ways on and breaks no rule."""
        allowed = np.zeros(len(self._vocabulary), np.bool_)
        for way in ways:
            allowed[self._vocabulary.beginnings(way, self._state)] = True
        while (token := self._sampler.among(logits, allowed)) is not None:
            step = self._step(token)
            if self._broken_rule(step) is None:
                return token, step
            allowed[token] = False
        return 0, None

    def _take(self, token: int, step: Step) -> Answer:
        after = self.text + step.text
        if self.band is Band.TASK and (end := end_of_first_sentence(after.strip())) is not None:
            self.masks["one_sentence"] += 1
            return self._finish(after.strip()[:end])
        if step.closes:
            return self._finish(after)
        self.text, self._state = after, step.state
        self.tokens.append(token)
        if len(after.strip()) > self._limit.characters:
            return self._cut(f"{self._limit.characters} characters")
        if len(self.tokens) >= self._limit.tokens:
            return self._cut(f"{self._limit.tokens} tokens")
        return token

    def _take_freely(self, token: int, step: Step | None) -> int | Finish:
        """The model's choice as it is; what would not be a valid string ends the band."""
        if step is None:
            self.masks["json"] += 1
            return Finish(self.text)
        self.text += step.text
        self._state = step.state
        if step.closes:
            return Finish(self.text)
        self.tokens.append(token)
        if len(self.tokens) < self._limit.tokens * 2:
            return token
        self.masks["endless"] += 1
        return Finish(self.text)

    def _finish(self, text: str) -> Finish:
        return self._completed(text.strip())

    def _cut(self, reason: str, *, whole: bool = False) -> Wait | Finish:
        """Close at a limit: at a sentence end if there is one, or behind the `whole` text as far as the
        guards let it end.

        A band that waits for others is completed once they are there.
        """
        self.masks["limit"] += 1
        text = self.text.strip()
        while text and not self._may_end(text):
            text = text[:-1].rstrip()
        least = LEAST_RULES if self.band is Band.CONSTRAINTS else 1
        if len(text) <= least:
            self.text = _FALLBACK_RULE if self.band is Band.CONSTRAINTS else _FALLBACK
        else:
            shorter = trim(text, min(self._limit.characters, len(text) - 1))
            self.text = text if whole or not self._may_end(shorter) else shorter
        note = f"{self.band} was cut at {reason}."
        if self._rules.may_wait():
            self._cut_short = note
            return Wait()
        return self._completed(self.text, note)

    def _may_end(self, text: str) -> bool:
        return all(guard.closes(text) for guard in self._rules.guards)

    def _completed(self, text: str, note: str = "") -> Finish:
        self.text = self._rules.complete(text)
        self.masks["fact_keeper"] += self.text != text
        return Finish(self.text, note)
