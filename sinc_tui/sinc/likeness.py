"""How much two bands say the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise

from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.sentences import split_sentences

SAME_BAND = 0.75
"""Likeness of two bands of a document from which one repeats the other."""
SAME_SENTENCE = 0.8
"""Likeness of two sentences of a band from which they say the same."""

_WORDS_THAT_TELL = 5
"""Words from which a sentence is long enough to be compared with others."""
_JOINING = frozenset({"too", "also", *",;:.!?-–—'\"()"})
"""Words and marks with which a sentence says no more than the same one without them."""

_CONDITIONS = frozenset(
    {
        "after", "as", "before", "but", "except", "if", "only", "or", "unless", "until", "when",
        "where", "while", "without",
    }
)  # fmt: skip
"""Words that take something back of what stands before them."""
_PROHIBITIONS = frozenset({"never", "no", "not", "nothing", "don't", "dont", "doesn't", "without"})

_PIECE = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def likeness(one: str, other: str) -> float:
    """How much two texts say the same, 0 to 1: Jaccard index of their word pairs (and single words).

    0 where either has fewer than three words, for then a likeness says nothing.
    """
    a, b = _shingles(one), _shingles(other)
    return len(a & b) / len(a | b) if min(len(a), len(b)) > 4 else 0.0


def repeats(prompt: str, bands: Mapping[Band, str]) -> list[tuple[Band, Band]]:
    """Pairs of bands of a document of which one says what the other says, each in the order of `bands`.

    DATA may copy a prompt that TASK repeats.
    """
    return [
        (one, other)
        for one, other in combinations(bands, 2)
        if likeness(bands[one], bands[other]) >= SAME_BAND
        and not ((one, other) == (Band.DATA, Band.TASK) and _copies(bands[one], prompt))
    ]


def repeated_sentences(sentences: Sequence[str]) -> list[int]:
    """Where those of some sentences stand that say what one before says; the short ones never do."""
    long = [n for n, sentence in enumerate(sentences) if len(_words(sentence)) >= _WORDS_THAT_TELL]
    return [
        n
        for at, n in enumerate(long)
        if any(likeness(sentences[m], sentences[n]) >= SAME_SENTENCE for m in long[:at])
    ]


def without_repeats(text: str) -> str:
    """A text without the sentences that others say: one before in nearly the same words and with none
    that it lacks, or another that begins with all of its words."""
    sentences = split_sentences(text)
    kept: list[str] = []
    for sentence in sentences:
        if not any(_says_again(one, sentence) for one in kept):
            kept = [one for one in kept if not _begins(sentence, one)] + [sentence]
    return text if len(kept) == len(sentences) else " ".join(kept)


def _says_again(before: str, sentence: str) -> bool:
    """Whether a sentence is one before or its beginning, or nearly so and with no further word."""
    if words_and_marks(sentence) == words_and_marks(before) or _begins(before, sentence):
        return True
    near = bool(repeated_sentences([before, sentence]))
    return near and set(words_and_marks(sentence)) - _JOINING <= set(words_and_marks(before))


def _begins(sentence: str, other: str) -> bool:
    """Whether a sentence says all that another one does, five words or more, and goes on from there.

    What goes on with a condition says less, and so does whatever is added to a prohibition.
    """
    start = words_and_marks(other.rstrip(".!?"))
    rest = words_and_marks(sentence.rstrip(".!?"))
    behind = rest[len(start) : len(start) + 1]
    return (
        len(_words(other)) >= _WORDS_THAT_TELL
        and rest[: len(start)] == start
        and all(_WORD.match(word) and word not in _CONDITIONS for word in behind)
        and (not behind or _PROHIBITIONS.isdisjoint(start))
    )


def words_and_marks(text: str) -> list[str]:
    """The words of a text in lower case, and its punctuation marks, in order."""
    return _PIECE.findall(text.lower())


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = _words(text)
    return {(word,) for word in words} | set(pairwise(words))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _copies(text: str, prompt: str) -> bool:
    """Whether a text has no word and no mark that a prompt lacks, but for those of a list."""
    return set(words_and_marks(text)) <= {*words_and_marks(prompt), ".", ";"}
