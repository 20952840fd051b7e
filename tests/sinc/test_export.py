"""Every format holds the six texts, and nothing that a reader or a terminal would trip over."""

from __future__ import annotations

import json
import unicodedata
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinc_tui.sinc.bands import AXIS, FORMULA, Band
from sinc_tui.sinc.document import SincDocument, read_document
from sinc_tui.sinc.export import EXPORTERS

NASTY = "a <b> & \"c\" 'd' ]]> \x00\x07\x1b[31m\x7f\x9b\u2028 \r\n tab\t 日本 🙂 \ufffe \\"


def test_the_names() -> None:
    assert list(EXPORTERS) == ["json", "compact", "text", "markdown", "xml"]


@pytest.mark.parametrize("form", ["json", "compact"])
def test_json_reads_back_as_the_same_document(texts: dict[Band, str], form: str) -> None:
    texts[Band.DATA] = NASTY
    document = SincDocument.from_bands(texts)
    assert read_document(EXPORTERS[form](document)) == (document, [])


def test_pretty_and_compact(document: SincDocument) -> None:
    pretty, compact = EXPORTERS["json"](document), EXPORTERS["compact"](document)
    assert json.loads(pretty) == json.loads(compact)
    assert "\n" not in compact
    assert '\n  "T": "specification-axis",\n' in pretty
    assert "Σ" in pretty


def test_text(document: SincDocument, texts: dict[Band, str]) -> None:
    assert EXPORTERS["text"](document).split("\n\n") == [
        f"{band}\n{text}" for band, text in texts.items()
    ]


def test_markdown(document: SincDocument, texts: dict[Band, str]) -> None:
    assert EXPORTERS["markdown"](document).startswith(f"## PERSONA\n\n{texts[Band.PERSONA]}\n\n## ")
    assert EXPORTERS["markdown"](document).count("## ") == 6


def test_xml_reads_back(texts: dict[Band, str]) -> None:
    texts[Band.DATA] = 'a <b> & "c" ]]> \r\n \r tab\t 日本 🙂'
    root = ET.fromstring(EXPORTERS["xml"](SincDocument.from_bands(texts)).encode())
    assert root.attrib == {"formula": FORMULA, "T": AXIS}
    assert [(f.get("n"), f.get("t"), f.text) for f in root] == [
        (str(band.n), band.value, texts[band]) for band in Band
    ]


@pytest.mark.parametrize("form", EXPORTERS)
def test_no_format_sends_control_characters(texts: dict[Band, str], form: str) -> None:
    texts[Band.DATA] = NASTY
    exported = EXPORTERS[form](SincDocument.from_bands(texts))
    assert {c for c in exported if unicodedata.category(c) == "Cc"} <= {"\n", "\t"}
    if form not in ("json", "compact"):
        assert "␀␇␛[31m␡" in exported


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip))
def test_any_text_exports_to_well_formed_json_and_xml(text: str) -> None:
    document = SincDocument.from_bands(dict.fromkeys(Band, text))
    for form in ("json", "compact"):
        assert read_document(EXPORTERS[form](document)).document == document
    root = ET.fromstring(EXPORTERS["xml"](document).encode())
    assert len(root) == 6


@pytest.mark.parametrize("form", EXPORTERS)
def test_no_format_ends_in_a_newline(document: SincDocument, form: str) -> None:
    assert not EXPORTERS[form](document).endswith("\n")
