"""The sinc document: strict when it is written, tolerant when it is read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import AXIS, FORMULA, FORMULA_SPELLINGS, Band
from sinc_tui.sinc.strict_json import JsonError, has_lone_surrogate, parse

_KEYS = ("formula", "T", "fragments")
_FRAGMENT_KEYS = ("n", "t", "x")
_ARCHIVED = "TASK_ARCHIVED"
_BOM = "\ufeff"


class DocumentError(SincError):
    """The text is no sinc document, not even with tolerance.

    Attributes:
        reasons: everything that is wrong with it, each a sentence.
    """

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = list(reasons)
        super().__init__(f"This is not a sinc document. {' '.join(self.reasons)}")


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank")
    return text


def _article_formula(formula: str) -> str:
    if formula != FORMULA:
        raise ValueError("is not the formula of the article")
    return formula


Text = Annotated[str, Field(pattern=r"\S"), AfterValidator(_not_blank)]
"""The text of a band: any string that is not blank."""


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Fragment(_Strict):
    """One band of a document.

    Attributes:
        n: position, 0 to 5.
        t: name of the band.
        x: what the band says.
    """

    n: int
    t: Band
    x: Text


class PersonaFragment(Fragment):
    """Who should answer."""

    n: Literal[0]
    t: Literal[Band.PERSONA]


class ContextFragment(Fragment):
    """The situation as given, and what is unknown."""

    n: Literal[1]
    t: Literal[Band.CONTEXT]


class DataFragment(Fragment):
    """The concrete inputs, verbatim."""

    n: Literal[2]
    t: Literal[Band.DATA]


class ConstraintsFragment(Fragment):
    """The rules; the longest band."""

    n: Literal[3]
    t: Literal[Band.CONSTRAINTS]


class FormatFragment(Fragment):
    """The shape of the answer."""

    n: Literal[4]
    t: Literal[Band.FORMAT]


class TaskFragment(Fragment):
    """One imperative sentence."""

    n: Literal[5]
    t: Literal[Band.TASK]


class SincDocument(_Strict):
    """A raw prompt as six bands. Its shape is sound; what the bands say is checked by `invariants`."""

    model_config = ConfigDict(title="sinc document")

    formula: Annotated[
        str, AfterValidator(_article_formula), Field(json_schema_extra={"const": FORMULA})
    ]
    T: Literal["specification-axis"]
    fragments: tuple[
        PersonaFragment,
        ContextFragment,
        DataFragment,
        ConstraintsFragment,
        FormatFragment,
        TaskFragment,
    ]

    @classmethod
    def from_bands(cls, bands: Mapping[Band, str]) -> SincDocument:
        """The document with these six texts; raises `DocumentError` for a missing or blank one."""
        fragments = tuple({"n": band.n, "t": band, "x": bands.get(band, "")} for band in Band)
        try:
            return cls.model_validate({"formula": FORMULA, "T": AXIS, "fragments": fragments})
        except ValidationError:
            raise DocumentError(_text_problems(bands)) from None

    @property
    def bands(self) -> dict[Band, str]:
        """The six texts, in order."""
        return {fragment.t: fragment.x for fragment in self.fragments}


class Reading(NamedTuple):
    """A document as it was understood, and what had to be mended or left out, each a sentence."""

    document: SincDocument
    notes: list[str]


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a document as it is written."""
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **SincDocument.model_json_schema()}


def schema_text() -> str:
    """The JSON Schema as the shipped file holds it."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"


def read_document(text: str | bytes) -> Reading:
    """Read a document of any of the tools that write the format; raises `DocumentError`.

    All spellings of the formula are read. A missing formula or `T` is put in; extra keys and the
    archived task (n = 6) are left out; the notes say so.
    """
    notes: list[str] = []
    root = _root(_decoded(text, notes))
    _note_frame(root, notes)
    _note_extra(root, _KEYS, "the document", notes)
    fragments = root.get("fragments")
    if not isinstance(fragments, list):
        raise DocumentError(["It has no list of fragments."])
    bands = _bands(fragments, notes)
    return Reading(SincDocument.from_bands(bands), notes)


def _decoded(text: str | bytes, notes: list[str]) -> str:
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError as error:
            raise DocumentError([f"It is not UTF-8 (byte {error.start})."]) from None
    if text.startswith(_BOM):
        notes.append("A byte order mark was left out.")
    return text.removeprefix(_BOM)


def _root(text: str) -> dict[str, object]:
    try:
        root = parse(text)
    except JsonError as error:
        raise DocumentError([str(error)]) from None
    if not isinstance(root, dict):
        raise DocumentError(["The root is not a JSON object."])
    return root


def _note_frame(root: Mapping[str, object], notes: list[str]) -> None:
    formula = root.get("formula")
    if formula is None or formula == "":
        notes.append("The formula was missing and has been put in.")
    elif formula not in FORMULA_SPELLINGS:
        notes.append("The formula had an unknown spelling and was replaced.")
    if root.get("T") != AXIS:
        notes.append(f"T was {'not ' + AXIS if 'T' in root else 'missing'} and was set to {AXIS}.")


def _note_extra(
    found: Mapping[str, object], known: tuple[str, ...], where: str, notes: list[str]
) -> None:
    if extra := [key for key in found if key not in known]:
        notes.append(f"Left out of {where}: {', '.join(extra)}.")


def _bands(fragments: list[object], notes: list[str]) -> dict[Band, str]:
    kept = [fragment for fragment in fragments if not _archived(fragment)]
    if len(kept) < len(fragments):
        notes.append(f"The fragment {_ARCHIVED} (n = 6) was left out.")
    if len(kept) != len(Band):
        raise DocumentError([f"It has {len(kept)} bands, not {len(Band)}."])
    reasons = [reason for band in Band for reason in _fragment_problems(kept[band.n], band)]
    if reasons:
        raise DocumentError(reasons)
    bands: dict[Band, str] = {}
    for band, fragment in zip(Band, kept, strict=True):
        assert isinstance(fragment, dict)
        _note_extra(fragment, _FRAGMENT_KEYS, band, notes)
        bands[band] = fragment["x"]
    return bands


def _archived(fragment: object) -> bool:
    return isinstance(fragment, dict) and fragment.get("t") == _ARCHIVED and fragment.get("n") == 6


def _fragment_problems(fragment: object, band: Band) -> list[str]:
    """What keeps the fragment at the place of `band` from being that band."""
    place = f"Fragment {band.n}"
    if not isinstance(fragment, dict):
        return [f"{place} is not an object."]
    position, name, text = (fragment.get(key) for key in _FRAGMENT_KEYS)
    if name != band:
        return [f"{place} must be {band}, and its t is {_shown(name)}."]
    problems = []
    if type(position) is not int or position != band.n:
        problems.append(f"{band} must have n = {band.n}, and has {_shown(position)}.")
    if not isinstance(text, str):
        problems.append(f"{band} has no text.")
    return problems


def _text_problems(bands: Mapping[Band, str]) -> list[str]:
    missing = [f"{band} is blank." for band in Band if not bands.get(band, "").strip()]
    halves = [
        f"{band} holds half of a surrogate pair."
        for band in Band
        if has_lone_surrogate(bands.get(band, ""))
    ]
    return missing + halves


def _shown(value: object) -> str:
    """A value as JSON, not too long for a sentence."""
    if value is None:
        return "none"
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 40 else text[:37] + "..."
