"""What a token may do inside a JSON string."""

from __future__ import annotations

import json
import sys
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinc_tui.engine.layout import escape
from sinc_tui.engine.vocabulary import NEUTRAL, StringState, Vocabulary, advance, is_forbidden
from tests.support.hostile_runtime import PIECES

OPEN_ESCAPE = StringState(escaped=True)
ALLOWED = "".join(
    char
    for char in map(chr, range(sys.maxunicode + 1))
    if not "\ud800" <= char <= "\udfff" and not is_forbidden(char)
)
HARD = [
    '"',
    "\\",
    "/",
    "\\n",
    "\\u0000",
    "é",
    "日",
    "🙂",
    "\u2028",
    "\u202e",
    "\ufeff",
    "\x00",
    "\x7f",
]
BYTES = st.one_of(
    st.sampled_from([piece for piece in PIECES if piece]),
    st.sampled_from(HARD).map(str.encode),
    st.binary(min_size=1, max_size=4),
)


@pytest.mark.parametrize(
    ("piece", "text"),
    [
        (b"plain words", "plain words"),
        (b'\\"', '"'),
        (b"\\\\", "\\"),
        (b"\\/", "/"),
        (b'a\\"b\\\\', 'a"b\\'),
        ("日本 🙂".encode(), "日本 🙂"),
        (b"}, ", "}, "),
    ],
)
def test_keeps_a_string_open(piece: bytes, text: str) -> None:
    step = advance(piece, NEUTRAL)
    assert step is not None
    assert (step.text, step.state, step.closes) == (text, NEUTRAL, False)


@pytest.mark.parametrize(
    ("piece", "text"),
    [(b'"', ""), (b'."', "."), (b'"}', ""), (b'!"}, {"n": 1', "!"), (b'\\""', '"'), (b' "', " ")],
)
def test_closes_a_string_with_what_stands_before_the_quote(piece: bytes, text: str) -> None:
    step = advance(piece, NEUTRAL)
    assert step is not None
    assert (step.text, step.state, step.closes) == (text, NEUTRAL, True)


@pytest.mark.parametrize(
    "piece",
    [b"\n", b"\t", b"a\x00", b"\x7f", b"\\n", b"\\u0041", b"\\x", b"\xff", b"\x80", b"\xc0\x80",
     b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3(", b'\xc3"', b"\xc3\\", b"\n\"", b"\\\x0a",
     *(char.encode() for char in "\u0085\u2028\u2029\ufeff\u202e\u2066")],
)  # fmt: skip
def test_refuses_what_would_break_a_string(piece: bytes) -> None:
    assert advance(piece, NEUTRAL) is None


@pytest.mark.parametrize(
    ("piece", "state"),
    [
        (b"\\", OPEN_ESCAPE),
        (b"a\\", OPEN_ESCAPE),
        (b"\\\\\\", OPEN_ESCAPE),
        (b"\xe6", StringState(partial=b"\xe6")),
        (b"ab\xf0\x9f\x99", StringState(partial=b"\xf0\x9f\x99")),
    ],
)
def test_leaves_something_open(piece: bytes, state: StringState) -> None:
    step = advance(piece, NEUTRAL)
    assert step is not None
    assert step.state == state
    assert not step.state.neutral


def test_an_open_escape_takes_only_what_it_may_escape() -> None:
    accepted = {bytes([byte]) for byte in range(256) if advance(bytes([byte]), OPEN_ESCAPE)}
    assert accepted == {b'"', b"\\", b"/"}
    quote = advance(b'"', OPEN_ESCAPE)
    assert quote is not None
    assert not quote.closes, "an escaped quote closes nothing"


def test_a_partial_code_point_may_not_be_closed_or_escaped() -> None:
    state = StringState(partial="é".encode()[:1])
    assert advance(b'"', state) is None
    assert advance(b"\\", state) is None
    assert advance(b"a", state) is None
    whole = advance("é".encode()[1:] + b'"', state)
    assert whole is not None
    assert (whole.text, whole.closes) == ("é", True)


def test_a_code_point_is_begun_exactly_when_it_can_be_finished() -> None:
    """Every prefix of an allowed character is taken, no other one: there is no dead end."""
    prefixes = {
        data[:n] for data in map(str.encode, ALLOWED) if len(data) > 1 for n in range(1, len(data))
    }
    tails = range(0x80, 0xC0)
    candidates = [
        bytes([lead, *rest])
        for lead in range(0xC0, 0x100)
        for length in range(3)
        for rest in product(tails, repeat=length)
        if length < (1 if lead < 0xE0 else 2 if lead < 0xF0 else 3)
    ]
    taken = {data for data in candidates if advance(data, NEUTRAL) is not None}
    assert taken == prefixes


@given(st.lists(BYTES, max_size=30))
def test_what_is_accepted_is_valid_json(pieces: list[bytes]) -> None:
    state, raw, text, closed = NEUTRAL, b"", "", False
    for piece in pieces:
        step = advance(piece, state)
        if step is None:
            continue
        before = raw
        raw, text, state = raw + piece, text + step.text, step.state
        if step.closes:
            closed = True
            break
        if state.neutral:
            assert json.loads(b'"' + raw + b'"') == text
    if closed:
        value, end = json.JSONDecoder().raw_decode('"' + raw.decode(errors="replace"))
        assert value == text
        assert end > len(before.decode(errors="replace")), "closed by this token and no earlier"


@given(st.text(st.sampled_from(ALLOWED), max_size=40), st.data())
def test_every_allowed_text_can_be_written_in_any_split(text: str, data: st.DataObject) -> None:
    raw = escape(text).encode()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(raw)), max_size=10)) | {0, len(raw)})
    state, written = NEUTRAL, ""
    for start, end in pairwise(cuts):
        step = advance(raw[start:end], state)
        assert step is not None
        assert not step.closes
        written, state = written + step.text, step.state
    assert (written, state) == (text, NEUTRAL)


def test_masks() -> None:
    vocabulary = Vocabulary(PIECES)
    assert len(vocabulary) == len(PIECES)
    plain = [PIECES[i] for i in vocabulary.plain.nonzero()[0]]
    assert {b"the", b" the", b"2024", b"}", b'\\"', " ½".encode(), b"   "} <= set(plain)
    assert not {b"", b'"', b'."', b"\\", b"\n\n", b"\xff\xfe", b"\xe3\x81"} & set(plain)
    solid = {PIECES[i] for i in vocabulary.solid.nonzero()[0]}
    assert set(plain) - solid == {piece for piece in plain if not piece.decode().strip()}
    digits = {PIECES[i] for i in vocabulary.digits.nonzero()[0]}
    assert {b"7", b" 12", b"v2.3.1", "½".encode(), "Ⅳ".encode(), "٣".encode()} <= digits
    assert "日本".encode() not in digits


def test_beginnings_are_the_tokens_that_a_text_may_begin_with() -> None:
    vocabulary = Vocabulary(PIECES)

    def pieces(text: str, state: StringState = NEUTRAL) -> set[bytes]:
        return {PIECES[token] for token in vocabulary.beginnings(text, state)}

    assert pieces("the") == {b"t", b"th", b"the"} & set(PIECES)
    assert pieces('"') == {b"\\", b'\\"'} & set(PIECES)
    assert "日本".encode() in pieces("日本語")
    assert pieces("日本", StringState(partial="日".encode()[:1])) == {
        "日".encode()[1:2],
        "日".encode()[1:],
    } & set(PIECES)
    assert pieces("the", OPEN_ESCAPE) == set()


@pytest.mark.parametrize("state", [NEUTRAL, OPEN_ESCAPE, StringState(partial=b"\xe3\x81")])
def test_tokens_that_keep_a_state_open(state: StringState) -> None:
    mask = Vocabulary(PIECES).open_in(state)
    for piece, allowed in zip(PIECES, mask, strict=True):
        step = advance(piece, state) if piece else None
        fits = step is not None and not step.closes
        if state.neutral:
            fits = fits and step is not None and step.state.neutral and bool(step.text)
        assert allowed == fits, piece
