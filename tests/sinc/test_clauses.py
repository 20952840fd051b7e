"""Clauses of the prompt that no band tells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinc_tui.sinc.clauses import lost_clauses
from sinc_tui.sinc.grounding import plain

REVIEW = (
    'reply to this review, max 70 words, dont offer money, + internal note what to fix: "Room 14"'
)
WORDS = [
    "please", "thanks", "reply", "review", "internal", "note", "money", "6:40", "3.5", "日本", "für",
    "<", ">", "<b>", "{", "(", ")", ",", ".", ":", ";", '"', "'", "-", "+", "\n",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(WORDS), max_size=16).map(" ".join)


@pytest.mark.parametrize(
    ("prompt", "texts", "lost"),
    [
        (REVIEW, ["Reply to the review. Offer no money."], ["internal note what to fix"]),
        (REVIEW, ["Reply to the review, then the internal notes. Offer no money."], []),
        (REVIEW, [], ["reply to this review", "dont offer money", "internal note what to fix"]),
        # One word that is gone may be said in another way, and short ones are everywhere.
        ("fix the broken test", ["Mend the test that fails."], []),
        ("fix it, now or not at all", ["Mend it."], []),
        ("The milk man comes at 6:40 and needs the side gate open.", ["milk man, 6:40, comes"],
         ["The milk man comes at 6:40 and needs the side gate open"]),
        ("my cat sneezes, thanks in advance, please hurry", ["The cat sneezes."], []),
        ("- water plants\n- feed the parrot daily\n", ["Water the plants."], ["feed the parrot daily"]),
        ("should i apply to this? You will roster 25 volunteers", ["Say whether to apply.", "25 volunteers"],
         []),
        ("<goal>explain red sunsets</goal>", [], ["explain red sunsets"]),
        ("what does foo(bar baz)", ["foo"], []),
        ("why?\n\n```\nimport something.long\nreturn something.else\n```", ["Explain the code."], []),
        ("", [], []),
    ],
)  # fmt: skip
def test_examples(prompt: str, texts: list[str], lost: list[str]) -> None:
    assert lost_clauses(prompt, texts) == lost


def test_of_a_long_text_the_bands_choose() -> None:
    clauses = [
        f"the {word} opens {word}ly" for word in ("north", "south", "inner", "outer", "upper")
    ]
    assert lost_clauses(", ".join(clauses), ["Sum it up."]) == clauses
    assert lost_clauses(", ".join([*clauses, "the lower opens never"]), ["Sum it up."]) == []


@given(TEXTS, TEXTS)
def test_what_is_put_in_is_no_longer_lost(prompt: str, text: str) -> None:
    lost = lost_clauses(prompt, [text])
    assert all(clause in " ".join(plain(prompt).split()) for clause in map(plain, lost))
    assert lost_clauses(prompt, [text, *lost]) == []
    assert lost_clauses(prompt, [prompt]) == []
