"""Words that are English or the prompt's."""

from __future__ import annotations

import lzma

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinc_tui.engine.job import Request
from sinc_tui.engine.protocol import SamplerOptions
from sinc_tui.engine.service import open_decoder
from sinc_tui.engine.words import WordGuard, is_english
from sinc_tui.models.default import ModelFile
from sinc_tui.paths import assets
from tests.support.deaf import Deaf

GUARD = WordGuard("my overlocker (TX-3000) eats the fabrik, swoshes; see parseInvoice() and старт")


@pytest.mark.parametrize(
    ("text", "allowed", "closes"),
    [
        ("Write a pep talk.", True, True),
        ("Write about swottows", False, False),
        ("Write about swottows.", False, False),
        ("Write about swo", True, False),
        ("Write about swot", True, True),
        ("Fix the overlocker", True, True),
        ("Fix OVERLOCKERS, the Fabrik", True, True),
        ("Fix the overlo", True, False),
        ("Call parseInvoice()", True, True),
        ("Call parseInvoic()", False, False),
        ("It isn't the user's", True, True),
        ("Say what x is, on the 4th", True, True),
        ("Say ih_3", False, False),
        ("Keep the café, Müller's façade", True, True),
        ("Keep ünn", True, False),
        ("Keep ünzq", False, False),
        ("Keep 5 µm of π", True, True),
        ("Keep старт", True, True),
        ("Keep стоп", False, False),
        ("A\u0902", False, False),
        ("", True, True),
    ],
)
def test_words_are_english_or_the_prompts(text: str, allowed: bool, closes: bool) -> None:
    assert GUARD.allows(text) is allowed
    assert GUARD.closes(text) is closes


@pytest.mark.parametrize(
    ("prompt", "word"),
    [
        ("compare two datasexes", "datasex"),
        ("my overlogger", "overloggers"),
        ("ockerize it", "ockerizer"),
        ("owner emaul", "ownerEmaul"),
        ("owner emaul", "owner"),
        ("call parseInvoyce", "invoyce"),
        ("Zoë and zoeke", "ZOËKE"),
        ("the İzmyr trip", "izmyr"),
    ],
)
def test_forms_of_the_prompts_words(prompt: str, word: str) -> None:
    assert WordGuard(prompt).closes(word)


def test_an_ending_alone_makes_no_word() -> None:
    assert not WordGuard("bring sing").closes("brs")
    assert not WordGuard("bring sing").allows("brs")


def test_a_begun_word_goes_on_as_the_prompts_first() -> None:
    ways = GUARD.ways_on("the overlo")
    assert ways.index("cker") < ways.index("ad") < len(ways)
    assert GUARD.ways_on("the ") == []


@given(st.text("abenst ", max_size=12))
def test_what_is_allowed_can_be_finished(text: str) -> None:
    if GUARD.allows(text):
        ways = GUARD.ways_on(text)
        assert GUARD.closes(text) or any(GUARD.closes(text + way) for way in ways)
    else:
        assert not GUARD.closes(text)


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("fix line 3", True),
        ("pls halp my csv import fails at row 4711", True),
        ("42", True),
        ("", True),
        ("schreib meinem Vermieter, dass die Heizung seit Tagen nicht geht", False),
        ("écris à mon propriétaire que le chauffage ne marche plus", False),
        ("修复第三行", False),
        ("写一封 email", False),
        ("исправь: TypeError undefined is not a function", False),
        ("rename userId to accountId everywhere", True),
    ],
)
def test_english(text: str, english: bool) -> None:
    assert is_english(text) is english


def test_the_dictionary_is_sorted_and_plain() -> None:
    words = lzma.decompress((assets() / "words.txt.xz").read_bytes()).decode("ascii").split()
    assert words == sorted(set(words))
    assert all(word.isalpha() and word.islower() and len(word) > 1 for word in words)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_default_model_spells(tiny_model: ModelFile, seed: int) -> None:
    """At a temperature at which it would not."""
    prompt = "memo to all lab staff, centrifuge 2 out of use until the rotor has been inspected"
    wild = SamplerOptions(decode="parallel", seed=seed, temperature=2.0, min_p=0.01)
    decoder, _ = open_decoder(tiny_model.path)
    guard = WordGuard(prompt)

    def wrong(sampler: SamplerOptions) -> tuple[int, int]:
        texts, stats = decoder.decompose(Request(prompt, sampler), Deaf())
        return sum(not guard.closes(t) for t in texts.values()), stats.masks.get("word_guard", 0)

    without, unheld = wrong(wild.model_copy(update={"number_guard": False}))
    held, fired = wrong(wild)
    assert without > 0 == unheld
    assert held == 0 < fired
