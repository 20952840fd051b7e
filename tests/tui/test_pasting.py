"""What a terminal sends, in any pieces: a paste is one text, and nothing in it is a key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import BRACKETED_PASTE_END as END
from textual._xterm_parser import BRACKETED_PASTE_START as START
from textual.message import Message

from sinc_tui.tui.pasting import PasteParser

HOSTILE = [
    "\x1b", "\x1b[A", "\x1b[2J", "\x1b]52;c;b3duZWQ=\x07", "\x1b[20", "\x1b[200~", "\x1b[201", "[201~",
    "\x00", "\x11", "\x03", "\r", "\u202e", "word", "日本", "🙂", "\x1b\x1b", "\x1b[<0;1;1M", "\x1bOP",
]  # fmt: skip


def messages(parser: PasteParser, *pieces: str) -> list[Message]:
    return [message for piece in pieces for message in parser.feed(piece)]


def cut(text: str, sizes: list[int]) -> list[str]:
    """A text in pieces of these sizes, over and over."""
    pieces, at, turn = [], 0, 0
    while at < len(text):
        pieces.append(text[at : at + sizes[turn % len(sizes)]])
        at += sizes[turn % len(sizes)]
        turn += 1
    return pieces


@given(
    st.lists(st.sampled_from(HOSTILE)).map("".join).filter(lambda text: END not in text + END[:-1]),
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
)
def test_a_paste_is_one_text_however_it_arrives(text: str, sizes: list[int]) -> None:
    got = messages(PasteParser(), *cut(f"{START}{text}{END}", sizes))
    assert [type(message) for message in got] == [events.Paste]
    assert isinstance(got[0], events.Paste)
    assert got[0].text == text.replace("\x00", "")


def test_keys_around_pastes_stay_keys() -> None:
    got = messages(PasteParser(), f"a{START}one\x1b{END}\x1b[A{START}{END}{START}two{END}b")
    named = [m.text if isinstance(m, events.Paste) else getattr(m, "key", "") for m in got]
    assert named == ["a", "one\x1b", "up", "", "two", "b"]


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_megabyte(size: int) -> None:
    text = "\x1b[A word" * (1_000_000 // 8 if size > 1 else 200)
    (paste,) = messages(PasteParser(), *cut(f"{START}{text}{END}", [size]))
    assert isinstance(paste, events.Paste)
    assert paste.text == text


def test_half_a_mark_that_became_keys_begins_no_paste(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mark is read at once; what stayed unfinished was something else."""
    parser = PasteParser()
    assert messages(parser, START[:-1]) == []
    monkeypatch.setattr(parser, "_timeout_time", 0.0)
    assert list(parser.tick())
    (key,) = messages(parser, "~")
    assert isinstance(key, events.Key)
    (key,) = messages(parser, "\x1b[A")
    assert isinstance(key, events.Key)
    assert key.key == "up"


@pytest.mark.parametrize(
    "text", ["an apple", "x" * 40, "Please go on and fix what is left of line 3"]
)
def test_text_behind_esc_in_one_piece_is_text(text: str) -> None:
    got = messages(PasteParser(), f"a\x1b{text}\x1b[A\x1b{text}")
    characters = [m.character for m in got if isinstance(m, events.Key)]
    assert characters == ["a", "\x1b", *text, None, "\x1b", *text]


@pytest.mark.parametrize(("typed", "key"), [("\x1bx", "alt+x"), ("\x1bf", "ctrl+right")])
def test_alt_stays_alt(monkeypatch: pytest.MonkeyPatch, typed: str, key: str) -> None:
    parser = PasteParser()
    got = messages(parser, typed)
    if parser._timeout_time is not None:
        monkeypatch.setattr(parser, "_timeout_time", 0.0)
    got += parser.tick()
    assert [m.key for m in got if isinstance(m, events.Key)] == [key]
