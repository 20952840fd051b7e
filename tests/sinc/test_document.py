"""Writing documents strictly and reading them with tolerance."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from sinc_tui.sinc.bands import AXIS, FORMULA, FORMULA_SPELLINGS, Band
from sinc_tui.sinc.document import DocumentError, SincDocument, read_document

Json = dict[str, Any]


@pytest.fixture
def raw(document: SincDocument) -> Json:
    loaded: Json = json.loads(document.model_dump_json())
    return loaded


def reasons(raw: object) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        read_document(raw if isinstance(raw, str | bytes) else json.dumps(raw))
    return caught.value.reasons


def test_bands_come_back_as_they_went_in(texts: dict[Band, str]) -> None:
    texts[Band.DATA] = 'a "quoted" \\ back\nslash\t\x00 日本 🙂 }]}'
    document = SincDocument.from_bands(texts)
    assert document.bands == texts
    assert read_document(document.model_dump_json()) == (document, [])


def test_the_written_form(document: SincDocument, texts: dict[Band, str]) -> None:
    raw = json.loads(document.model_dump_json())
    assert list(raw) == ["formula", "T", "fragments"]
    assert (raw["formula"], raw["T"]) == (FORMULA, AXIS)
    assert raw["fragments"] == [
        {"n": n, "t": band.value, "x": texts[band]} for n, band in enumerate(Band)
    ]


@pytest.mark.parametrize("blank", ["", "  ", "\n\t", "\u3000", "\x1c"])
def test_a_blank_band_cannot_be_written(texts: dict[Band, str], blank: str) -> None:
    texts[Band.FORMAT] = blank
    with pytest.raises(DocumentError) as caught:
        SincDocument.from_bands(texts)
    assert caught.value.reasons == ["FORMAT is blank."]


def test_half_a_surrogate_pair_cannot_be_written(texts: dict[Band, str]) -> None:
    texts[Band.DATA] = "a \ud83d b"
    with pytest.raises(DocumentError, match="DATA holds half of a surrogate pair"):
        SincDocument.from_bands(texts)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.update(extra=1),
        lambda raw: raw["fragments"][0].update(zone=1),
        lambda raw: raw["fragments"][0].update(n=1),
        lambda raw: raw["fragments"][0].update(n="0"),
        lambda raw: raw["fragments"][0].update(n=True),
        lambda raw: raw["fragments"].reverse(),
        lambda raw: raw["fragments"].pop(),
        lambda raw: raw.update(formula=FORMULA_SPELLINGS[1]),
        lambda raw: raw.update(T="time"),
    ],
)
def test_the_model_takes_only_the_written_form(raw: Json, change: Callable[[Json], object]) -> None:
    assert SincDocument.model_validate_json(json.dumps(raw))
    change(raw)
    with pytest.raises(ValidationError):
        SincDocument.model_validate_json(json.dumps(raw))


@pytest.mark.parametrize("spelling", FORMULA_SPELLINGS)
def test_every_spelling_of_the_formula_is_read(raw: Json, spelling: str) -> None:
    raw["formula"] = spelling
    document, notes = read_document(json.dumps(raw))
    assert (document.formula, notes) == (FORMULA, [])


def test_a_missing_formula_is_put_in_and_reported(raw: Json, document: SincDocument) -> None:
    del raw["formula"]
    assert read_document(json.dumps(raw)) == (
        document,
        ["The formula was missing and has been put in."],
    )


def test_what_other_tools_add_is_left_out_and_reported(raw: Json, document: SincDocument) -> None:
    raw |= {"_snr": 0.7, "_elapsed_ms": 12}
    raw["fragments"][2]["zone"] = "Z2"
    raw["fragments"].append({"n": 6, "t": "TASK_ARCHIVED", "x": "Old task."})
    reading = read_document(json.dumps(raw).encode())
    assert reading.document == document
    assert reading.notes == [
        "Left out of the document: _snr, _elapsed_ms.",
        "The fragment TASK_ARCHIVED (n = 6) was left out.",
        "Left out of DATA: zone.",
    ]


def test_an_unknown_formula_and_axis_are_replaced_and_reported(raw: Json) -> None:
    raw |= {"formula": "E = mc²", "T": 1}
    document, notes = read_document(json.dumps(raw))
    assert (document.formula, document.T, len(notes)) == (FORMULA, AXIS, 2)


def test_a_byte_order_mark_is_left_out_and_reported(document: SincDocument) -> None:
    reading = read_document(b"\xef\xbb\xbf" + document.model_dump_json().encode())
    assert reading == (document, ["A byte order mark was left out."])


def test_a_document_whose_constraints_are_short_can_be_read(raw: Json) -> None:
    raw["fragments"][3]["x"] = "Be brief."
    assert read_document(json.dumps(raw)).document.bands[Band.CONSTRAINTS] == "Be brief."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "It is not valid JSON: Expecting value in line 1, column 1."),
        ("{", "It is not valid JSON"),
        ("[]", "The root is not a JSON object."),
        ("null", "The root is not a JSON object."),
        ("{}", "It has no list of fragments."),
        ('{"fragments": {}}', "It has no list of fragments."),
        ('{"fragments": []}', "It has 0 bands, not 6."),
        ('{"T": 1, "T": 2}', "The key 'T' stands twice in one object."),
        ('{"T": NaN}', "NaN is no JSON number"),
        ("[" * 200_000, "nested too deeply"),
        ('{"n": ' + "9" * 5000 + "}", "a number in it is too long"),
        (b"\xff\xfe{}", "It is not UTF-8 (byte 0)."),
    ],
)
def test_what_is_no_document_is_refused_with_a_reason(text: str | bytes, reason: str) -> None:
    assert reason in reasons(text)[0]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda f: f.reverse(), "Fragment 0 must be PERSONA, and its t is \"TASK\"."),
        (lambda f: f.pop(), "It has 5 bands, not 6."),
        (lambda f: f.append(f[0]), "It has 7 bands, not 6."),
        (lambda f: f[1].update(n=2), "CONTEXT must have n = 1, and has 2."),
        (lambda f: f[1].update(n=True), "CONTEXT must have n = 1, and has true."),
        (lambda f: f[1].pop("n"), "CONTEXT must have n = 1, and has none."),
        (lambda f: f[1].update(x=[]), "CONTEXT has no text."),
        (lambda f: f[1].update(x=" "), "CONTEXT is blank."),
        (lambda f: f.__setitem__(1, "text"), "Fragment 1 is not an object."),
    ],
)  # fmt: skip
def test_broken_fragments_are_named(
    raw: Json, change: Callable[[list[Any]], object], expected: str
) -> None:
    change(raw["fragments"])
    assert expected in reasons(raw)


def test_every_broken_fragment_is_named(raw: Json) -> None:
    raw["fragments"][1]["n"] = 7
    raw["fragments"][4]["x"] = None
    assert reasons(raw) == ["CONTEXT must have n = 1, and has 7.", "FORMAT has no text."]
