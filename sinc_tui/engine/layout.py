"""Prompt layouts: which tokens stand around the raw prompt and around each band.

Pure: a layout needs a tokenizer and nothing of llama.cpp. Training and decoding build their tokens here,
so both see exactly one split. The raw prompt is tokenized alone and never yields a control token.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sinc_tui.engine.protocol import DecodeMode
from sinc_tui.sinc.bands import AXIS, FORMULA, Band

SYSTEM = (
    "You are a sinc-LLM scatter engine. Decompose the user prompt into 6 sinc frequency bands as "
    "valid JSON. CONSTRAINTS must be the longest band. Output only JSON."
)
"""The article's system line."""

LAYOUT_KEY = "sinc.layout"
"""Metadata key of a GGUF that was trained for this job; its value names the prompt layout."""

CHAINS: Mapping[DecodeMode, Sequence[Sequence[Band]]] = {
    "sequential": [list(Band)],
    "parallel": [
        [Band.PERSONA],
        [Band.CONTEXT],
        [Band.DATA],
        [Band.CONSTRAINTS],
        [Band.TASK, Band.FORMAT],
    ],
}
"""Bands that are written one after the other, each seeing those before it in its chain and no others.

In parallel the time is that of CONSTRAINTS, so FORMAT, which says little when it has not seen the task,
can follow TASK for nothing.
"""

QUOTE = '"'
"""What closes a band's text."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a model sees an answer around the bands' texts.

    An answer is `head`, then for each band `opener` (with the band's number and name put in), its text,
    `QUOTE`, and `separator`, or `tail` after the last. The document itself is always JSON.
    """

    head: str
    opener: str
    separator: str
    tail: str

    def opens(self, band: Band) -> str:
        """What stands in front of a band's text, up to and with the opening quote."""
        return self.opener % {"n": band.n, "band": band}


DOCUMENT = Spelling(
    head=f'{{"formula": "{FORMULA}", "T": "{AXIS}", "fragments": [',
    opener='{"n": %(n)d, "t": "%(band)s", "x": "',
    separator="}, ",
    tail="}]}",
)
"""The whole document: what a model can write that was never trained for this, and without a decoder."""

LINES = Spelling(head="", opener='%(band)s: "', separator="\n", tail="")
"""A line a band: a fifth of the fixed tokens, which a model has to read on every run."""


def escape(text: str) -> str:
    """A band's text as it stands inside a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


class Tokenizer(Protocol):
    """Text to token ids."""

    def encode(self, text: str) -> list[int]:
        """Ids of plain text; what looks like a control token is split into plain ones."""

    def control(self, text: str) -> list[int]:
        """Ids of template text, in which control tokens are themselves."""


@dataclass(frozen=True, slots=True)
class Scaffold:
    """The answer's fixed parts in tokens.

    A `Spelling` in tokens. In parallel decoding the first opener of each chain follows `head` directly.
    """

    head: tuple[int, ...]
    openers: Mapping[Band, tuple[int, ...]]
    quote: tuple[int, ...]
    separator: tuple[int, ...]
    tail: tuple[int, ...]

    @classmethod
    def of(cls, tokenizer: Tokenizer, spelling: Spelling) -> Scaffold:
        """A spelling in a vocabulary's tokens."""
        return cls(
            head=tuple(tokenizer.encode(spelling.head)),
            openers={band: tuple(tokenizer.encode(spelling.opens(band))) for band in Band},
            quote=tuple(tokenizer.encode(QUOTE)),
            separator=tuple(tokenizer.encode(spelling.separator)),
            tail=tuple(tokenizer.encode(spelling.tail)),
        )

    @property
    def joint(self) -> tuple[int, ...]:
        """What stands between a band's text and the next opener."""
        return self.quote + self.separator

    @property
    def size(self) -> int:
        """Tokens of all fixed parts of a whole answer."""
        joints = len(Band) * len(self.joint)
        return len(self.head) + sum(map(len, self.openers.values())) + joints + len(self.tail)


@dataclass(frozen=True, slots=True)
class Layout:
    """Tokens before and after the raw prompt, and around the bands.

    Attributes:
        name: shown in the log; kept in a student's file under `LAYOUT_KEY`.
        before: from the start to the raw prompt.
        after: from the raw prompt's end to the answer's start.
    """

    name: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    scaffold: Scaffold

    def prompt(self, tokenizer: Tokenizer, raw: str) -> list[int]:
        """All tokens up to the answer's start."""
        return [*self.before, *tokenizer.encode(raw), *self.after]


def chatml(tokenizer: Tokenizer, *, example: tuple[str, str] | None = None) -> Layout:
    """ChatML as the article trained it; `example` (prompt, answer) is one worked turn before."""
    turns = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n"
    if example is not None:
        prompt, answer = example
        turns += f"{_ASKED}{prompt}{_ANSWERED}{answer}<|im_end|>\n"
    name = "chatml" if example is None else "chatml with a worked example"
    return _turns(tokenizer, name, turns, DOCUMENT)


def lines(tokenizer: Tokenizer) -> Layout:
    """The shortest one: no system line, a line a band."""
    return _turns(tokenizer, SMALL, "", LINES)


SMALL = "lines"
"""The layout of all students but `full`, whose 7B parameters spell, and know words that no dictionary has."""

TRAINED: Mapping[str, Callable[[Tokenizer], Layout]] = {"chatml": chatml, SMALL: lines}
"""The layouts that students are trained in, by name."""

_ASKED = "<|im_start|>user\n"
_ANSWERED = "<|im_end|>\n<|im_start|>assistant\n"


def _turns(tokenizer: Tokenizer, name: str, before: str, spelling: Spelling) -> Layout:
    """ChatML's marks around the raw prompt."""
    return Layout(
        name,
        tuple(tokenizer.control(before + _ASKED)),
        tuple(tokenizer.control(_ANSWERED)),
        Scaffold.of(tokenizer, spelling),
    )
