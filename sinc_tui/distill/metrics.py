"""What is wrong with one decomposition as a text: loops, bands that repeat, empty talk, numbers.

Every rule is tuned so that a large teacher's answers come out clean and a looping student's do not;
the tests hold it to both.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.grounding import numbers
from sinc_tui.sinc.likeness import repeated_sentences, repeats, words_and_marks

Bands = Mapping[Band, str]

RUN = 3
"""A phrase of two words or more that stands this many times in a row is a loop; one word, twice that."""
RUN_WORDS = 12
"""Words of the longest phrase that is looked for in a row."""
REPEATED_SHARE = 0.15
"""Share of a band's word 4-grams that repeat earlier ones from which the band loops."""
MIN_WORDS = 24
"""Words of the shortest band whose repeated share is judged."""

_SENTENCE_END = re.compile(r"(?<=[.!?;。])\s+")
_PLACEHOLDER = re.compile(r"(?:value|string|text|none|null|n/?a|todo|tbd|x+|\W*)\.?", re.IGNORECASE)
_VAGUE = r"(?:clear|concise|accurate|specific|helpful|polite|brief|correct|good|relevant|detailed)"
_EMPTY_TALK = re.compile(
    rf"\bhelpful (?:ai )?assistant\s*(?:[.,;]|\Z)|(?:^|[.;,] )(?:please )?(?:be|keep it|stay) {_VAGUE}"
    rf"(?:(?:,| and|, and) {_VAGUE})*\s*(?:[.;]|\Z)|\bclear and concise\b|"
    r"\b(?:ensure|provide|give) (?:a )?(?:high|good)[- ]quality\b|"
    r"\bgeneral[- ]purpose assistant\b|\bdefault format\b|"
    r"\bno (?:specific|explicit|particular) \w+(?: \w+)? (?:provided|identified|stated|given|specified)\b|"
    r"\bto the best of (?:my|your) (?:ability|knowledge)\b|\bas an ai (?:language )?model\b|"
    rf"\b(?:make sure|check|ensure) (?:that )?(?:it|the (?:answer|output|response|text|result)) is {_VAGUE}"
    rf"(?:(?:,| and|, and) {_VAGUE})*\s*(?:[.;]|\Z)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Faults:
    """What is degenerate in a document; each entry says what was seen.

    Attributes:
        loops: bands that repeat a phrase, a sentence or themselves.
        repeats: pairs of bands of which one says what the other says.
        empty: bands that say nothing.
    """

    loops: dict[Band, str] = field(default_factory=dict)
    repeats: list[tuple[Band, Band]] = field(default_factory=list)
    empty: dict[Band, str] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.loops or self.repeats or self.empty)


@dataclass(frozen=True, slots=True)
class ForeignNumbers:
    """Runs of digits in DATA: how many there are, and those that the prompt does not hold."""

    total: int
    foreign: list[str]


def faults(prompt: str, bands: Bands) -> Faults:
    """The degenerate parts of a document.

    What the prompt itself repeats is no loop, and DATA may copy a prompt that TASK repeats.
    """
    loops = {band: loop for band, text in bands.items() if (loop := find_loop(text, prompt))}
    empty = {band: talk for band, text in bands.items() if (talk := empty_talk(text))}
    return Faults(loops, repeats(prompt, bands), empty)


def foreign_numbers(prompt: str, data: str) -> ForeignNumbers:
    """Which runs of digits in DATA are not runs of digits of the prompt, each time they stand there."""
    given, runs = set(numbers(prompt)), numbers(data)
    return ForeignNumbers(len(runs), [run for run in runs if run not in given])


def find_loop(text: str, prompt: str = "") -> str:
    """What a band repeats, in words; empty when it loops nowhere."""
    words, given = words_and_marks(text), words_and_marks(prompt)
    if run := _run(words):
        phrase = " ".join(run)
        return "" if phrase in " ".join(given) else f"'{phrase}' again and again"
    if (share := _repeated_share(words, given)) > REPEATED_SHARE:
        return f"{share:.0%} of its phrases stand there before"
    if sentence := _repeated_sentence(text):
        return "" if _folded(sentence) in _folded(prompt) else f"'{sentence}' twice"
    return ""


def empty_talk(text: str) -> str:
    """The phrase of a band that says nothing; empty when there is none."""
    if _PLACEHOLDER.fullmatch(text.strip()):
        return text.strip() or "(blank)"
    match = _EMPTY_TALK.search(text)
    return match[0] if match else ""


def _run(words: list[str]) -> list[str]:
    """The first phrase that stands several times in a row."""
    for size in range(1, RUN_WORDS + 1):
        times = 2 * RUN if size == 1 else RUN
        same = 0
        for at in range(size, len(words)):
            same = same + 1 if words[at] == words[at - size] else 0
            phrase = words[at - size + 1 : at + 1]
            if same >= size * (times - 1) and any(word.isalpha() for word in phrase):
                return phrase
    return []


def _repeated_share(words: list[str], given: list[str]) -> float:
    """Share of the word 4-grams that repeat an earlier one and don't come from `given`."""
    grams, copied = _four_grams(words), _four_grams(given)
    if len(words) < MIN_WORDS:
        return 0.0
    return sum(n - 1 for gram, n in grams.items() if gram not in copied) / grams.total()


def _four_grams(words: list[str]) -> Counter[tuple[str, ...]]:
    return Counter(zip(words, words[1:], words[2:], words[3:], strict=False))


def _repeated_sentence(text: str) -> str:
    """A sentence of five words or more that stands in the text before, nearly as it is."""
    sentences = _SENTENCE_END.split(text)
    return next((sentences[n] for n in repeated_sentences(sentences)), "")


def _folded(text: str) -> str:
    return " ".join(text.lower().split()).rstrip(".")
