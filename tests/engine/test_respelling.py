"""A word that is none: spelt on in another way, or taken back to its beginning."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sinc_tui.engine.answers import BandRules, Finish, Retake
from sinc_tui.engine.guards import NumberGuard
from sinc_tui.engine.limits import Limit
from sinc_tui.engine.protocol import SamplerOptions
from sinc_tui.engine.sampler import Sampler
from sinc_tui.engine.vocabulary import Vocabulary
from sinc_tui.engine.words import WordGuard
from sinc_tui.engine.writer import BandWriter
from sinc_tui.sinc.bands import Band


def speller(pieces: list[bytes], prompt: str = "") -> tuple[BandWriter, Callable[..., object]]:
    """A writer that is held to words, and how it answers a model that wants these tokens, the first most."""
    rules = BandRules(guards=[NumberGuard(prompt), WordGuard(prompt)])
    sampler = Sampler(SamplerOptions(temperature=0, dry_multiplier=0), 0)
    band = BandWriter(Band.CONTEXT, Vocabulary(pieces), sampler, Limit(400, 200), rules)

    def answer(*wants: bytes, step: float = 4) -> object:
        row = np.full(len(pieces), -20, np.float32)
        for rank, piece in enumerate(wants):
            row[pieces.index(piece)] = 20 - step * rank
        found = band.write(row)
        token = found.token if isinstance(found, Retake) else found
        return pieces[token] if isinstance(token, int) else found

    return band, answer


def test_a_word_that_is_none_is_taken_back_to_its_beginning() -> None:
    pieces = [b"Ask", b" swo", b"qq", b" swimmers", b"p", b".", b'"']
    band, answer = speller(pieces)
    answer(b"Ask")
    assert answer(b" swo", b" swimmers") == b" swo"
    assert band.settled == "Ask"
    assert answer(b"qq") == b" swimmers"
    assert (band.text, len(band.tokens)) == ("Ask swimmers", 2)
    assert answer(b".") == b"."
    assert band.settled == "Ask swimmers."
    assert answer(b'"') == Finish("Ask swimmers.")
    assert +band.masks == {"word_guard": 1}


def test_all_tokens_of_a_word_are_taken_back() -> None:
    pieces = [b"Ask", b" swim", b"min", b"g", b"gg", b" them"]
    band, answer = speller(pieces)
    answer(b"Ask")
    answer(b" swim", b" them")
    assert answer(b"min") == b"min"
    assert answer(b"g") == b"g"
    assert band.settled == "Ask"
    assert answer(b"gg") == b" them"
    assert [pieces[token] for token in band.tokens] == [b"Ask", b" them"]


def test_there_is_no_way_back_into_a_code_point() -> None:
    pieces = [b"Ask", b" \xe2\x80", b"\x94swo", b"qq", b" him", b"p"]
    band, answer = speller(pieces)
    answer(b"Ask")
    answer(b" \xe2\x80", b" him")
    answer(b"\x94swo")
    assert band.text == "Ask \N{EM DASH}swo"
    assert answer(b"qq", b"p") == b"p"
    assert b"".join(pieces[token] for token in band.tokens).decode() == band.text


def test_a_word_goes_on_in_another_way_where_one_is_likely() -> None:
    pieces = [b"Ask", b" centr", b"r", b"ifuge", b" others", b'"']
    band, answer = speller(pieces)
    answer(b"Ask")
    answer(b" centr", b" others")
    assert answer(b"r", b"ifuge", step=1) == b"ifuge"
    assert band.text == "Ask centrifuge"
    assert +band.masks == {"word_guard": 1}


@pytest.mark.parametrize("end", [b'"', b" on", b".", b" 1"])
def test_a_word_does_not_end_before_it_is_one(end: bytes) -> None:
    pieces = [b"Ask", b" sw", b" him", b'"', b" on", b".", b" 1"]
    band, answer = speller(pieces, "pay 1")
    answer(b"Ask")
    answer(b" sw", b" him")
    assert answer(end) == b" him"
    assert band.text == "Ask him"


def test_a_token_with_a_wrong_word_behind_a_right_one_is_passed_over() -> None:
    pieces = [b"Ask", b" him", b" swottows", b" now"]
    band, answer = speller(pieces)
    answer(b"Ask")
    answer(b" him")
    assert answer(b" swottows", b" now") == b" now"
    assert band.text == "Ask him now"


def test_a_word_is_not_begun_anew_for_ever() -> None:
    """Where every beginning fails the likeliest way on is taken, however unlikely."""
    beginnings = [b" swo", b" swa", b" swe", b" swi"]
    pieces = [b"Ask", *beginnings, b"m", b"qq"]
    band, answer = speller(pieces)
    answer(b"Ask")
    answer(*beginnings)
    for beginning in beginnings[1:]:
        assert answer(b"qq") == beginning
    assert answer(b"qq") == b"m"
    assert band.text == "Ask swim"
    assert +band.masks == {"word_guard": 4}
