"""What is judged: anything that turns a prompt into six bands; and students that need no model."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sinc_tui.distill.dataset import Example
from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band


@dataclass(frozen=True, slots=True)
class Decomposition:
    """What a student made of one prompt.

    Attributes:
        texts: the text of every band; a band that was not written is empty.
        free_tokens: tokens that the student chose.
        seconds: from the prompt to the last band's end.
        masks: how often each mask of the decoder stepped in, by name.
        valid_unmasked: in a run without any mask, whether its text was a valid document; None in
            every other run.
        notes: what the decoder had to do to the text.
        error: why there is no document; empty when there is one.
    """

    texts: Mapping[Band, str]
    free_tokens: int = 0
    seconds: float = 0.0
    masks: Mapping[str, int] = field(default_factory=dict)
    valid_unmasked: bool | None = None
    notes: tuple[str, ...] = ()
    error: str = ""

    @classmethod
    def failed(cls, error: str) -> Decomposition:
        """No document at all."""
        return cls(dict.fromkeys(Band, ""), error=error)


class Student(Protocol):
    """Anything that decomposes prompts."""

    @property
    def name(self) -> str:
        """The name in the report; unique among the students of a report."""

    def decompose(self, prompt: str) -> Decomposition:
        """The six bands for a prompt. `SincError` counts as a document that is not there."""


@dataclass(frozen=True, slots=True)
class Teacher:
    """The teacher's own answers: what a student could reach at best."""

    answers: Mapping[str, Mapping[Band, str]]
    name: str = "teacher"

    @classmethod
    def of(cls, examples: Iterable[Example], name: str = "teacher") -> Teacher:
        """The teacher of these examples."""
        return cls({example.prompt: example.bands for example in examples}, name)

    def decompose(self, prompt: str) -> Decomposition:
        """The answer that was written for this prompt."""
        if prompt not in self.answers:
            raise SincError("The teacher has no answer to this prompt.")
        return Decomposition(self.answers[prompt])


@dataclass(frozen=True, slots=True)
class Echo:
    """The raw prompt in every band: keeps all facts, and is worth nothing."""

    name: str = "raw prompt in every band"

    def decompose(self, prompt: str) -> Decomposition:
        """The prompt, six times."""
        return Decomposition(dict.fromkeys(Band, prompt))


@dataclass(frozen=True, slots=True)
class Scatter:
    """`sinc_prompt.scatter`: rules without a model, from the package sinc-prompt."""

    name: str = "sinc_prompt.scatter"

    def decompose(self, prompt: str) -> Decomposition:
        """What the rules make of the prompt. Raises `SincError` without the package."""
        try:
            sinc_prompt = importlib.import_module("sinc_prompt")
        except ImportError as error:
            raise SincError(
                "sinc_prompt.scatter needs the package sinc-prompt.",
                hint="Install it with: pip install sinc-prompt",
            ) from error
        try:
            fragments = sinc_prompt.scatter(prompt).fragments
        except ValueError as error:
            return Decomposition.failed(str(error))
        texts = {str(fragment.t): str(fragment.x) for fragment in fragments}
        return Decomposition({band: texts.get(band.value, "") for band in Band})


@dataclass(frozen=True, slots=True)
class Saved:
    """Decompositions of an earlier evaluation, so that a report can be made again without a model."""

    name: str
    answers: Mapping[str, Decomposition]

    def decompose(self, prompt: str) -> Decomposition:
        """What was answered then."""
        if prompt not in self.answers:
            raise SincError("This prompt was not answered in the saved run.")
        return self.answers[prompt]


def save_decompositions(
    path: Path, name: str, answers: Iterable[tuple[str, Decomposition]]
) -> None:
    """Write prompts and their decompositions as JSON Lines; `load_decompositions` reads them."""
    with path.open("w", encoding="utf-8") as out:
        for prompt, made in answers:
            row = {
                "student": name,
                "prompt": prompt,
                "bands": {band.value: made.texts.get(band, "") for band in Band},
                "free_tokens": made.free_tokens,
                "seconds": round(made.seconds, 3),
                "masks": dict(made.masks),
                "valid_unmasked": made.valid_unmasked,
                "notes": list(made.notes),
                "error": made.error,
            }
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def load_decompositions(path: Path) -> Saved:
    """The student whose decompositions lie in a file.

    Raises:
        SincError: the file can't be read or holds something else.
    """
    answers: dict[str, Decomposition] = {}
    name = path.stem
    try:
        for line in filter(str.strip, path.read_text(encoding="utf-8").split("\n")):
            row: dict[str, Any] = json.loads(line)
            name = str(row["student"])
            answers[row["prompt"]] = Decomposition(
                {band: row["bands"][band.value] for band in Band},
                row["free_tokens"],
                row["seconds"],
                row["masks"],
                row["valid_unmasked"],
                tuple(row["notes"]),
                row["error"],
            )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SincError(f"{path} holds no decompositions: {error!r}.") from error
    return Saved(name, answers)
