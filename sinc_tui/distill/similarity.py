"""Likeness across prompts: is a decomposition about its own prompt, and does it differ from the rest."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.likeness import likeness

NEAR_DUPLICATE = 0.8
"""Likeness (see `sinc.likeness`) of two bands of different prompts from which they are the same."""

_TIE = 1e-9
"""Differences below this are rounding."""
_WORD = re.compile(r"\w+|[^\w\s]+")


class TfIdf:
    """Cosine similarities to a fixed set of texts, over words and their 3- and 4-letter pieces.

    The weight of a feature is (1 + ln tf) · ln(N / df), with tf its count in the text, N the number of
    texts (and of those given as background), df the number of those that hold it (Manning,
    Raghavan, Schütze: Introduction to Information Retrieval, 6.2 and 6.4). What every text holds
    weighs nothing.
    """

    def __init__(self, texts: Sequence[str], background: Sequence[str] = ()) -> None:
        counts = [_features(text) for text in texts]
        df = Counter(feature for count in counts for feature in count)
        df.update(feature for text in background for feature in _features(text))
        total = len(texts) + len(background)
        self._size = len(texts)
        self._idf = {feature: math.log(total / n) + _TIE for feature, n in df.items()}
        postings: dict[str, tuple[list[int], list[float]]] = {}
        for index, count in enumerate(counts):
            weights = self._weights(count)
            norm = _norm(weights)
            for feature, weight in weights.items():
                rows, values = postings.setdefault(feature, ([], []))
                rows.append(index)
                values.append(weight / norm)
        self._postings = {
            feature: (np.array(rows), np.array(values))
            for feature, (rows, values) in postings.items()
        }

    def similarities(self, text: str) -> NDArray[np.float64]:
        """Cosine similarity of `text` to each of the texts; features that none of them has are ignored."""
        scores = np.zeros(self._size)
        weights = self._weights(_features(text))
        for feature, weight in weights.items():
            if feature in self._postings:
                rows, values = self._postings[feature]
                scores[rows] += weight * values
        return scores / _norm(weights)

    def _weights(self, count: Counter[str]) -> dict[str, float]:
        idf = self._idf
        return {f: (1 + math.log(n)) * idf[f] for f, n in count.items() if f in idf}


def swap_discrimination(
    prompts: Sequence[str], decompositions: Sequence[Mapping[Band, str]]
) -> list[bool | None]:
    """Whether each decomposition is closest to its own prompt among all, by TF-IDF cosine.

    None where the prompt has no feature at all (an empty prompt): nothing can be close to it. Prompts
    that are equally close share the first place. Rare words tell two prompts apart, so they are
    counted over prompts and decompositions together: what a student always says is not rare.
    """
    documents = [" ".join(bands.values()) for bands in decompositions]
    index = TfIdf(prompts, documents)
    results: list[bool | None] = []
    for own, (prompt, document) in enumerate(zip(prompts, documents, strict=True)):
        scores = index.similarities(document)
        best = bool(scores[own] > 0 and scores[own] >= scores.max() - _TIE)
        results.append(best if _features(prompt) else None)
    return results


def near_duplicates(texts: Sequence[str]) -> list[bool]:
    """Whether each text nearly equals another one of the list."""
    found = [False] * len(texts)
    keys = [" ".join(text.lower().split()) for text in texts]
    seen = Counter(keys)
    index = TfIdf(texts)
    for at, text in enumerate(texts):
        if seen[keys[at]] > 1:
            found[at] = True
            continue
        nearest = [int(rival) for rival in np.argsort(index.similarities(text))[-4:]]
        rivals = [texts[rival] for rival in nearest if rival != at]
        found[at] = any(likeness(text, rival) >= NEAR_DUPLICATE for rival in rivals)
    return found


def _features(text: str) -> Counter[str]:
    count: Counter[str] = Counter()
    for word in _WORD.findall(text.lower()):
        count[word] += 1
        padded = f"<{word}>"
        for size in (3, 4):
            count.update(padded[i : i + size] for i in range(len(padded) - size + 1))
    return count


def _norm(weights: Mapping[str, float]) -> float:
    return math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
