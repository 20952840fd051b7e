"""Nothing in a shown text acts on the terminal, and nothing in it hides."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from sinc_tui.tui.literal import visible, visible_in_place

ANY = st.text(st.characters(), max_size=200)


def test_names() -> None:
    assert visible("\x1b[31m") == "␛[31m"
    assert visible("a\x00b\x7fc\r\n") == "a␀b␡c␍\n"
    assert visible("\u202eabc\u200b") == "⟨U+202E⟩abc⟨U+200B⟩"
    assert visible("\U000e0041") == "⟨U+E0041⟩"


def test_ordinary_text_is_left_alone() -> None:
    text = "naïve 日本語 👩‍👩‍👧 e\u0301 שלום\n\tindented [bold]text[/]"
    assert visible(text) == text
    assert visible_in_place(text) == text


@given(ANY)
def test_no_control_or_surrogate_survives(text: str) -> None:
    for shown in (visible(text), visible_in_place(text)):
        left = {c for c in shown if unicodedata.category(c) in ("Cc", "Cs")}
        assert left <= {"\n", "\t"}
        shown.encode()


@given(ANY)
def test_in_place_keeps_columns(text: str) -> None:
    assert len(visible_in_place(text)) == len(text)
