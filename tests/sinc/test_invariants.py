"""The invariants on finished and on growing drafts."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.invariants import INVARIANTS, Status, Verdict, check

IDS = ["json", "bands", "constraints_longest", "task_one_sentence", "formula"]


def verdict(draft: Draft, name: str) -> Verdict:
    return next(v for v in check(draft) if v.id == name)


def status(draft: Draft, name: str) -> Status:
    return verdict(draft, name).status


def test_the_registry_is_complete_and_in_order(texts: dict[Band, str]) -> None:
    assert [invariant.id for invariant in INVARIANTS] == IDS
    assert [v.id for v in check(Draft.finished(texts))] == IDS
    assert all(invariant.title for invariant in INVARIANTS)


def test_everything_is_pending_before_anything_is_written() -> None:
    assert {v.status for v in check(Draft())} == {Status.PENDING}


def test_a_valid_document_passes_everything(texts: dict[Band, str]) -> None:
    assert {v.status for v in check(Draft.finished(texts))} == {Status.PASS}


def test_the_formula_stands_as_soon_as_something_is_written() -> None:
    draft = Draft()
    draft.texts[Band.PERSONA] = "Y"
    assert status(draft, "formula") is Status.PASS


def test_a_tie_is_not_longest(texts: dict[Band, str]) -> None:
    texts[Band.DATA] = "d" * len(texts[Band.CONSTRAINTS])
    found = verdict(Draft.finished(texts), "constraints_longest")
    length = len(texts[Band.DATA])
    assert found.status is Status.FAIL
    assert found.reason == (
        f"CONSTRAINTS has {length} characters, DATA {length}; it must have more."
    )
    texts[Band.CONSTRAINTS] += "!"
    assert status(Draft.finished(texts), "constraints_longest") is Status.PASS


def test_length_is_counted_in_code_points(texts: dict[Band, str]) -> None:
    texts[Band.CONSTRAINTS] = "🙂" * 10
    for band in Band:
        if band is not Band.CONSTRAINTS:
            texts[band] = "a" * 9
    assert status(Draft.finished(texts), "constraints_longest") is Status.PASS
    texts[Band.FORMAT] = "a" * 10
    assert status(Draft.finished(texts), "constraints_longest") is Status.FAIL


def test_longest_is_pending_while_constraints_can_still_grow() -> None:
    draft = Draft()
    draft.texts[Band.DATA], draft.texts[Band.CONSTRAINTS] = "d" * 50, "c" * 3
    draft.done = set(Band) - {Band.CONSTRAINTS}
    found = verdict(draft, "constraints_longest")
    assert found.status is Status.PENDING
    assert found.reason == "CONSTRAINTS has 3 characters, the next longest, DATA, 50."


def test_longest_fails_once_constraints_closed_below_a_closed_band() -> None:
    draft = Draft()
    draft.texts[Band.DATA], draft.texts[Band.CONSTRAINTS] = "d" * 50, "c" * 3
    draft.done = {Band.CONSTRAINTS}
    assert status(draft, "constraints_longest") is Status.PENDING
    draft.done.add(Band.DATA)
    assert status(draft, "constraints_longest") is Status.FAIL


def test_task_must_be_one_sentence(texts: dict[Band, str]) -> None:
    texts[Band.TASK] = "Fix it. Then run it. Then stop."
    found = verdict(Draft.finished(texts), "task_one_sentence")
    assert (found.status, found.reason) == (
        Status.FAIL,
        "TASK has 3 sentences; it must have one.",
    )


def test_task_is_pending_until_it_is_closed_and_fails_once_a_second_sentence_starts() -> None:
    draft = Draft()
    for text, expected in [
        ("", Status.PENDING),
        ("Fix it.", Status.PENDING),
        ("Fix it. T", Status.FAIL),
    ]:
        draft.texts[Band.TASK] = text
        assert status(draft, "task_one_sentence") is expected


def test_a_closed_blank_band_fails_at_once() -> None:
    draft = Draft()
    draft.done.add(Band.DATA)
    draft.texts[Band.DATA] = " \n"
    found = verdict(draft, "bands")
    assert (found.status, found.reason) == (Status.FAIL, "DATA is blank.")
    draft.texts[Band.DATA] = "x"
    assert verdict(draft, "bands").reason == "1 of 6 bands are finished."


def test_a_blank_task_fails_when_closed() -> None:
    draft = Draft()
    draft.done.add(Band.TASK)
    assert status(draft, "task_one_sentence") is Status.FAIL


def test_half_a_surrogate_pair_is_no_json(texts: dict[Band, str]) -> None:
    draft = Draft()
    draft.texts[Band.DATA] = "a \ud83d"
    assert status(draft, "json") is Status.FAIL
    assert status(Draft.finished(texts | {Band.DATA: "\x00\x1b\n"}), "json") is Status.PASS


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.text(alphabet="aB. !\n", max_size=12), min_size=6, max_size=6),
    st.permutations(list(Band)),
)
def test_no_invariant_fails_and_then_passes_as_bands_are_appended(
    final: list[str], order: list[Band]
) -> None:
    draft, failed = Draft(), set()
    for band, text in zip(order, final, strict=True):
        for char in text:
            draft.texts[band] += char
            failed |= {v.id for v in check(draft) if v.status is Status.FAIL}
        draft.done.add(band)
        failed |= {v.id for v in check(draft) if v.status is Status.FAIL}
    last = {v.id for v in check(draft) if v.status is Status.FAIL}
    assert failed == last
    assert all(v.status is not Status.PENDING for v in check(draft))
