"""Where sentences end, and that a boundary once found never moves."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sinc_tui.sinc.sentences import end_of_first_sentence, split_sentences

ONE = [
    "Fix line 3",
    "Fix line 3.",
    "Fix it!?!",
    "???",
    "Fix it! 🙂",
    "Use v1.2.3 of node.js from https://a.b/c.html?x=1 and report.",
    "Round 3.14 to 3.1 in main.py.",
    "Write it, e.g. Like this.",
    "Use the short form, i.e. NASA.",
    "Compare Kant vs. Hegel.",
    "Ask Mr. Smith and Dr. Jones about No. 5.",
    "Buy approx. 5 kg of flour, sugar, etc. for the cake.",
    "Book a room at 9 a.m. Monday.",
    "Set the call for 5 p.m. EST.",
    "Summarise the U.S. Constitution.",
    "Summarise what J. R. R. Tolkien and George W. Bush wrote.",
    "Nimm Zutaten, z. B. Mehl und Zucker, d. h. Das Nötige, usw. und rühre.",
    "Prüfe Nr. 5 am 3. Mai.",
    "Vergleiche den 2. Weltkrieg mit dem 1. Weltkrieg.",
    "Schreibe ca. 200 Wörter bzw. Zeichen.",
    "1. Fix the bug.",
    "Wait... what is it?",
    "Fix the bug (see line 3. It is short) now.",
    'Reply with "Done. Thanks." and stop.',
    '"Stop!" he said.',
    "“Stop!” he said.",
    "Run `pip install .` Now",
    "「はい。」と答えてください。",
    "修正してください。",
    "fix it. then stop",
    "  Fix it.  \n",
]
TWO = [
    ("Fix line 3. Then run it.", "Fix line 3."),
    ("Fix it! run it!", "Fix it!"),
    ("Is it right? Fix it.", "Is it right?"),
    ("Stop?! Go on.", "Stop?!"),
    ("Wait... Then go.", "Wait..."),
    ("Wait… Then go.", "Wait…"),
    ('Say "hi." Then go.', 'Say "hi."'),
    ("Do it (now.) Then go.", "Do it (now.)"),
    ("**Do it.** Then go.", "**Do it.**"),
    ("Do it. (Then go.)", "Do it."),
    ("Do it. - Then go.", "Do it."),
    ("Do it. 5 minutes are enough.", "Do it."),
    ("修正してください。次に実行。", "修正してください。"),
    ("「はい。」その後", "「はい。」"),
    ("本当？はい", "本当？"),
    ("really?はい", "really?"),
    ("ما هذا؟ اكتب الجواب", "ما هذا؟"),
    ("यह ठीक है। फिर लिखो।", "यह ठीक है।"),
    ("Fix it\nrun it", "Fix it"),
    ("Fix it\r\n\r\n- run it", "Fix it"),
    ("Fix it\u2028run it", "Fix it"),
    ("Solve for x. Then plot y.", "Solve for x."),
    ("Pick option B. Explain it.", "Pick option B."),
    ("Write it in C. Keep the comments.", "Write it in C."),
    ("Start at 9 a.m. Send the invitation.", "Start at 9 a.m."),
    ("Buy flour, sugar, etc. Then bake.", "Buy flour, sugar, etc."),
    ("It was 2024. Then it ended.", "It was 2024."),
    ("Measure the 5\" pipe. Then call.", "Measure the 5\" pipe."),
    ("It fails :( Fix it now. Then go.", "It fails :( Fix it now."),
    ("Edit main.py. Then stop.", "Edit main.py."),
    ("Read https://a.b/c. Then stop.", "Read https://a.b/c."),
]  # fmt: skip
WORDS = (
    "Fix the run Then A B x I i. z. e.g. No. a.m. U.S. etc. 3 3. 12. Mai May Mon Mo . ! ? … 。 ？ ؟ "
    "। ... ?! \" “ ” ( ) [ ] 「 」 ` * ' : , - 次 と は ß é 🙂 main.py v1.2 Option B."
)
PIECES = st.sampled_from(WORDS.split()) | st.sampled_from([" ", " ", " ", "  ", "\n", "\t"])
TEXTS = st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60)


@pytest.mark.parametrize("text", ONE)
def test_one_sentence(text: str) -> None:
    assert split_sentences(text) == [text.strip()]


@pytest.mark.parametrize(("text", "first"), TWO)
def test_the_first_of_two_sentences(text: str, first: str) -> None:
    end = end_of_first_sentence(text)
    assert end is not None
    assert text[:end] == first
    assert len(split_sentences(text)) == 2


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_a_blank_text_has_no_sentence(text: str) -> None:
    assert split_sentences(text) == []
    assert end_of_first_sentence(text) is None


def test_several_sentences_in_order() -> None:
    text = "Read it. Is it right? Then say so!\n1. Write it down."
    assert split_sentences(text) == [
        "Read it.", "Is it right?", "Then say so!", "1. Write it down."
    ]  # fmt: skip


def test_a_boundary_is_seen_with_the_first_letter_after_it() -> None:
    assert end_of_first_sentence("Fix it. ") is None
    assert end_of_first_sentence("Fix it. T") == len("Fix it.")


def test_a_quotation_that_never_closes_does_not_swallow_the_text() -> None:
    text = 'Say "hi there. ' + "Word after word. " * 30
    assert len(split_sentences(text)) > 10


@settings(max_examples=400, deadline=None)
@given(TEXTS)
@example("Start at 9 a.m. Monkey business.")
@example("am 3. Maier")
@example("x. B. Then")
@example(" i.   । !MonFix it")
@example("Fix it.\n then. Then")
def test_a_boundary_stays_whatever_is_appended(text: str) -> None:
    whole = end_of_first_sentence(text)
    ends = [end_of_first_sentence(text[:length]) for length in range(len(text) + 1)]
    found = [end for end in ends if end is not None]
    assert set(found) <= {whole}
    assert all(end is not None for end in ends[len(ends) - len(found) :])


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_what_is_cut_at_a_boundary_is_one_sentence(text: str) -> None:
    end = end_of_first_sentence(text)
    if end is None:
        assert len(split_sentences(text)) == bool(text.strip())
    else:
        assert len(split_sentences(text[:end])) == 1
        assert text[end:].strip()


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_sentences_lose_nothing_but_blanks(text: str) -> None:
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())
