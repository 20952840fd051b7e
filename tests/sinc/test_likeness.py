"""How much two bands say the same."""

from __future__ import annotations

from sinc_tui.sinc.likeness import likeness, without_repeats


def test_likeness_is_symmetric_and_says_nothing_of_a_few_words() -> None:
    one, other = "the cat sat on the mat", "the cat sat on a mat"

    assert likeness(one, one) == 1.0
    assert 0.3 < likeness(one, other) == likeness(other, one) < 1.0
    assert likeness("the cat", "the cat") == 0.0


def test_a_sentence_that_says_what_one_before_says_goes() -> None:
    text = (
        "Say why. Explain every term in plain words. Say why. Explain every term, in plain words."
    )
    assert without_repeats(text) == "Say why. Explain every term in plain words."
    assert without_repeats(text[:44]) == text[:44]
    assert without_repeats("Explain it in plain words. Also explain it in plain words.") == (
        "Explain it in plain words."
    )


def test_a_short_sentence_that_differs_in_a_mark_stays() -> None:
    text = "Write it in C. Keep it short. Write it in C++."
    assert without_repeats(text) == text


def test_a_sentence_that_differs_in_one_word_stays() -> None:
    for one, other in (("12", "15"), ("flat", "garage")):
        rule = "Keep the total of the first invoice for the garden work at the {} exactly as given."
        text = f"{rule.format(one)} {rule.format(other)}"
        assert without_repeats(text) == text


def test_of_two_rules_that_begin_alike_the_longer_stays() -> None:
    short, long = (
        "Make each one different from the others.",
        "Make each one different from the others in tone.",
    )
    assert without_repeats(f"{short} Keep it short. {long}") == f"Keep it short. {long}"
    assert without_repeats(f"{long} {short} Keep it short.") == f"{long} Keep it short."
    for text in (
        "Say why. Say why it is so.",
        "Write the whole script in C. Write the whole script in C++.",
        "Do not tell anyone the price. Do not tell anyone the price of the boat.",
        "Answer all of the questions. Answer all of the questions if there is time.",
    ):
        assert without_repeats(text) == text
