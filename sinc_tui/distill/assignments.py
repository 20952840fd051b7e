"""What a teacher is asked for: the six bands of a prompt, or corrections of what a student wrote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sinc_tui import paths
from sinc_tui.distill.check import broken_rules
from sinc_tui.distill.dataset import Example, Style
from sinc_tui.distill.teacher_api import Reply
from sinc_tui.sinc.bands import Band


class InvalidAnswerError(Exception):
    """The teacher's answer is no example."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class Assignment(Protocol):
    """One kind of request to a teacher."""

    @property
    def brief(self) -> str:
        """What the teacher is told once, whatever the prompt."""

    @property
    def again(self) -> str:
        """What is asked for after an answer that could not be used."""

    def question(self, asked: Example) -> str:
        """What the teacher is asked about one prompt."""

    def read(self, reply: Reply, asked: Example) -> Example:
        """The example in a reply; `InvalidAnswerError` with every reason when there is none."""


@dataclass(frozen=True, slots=True)
class Writing:
    """The six bands of a raw prompt, in a style."""

    style: Style
    again = "Write all six bands again, as one JSON object."

    @property
    def brief(self) -> str:
        """How the bands are written in this style."""
        return _brief(self.style)

    def question(self, asked: Example) -> str:
        """The prompt."""
        return f"<prompt>\n{asked.prompt}\n</prompt>"

    def read(self, reply: Reply, asked: Example) -> Example:
        """The six bands."""
        texts = _texts(reply)
        if set(texts) != set(Band):
            raise InvalidAnswerError(
                [f"The keys must be {', '.join(Band)}; they are {', '.join(texts)}."]
            )
        bands = {band: texts[band.value] for band in Band}
        return _sound(replace(asked, bands=bands, style=self.style, rejected={}))


@dataclass(frozen=True, slots=True)
class Correcting:
    """The bands of a student's document that are wrong, with as few changes as possible.

    A student learns most from its own text beside one that differs in nothing but the fault (contrastive
    revisions: D'Oosterlinck et al., 2024).
    """

    again = "Write every band that you correct once more, those without an objection too, as one JSON object."

    @property
    def brief(self) -> str:
        """What counts as a fault, and how it is mended."""
        return _brief("corrections")

    def question(self, asked: Example) -> str:
        """The prompt and the document that a student made of it."""
        bands = {band.value: asked.bands[band] for band in Band}
        document = json.dumps(bands, ensure_ascii=False, indent=1)
        return f"<prompt>\n{asked.prompt}\n</prompt>\n<document>\n{document}\n</document>"

    def read(self, reply: Reply, asked: Example) -> Example:
        """The corrected document, with what was `rejected` in it; nothing was, where all is well."""
        texts = _texts(reply)
        if not set(texts) <= set(Band):
            raise InvalidAnswerError([f"The keys must be among {', '.join(Band)}."])
        bands = {band: texts.get(band.value, asked.bands[band]) for band in Band}
        rejected = {band: text for band, text in asked.bands.items() if text != bands[band]}
        return _sound(replace(asked, bands=bands, rejected=rejected))


def objection(reasons: Sequence[str], again: str) -> str:
    """What the teacher is told about an invalid answer."""
    listed = "\n".join(f"- {reason}" for reason in reasons)
    return f"This answer can't be used:\n{listed}\n{again}"


def _brief(name: str) -> str:
    return (paths.assets() / "teacher" / f"brief-{name}.md").read_text(encoding="utf-8")


def _sound(example: Example) -> Example:
    if problems := broken_rules(example):
        raise InvalidAnswerError(problems)
    return example


def _texts(reply: Reply) -> dict[str, str]:
    """The texts of a reply by their keys."""
    if reply.cut:
        raise InvalidAnswerError(["The answer is too long and was cut off."])
    row = _json_object(reply.text)
    if not all(isinstance(text, str) for text in row.values()):
        raise InvalidAnswerError(["Every band must be a string."])
    return {name: text.strip() for name, text in row.items()}


def _json_object(text: str) -> dict[str, Any]:
    """The JSON object of a reply, with or without a code fence or words around it."""
    start, end = text.find("{"), text.rfind("}")
    try:
        row = json.loads(text[start : end + 1]) if start >= 0 else None
    except ValueError as error:
        raise InvalidAnswerError([f"The answer is no valid JSON: {error}."]) from None
    if not isinstance(row, dict):
        raise InvalidAnswerError(["The answer holds no JSON object."])
    return row
