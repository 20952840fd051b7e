"""A runtime without a model: a small vocabulary, and logits made up by a policy to provoke faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sinc_tui.engine.runtime import Run
from sinc_tui.engine.sampler import Logits

_WORDS = [
    "",
    "the",
    "of",
    "and",
    "Use",
    "Keep",
    "Give",
    "State",
    "Check",
    "never",
    "2024",
    "12",
    "7",
    "0x1F",
    "v2.3.1",
    ".",
    "!",
    "?",
    "。",
    "…",
    "e.g.",
    "a.m.",
    ";",
    ",",
    "foo_bar()",
    "https://x.y/z",
    "½",
    "²",
    "Ⅳ",
    "٣",
    "日本",
    "ünï",
    "🙂",
    "é",
    "\u202e",
    "\ufeff",
    "--",
    "{",
    "}",
    "[",
    "]",
    "'",
    "\u2028",
]
PIECES: list[bytes] = [
    *(bytes([byte]) for byte in range(256)),
    *(word.encode() for word in _WORDS if word),
    *(f" {word}".encode() for word in _WORDS if word),
    *(
        b'."',
        b'"}',
        b'",',
        b' "',
        b'\\"',
        b' \\"',
        b"\\\\",
        b"\\n",
        b"\\u0000",
        b"\\",
        b"a\\",
        b'\\"}, {"n": 1',
    ),
    *(
        b"\xe3\x81",
        b"\xf0\x9f",
        b"\x82",
        b"\xff\xfe",
        b"\xc2\x85",
        b"\xed\xa0\x80",
        b"\n\n",
        b"\t",
        b"   ",
    ),
    b"",  # the end of the model's turn
    b"",  # another control token
]
END = len(PIECES) - 2

Policy = Callable[[np.random.Generator, Logits], None]
"""Fills logits [vocabulary] in place."""


def _ids(accept: Callable[[bytes], bool]) -> list[int]:
    return [i for i, piece in enumerate(PIECES) if accept(piece)]


def _only(ids: Sequence[int]) -> Policy:
    def fill(random: np.random.Generator, logits: Logits) -> None:
        logits[:] = random.normal(-20, 1, len(logits))
        logits[list(ids)] += 40

    return fill


def _random(random: np.random.Generator, logits: Logits) -> None:
    logits[:] = random.normal(0, 3, len(logits))


def _sentences(random: np.random.Generator, logits: Logits) -> None:
    """Ordinary words with many sentence ends, so that TASK would run on."""
    logits[:] = random.normal(-5, 1, len(logits))
    logits[_ids(lambda p: p.strip().isalpha() or p in (b".", b" Use"))] += 8


POLICIES: dict[str, Policy] = {
    "random": _random,
    "sentences": _sentences,
    "closes at once": _only(_ids(lambda p: p == b'"')),
    "ends the turn": _only([END]),
    "never closes": _only(_ids(lambda p: p.strip().isalpha())),
    "only quotes": _only(_ids(lambda p: b'"' in p)),
    "only backslashes": _only(_ids(lambda p: b"\\" in p)),
    "only digits": _only(_ids(lambda p: p.strip().decode(errors="replace").isnumeric())),
    "only blanks": _only(_ids(lambda p: p != b"" and not p.strip())),
    "control characters": _only(_ids(lambda p: len(p) == 1 and p[0] < 32)),
    "broken code points": _only(_ids(lambda p: bool(p) and p[0] >= 0x80)),
    "sentence marks": _only(_ids(lambda p: p.strip() in (b".", b"!", b"?", "。".encode()))),
    "the same token": _only(_ids(lambda p: p == b" the")),
    "all alike": lambda _, logits: logits.fill(0.0),
    "nothing possible": lambda _, logits: logits.fill(-np.inf),
}


@dataclass(frozen=True, eq=False)
class Cell:
    """One token in the cache; sequences that were forked share it."""

    token: int


class HostileRuntime:
    """`engine.runtime.Runtime` over a policy; keeps account of the cells as llama.cpp would.

    Attributes:
        rows: tokens of a full batch; drafts fill it up.
        short_prompt: tokens up to which a prompt gets the cache of short ones; None: all have one cache.
        evaluated: the runs of each batch so far.
        cells: what each sequence holds.
    """

    def __init__(self, policy: Policy, seed: int, n_ctx: int = 4096) -> None:
        self.n_ctx = n_ctx
        self.rows = 4
        self.short_prompt: int | None = None
        self._short = True
        self.evaluated: list[list[Run]] = []
        self.cells: dict[int, list[Cell]] = {}
        self._policy, self._random = policy, np.random.default_rng(seed)

    def evaluate(self, runs: Sequence[Run], *, logits: bool = True) -> list[Logits]:
        """Append the runs' tokens to their sequences; a gap or an overlap is a decoder's bug."""
        assert runs, "llama.cpp refuses an empty batch"
        self.evaluated.append(list(runs))
        for run in runs:
            cells = self.cells.setdefault(run.sequence, [])
            assert run.position == len(cells), "tokens must follow on what the sequence holds"
            assert len(run.tokens) > 0
            cells.extend(Cell(token) for token in run.tokens)
        assert self.used <= self.n_ctx + self.rows - 1, "the cache is full"
        return [self._row() for run in runs for _ in range(run.wanted)] if logits else []

    def prepare(self, tokens: int) -> bool:
        """Short and long prompts may have caches of their own, of which one is there at a time."""
        short = self.short_prompt is None or tokens <= self.short_prompt
        changed, self._short = short != self._short, short
        if changed:
            self.cells.clear()
        return changed

    def fork(self, source: int, targets: Sequence[int]) -> None:
        for target in targets:
            self.cells[target] = list(self.cells[source])

    def forget(self, sequence: int, position: int) -> None:
        del self.cells.setdefault(sequence, [])[position:]

    @property
    def used(self) -> int:
        """Cells in use, a shared one counted once."""
        return len({cell for cells in self.cells.values() for cell in cells})

    def text(self, sequence: int) -> bytes:
        """What the tokens of a sequence spell."""
        return b"".join(PIECES[cell.token] for cell in self.cells[sequence])

    def _row(self) -> Logits:
        row = np.zeros(len(PIECES), np.float32)
        self._policy(self._random, row)
        return row


class ByteTokenizer:
    """Text as its UTF-8 bytes, which are the first 256 tokens."""

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def control(self, text: str) -> list[int]:
        return list(text.encode())
