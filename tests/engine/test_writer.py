"""Writing one band: the model's choice first, a mask only where that one choice breaks a rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from sinc_tui.engine.answers import BandRules, Finish, Retake, Wait
from sinc_tui.engine.guards import Guard, NumberGuard
from sinc_tui.engine.limits import Limit
from sinc_tui.engine.names import NameGuard
from sinc_tui.engine.protocol import SamplerOptions
from sinc_tui.engine.sampler import Logits, Sampler
from sinc_tui.engine.verbatim import VerbatimGuard
from sinc_tui.engine.vocabulary import Vocabulary
from sinc_tui.engine.writer import WALK, BandWriter
from sinc_tui.sinc.bands import Band
from tests.support.hostile_runtime import END, PIECES

VOCABULARY = Vocabulary(PIECES)
ROOM, NO_RULES = Limit(400, 200), BandRules()
EOT = b"<end of turn>"


def wish(*pieces: bytes) -> Logits:
    """Logits of a model that wants these tokens, the first most."""
    row = np.full(len(PIECES), -20, np.float32)
    for rank, piece in enumerate(pieces):
        row[END if piece == EOT else PIECES.index(piece)] = 20 - rank
    return row


def writer(band: Band, rules: BandRules = NO_RULES, limit: Limit = ROOM) -> BandWriter:
    sampler = Sampler(SamplerOptions(temperature=0, dry_multiplier=0), 0)
    return BandWriter(band, VOCABULARY, sampler, limit, rules)


def write(writer: BandWriter, wishes: Sequence[Logits]) -> int | Wait | Finish:
    """Let the writer have one wish after the other; its last answer."""
    answer: int | Wait | Finish = 0
    for row in wishes:
        assert isinstance(answer, int), "it had finished already"
        answer = writer.write(row)
    return answer


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([b"Use", b" the", b'"'], "Use the"),
        ([b"Use", b'."'], "Use."),
        ([b"Use", b'"}'], "Use"),
        ([b"Use", b"!", EOT], "Use!"),
        ([b"Use", b' \\"', b"the", b'\\"', b'"'], 'Use "the"'),
        ([b"Use", b"\\", b"\\", b"n", b'"'], "Use\\n"),
        ([b"\xe3\x81", b"\x82", b'"'], "あ"),
        ([b"Use", b"   ", b'"'], "Use"),
        ([b" Use", b'"'], "Use"),
    ],
)
def test_the_model_has_its_way(pieces: list[bytes], text: str) -> None:
    band = writer(Band.FORMAT)
    assert write(band, [wish(piece) for piece in pieces]) == Finish(text)
    assert band.masks.total() == 0


@pytest.mark.parametrize(
    ("wishes", "text", "mask"),
    [
        ([wish(b'"', b"Use")], "Use", "blank"),
        ([wish(EOT, b"Use")], "Use", "blank"),
        ([wish(b"   ", b"Use")], "Use", "blank"),
        ([wish(b"Use"), wish(b"\n\n", b" the")], "Use the", "json"),
        ([wish(b"Use"), wish(b"\\n", b" the")], "Use the", "json"),
        ([wish(b"Use"), wish(b"\xff\xfe", b" the")], "Use the", "json"),
        ([wish(b"Use"), wish(b"\\"), wish(b"n", b"\\")], "Use\\", "json"),
        ([wish(b"\xe3\x81"), wish(b'"', b"\x82")], "あ", "json"),
        ([wish(b"\xe3\x81"), wish(EOT, b"\x82")], "あ", "json"),
    ],
)
def test_what_breaks_the_string_is_masked(wishes: list[Logits], text: str, mask: str) -> None:
    band = writer(Band.FORMAT)
    assert isinstance(write(band, wishes), int)
    assert band.text == text
    assert +band.masks == {mask: 1}


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([b"Use", b" the", b".", b" Keep"], "Use the."),
        ([b"Use", b" the", "。".encode(), b"Keep"], "Use the。"),
        ([b"Use", b"?", b" Keep"], "Use?"),
    ],
)
def test_task_ends_with_its_first_sentence(pieces: list[bytes], text: str) -> None:
    band = writer(Band.TASK)
    assert write(band, [wish(piece) for piece in pieces]) == Finish(text)
    assert +band.masks == {"one_sentence": 1}
    other = writer(Band.FORMAT)
    assert isinstance(write(other, [wish(piece) for piece in pieces]), int)


@pytest.mark.parametrize("mark", [b"!", b' !"', b" !!"])
def test_task_does_not_end_at_a_mark_of_its_own(mark: bytes) -> None:
    vocabulary = Vocabulary([b"Use", mark, b" the"])
    sampler = Sampler(SamplerOptions(temperature=0), 0)
    band = BandWriter(Band.TASK, vocabulary, sampler, ROOM, NO_RULES)
    band.text = "Use "
    assert band.write(np.array([0, 9, 8], np.float32)) == 2
    assert band.text == "Use  the"
    assert +band.masks == {"one_sentence": 1}


def test_a_mark_within_backticks_is_no_end() -> None:
    band = writer(Band.TASK)
    pieces = (b"Use", b" ", b"`", b"x", b" ", b"?", b"`", b'."')
    assert write(band, [wish(piece) for piece in pieces]) == Finish("Use `x ?`.")


@pytest.mark.parametrize(
    ("number", "wrong"), [([b" "], b"9"), ([b" ", b"1"], b"9"), ([b" ", b"1"], b" ")]
)
def test_a_wrong_number_is_taken_back_with_its_blank(number: list[bytes], wrong: bytes) -> None:
    """Behind the blank no word fits any more: 'under 80 words' became 'under  icing'."""
    pieces = [b"Keep", b" ", b"1", b"2", b"9", b" the", b'"']
    sampler = Sampler(SamplerOptions(temperature=0), 0)
    rules = BandRules(guards=[NumberGuard("pay 12")])
    band = BandWriter(Band.CONSTRAINTS, Vocabulary(pieces), sampler, ROOM, rules)

    def answer(piece: bytes) -> object:
        row = np.zeros(len(pieces), np.float32)
        row[pieces.index(b" the")] = 8
        row[pieces.index(piece)] = 9
        return band.write(row)

    assert answer(b"Keep") == 0
    for piece in number:
        assert answer(piece) == pieces.index(piece)
        assert band.settled == "Keep"
    assert answer(wrong) == Retake(pieces.index(b" the"), len(number))
    assert band.text == band.settled == "Keep the"
    assert len(band.tokens) == 2
    assert +band.masks == {"number_guard": 1}


@pytest.mark.parametrize("wrong", [b"3", b"\\"])
def test_a_wrong_digit_within_a_name_becomes_the_right_one(wrong: bytes) -> None:
    """Else the name is left in the middle, where nothing else fits, and the band is cut."""
    pieces = [b"Keep", b" report", b"_", b"2", b"0", b"4", wrong, b".csv", b" the", b'"']
    sampler = Sampler(SamplerOptions(temperature=0), 0)
    prompt = "sum report_2024.csv"
    rules = BandRules(guards=[NumberGuard(prompt, sparing=True), NameGuard(prompt)])
    band = BandWriter(Band.CONSTRAINTS, Vocabulary(pieces), sampler, ROOM, rules)
    for wanted in (0, 1, 2, 3, 4, 3, 6, 7):
        row = np.zeros(len(pieces), np.float32)
        row[wanted] = 9
        band.write(row)
    assert band.text == "Keep report_2024.csv"


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        # A small model put two of the prompt's figures together: 790.10.
        ([b"Keep", b" ", b"790", b".", b"10", b"00", b" the"], "Keep 790.00"),
        ([b"Keep", b" ", b"10", b",", b"69", b"00", b" the"], "Keep 10, the"),
        ([b"Keep", b" ", b"69", b",", b"10", b"00", b" the"], "Keep the"),
        ([b"Keep", b" ", b"10", b".", b"69", b"00", b" the"], "Keep the"),
    ],
)
def test_numbers_are_not_put_together_anew(pieces: list[bytes], text: str) -> None:
    """One that is plain is finished, a list goes on, any other is taken back."""
    vocabulary = Vocabulary([*pieces, b'"'])
    rules = BandRules(guards=[NumberGuard("Wed,69,790.00,10 and 00")])
    sampler = Sampler(SamplerOptions(temperature=0), 0)
    band = BandWriter(Band.CONSTRAINTS, vocabulary, sampler, ROOM, rules)
    for wanted in range(5):
        row = np.zeros(len(vocabulary), np.float32)
        row[len(pieces) - 1], row[wanted] = 8, 9
        band.write(row)
    assert band.text == text
    assert +band.masks == {"number_guard": 1}


def test_prose_goes_on_where_a_number_was_refused() -> None:
    """DATA, a list, may end there; a rule would break off."""
    wishes = [wish(b"Keep"), wish(b"7", b'"', b" the")]
    rules = BandRules(guards=[NumberGuard("pay 12")])
    band = writer(Band.CONSTRAINTS, rules)
    assert isinstance(write(band, wishes), int)
    assert band.text == "Keep the"
    assert write(writer(Band.DATA, rules), wishes) == Finish("Keep")


def test_task_does_not_end_at_an_abbreviation() -> None:
    band = writer(Band.TASK)
    assert write(band, [wish(p) for p in (b"Use", b" e.g.", b" the", b'."')]) == Finish(
        "Use e.g. the."
    )


def test_constraints_may_not_close_too_early() -> None:
    band = writer(Band.CONSTRAINTS, BandRules(may_close=lambda length: length > 8))
    assert isinstance(write(band, [wish(b"Keep"), wish(b'"', b" the"), wish(b" the")]), int)
    assert +band.masks == {"constraints_longest": 1}
    assert write(band, [wish(b'."')]) == Finish("Keep the the.")


def test_constraints_that_must_go_on_behind_a_sentence_begin_another() -> None:
    """In the middle of one, the next likely word goes on; a vocabulary of no use takes any token."""
    rules = BandRules(may_close=lambda length: length > 12)
    refused = wish(b'"', b"!", b" the", b" Use")
    band = writer(Band.CONSTRAINTS, rules)
    assert isinstance(write(band, [wish(b"Keep"), wish(b"."), refused]), int)
    assert band.text == "Keep. Use"
    band = writer(Band.CONSTRAINTS, rules)
    assert isinstance(write(band, [wish(b"Keep"), refused]), int)
    assert band.text == "Keep!"
    small = Vocabulary([b"Keep", b".", b"!", b'"'])
    poor = BandWriter(
        Band.CONSTRAINTS, small, Sampler(SamplerOptions(temperature=0), 0), ROOM, rules
    )
    for row in ([9, 0, 0, 0], [0, 9, 0, 0], [0, 0, 8, 9]):
        poor.write(np.array(row, np.float32))
    assert poor.text == "Keep.!"


def test_constraints_wait_for_the_others() -> None:
    longest = 3
    rules = BandRules(may_close=lambda length: length > longest, may_wait=lambda: longest < 9)
    band = writer(Band.CONSTRAINTS, rules)
    longest = 5
    assert write(band, [wish(b"Keep"), wish(b'"', b" the")]) == Wait()
    assert band.text == "Keep"
    longest = 3
    assert band.resume() == Finish("Keep")

    band = writer(Band.CONSTRAINTS, rules)
    longest = 5
    assert write(band, [wish(b"Keep"), wish(b'"', b" the")]) == Wait()
    longest = 9
    assert isinstance(band.resume(), int), "it writes on, for it is too short for good"
    assert band.text == "Keep the"


@pytest.mark.parametrize(
    ("limit", "text", "reason"),
    [(Limit(12, 200), "Use. Keep.", "12 characters"), (Limit(400, 5), "Use. Keep.", "5 tokens")],
)
def test_a_band_is_cut_at_its_limit(limit: Limit, text: str, reason: str) -> None:
    band = writer(Band.FORMAT, limit=limit)
    pieces = [b"Use", b".", b" Keep", b".", b" State"]
    assert write(band, [wish(piece) for piece in pieces]) == Finish(
        text, f"FORMAT was cut at {reason}."
    )
    assert +band.masks == {"limit": 1}


def test_a_band_that_is_cut_while_it_waits_is_completed_later() -> None:
    """What facts it has to hold is known only when the others have ended."""
    waiting, facts = True, ""
    rules = BandRules(may_wait=lambda: waiting, complete=lambda text: text + facts)
    band = writer(Band.CONSTRAINTS, rules, Limit(400, 3))
    assert write(band, [wish(b"Use"), wish(b"."), wish(b" Keep")]) == Wait()
    waiting, facts = False, " Keep as typed: 12."
    assert band.resume() == Finish(
        "Keep to what the prompt says and add nothing to it. Keep as typed: 12.",
        "CONSTRAINTS was cut at 3 tokens.",
    )


def test_numbers_are_the_prompts() -> None:
    rules = BandRules(guards=[NumberGuard("pay 12 in 2024")])
    band = writer(Band.DATA, rules)
    assert isinstance(write(band, [wish(b"12"), wish(b"7", b" the")]), int)
    assert band.text == "12 the"
    assert isinstance(write(band, [wish(b" 7", b" 2024")]), int)
    assert "7" not in band.text
    assert +band.masks == {"number_guard": 2}


def test_a_number_that_was_begun_is_finished() -> None:
    """Its digits come one by one, and the model would leave it half way."""
    band = writer(Band.DATA, BandRules(guards=[NumberGuard("2024")]))
    wishes = [wish(b"2"), wish(b'"', b"7", b"0"), wish(b" the", b"2"), wish(b"0", b"4"), wish(b'"')]
    assert write(band, wishes) == Finish("2024")
    assert +band.masks == {"number_guard": 3}


def test_data_goes_on_as_the_prompt_does_or_ends() -> None:
    band = writer(Band.DATA, BandRules(guards=[VerbatimGuard("Use the Keep")]))
    assert isinstance(write(band, [wish(b"Use"), wish(b" Keep", b" the")]), int)
    assert band.text == "Use the"
    assert write(band, [wish(b" the", b'"', b" Keep")]) == Finish("Use the")
    assert +band.masks == {"verbatim": 2}


@pytest.mark.parametrize(
    ("guard", "begun"),
    [(VerbatimGuard("the Keep7x"), b"Keep"), (NumberGuard("274"), b"2")],
)
def test_a_way_on_that_the_model_does_not_know_is_taken(guard: Guard, begun: bytes) -> None:
    """All others are likelier than the token that the prompt goes on with."""
    band = writer(Band.DATA, BandRules(guards=[guard]))
    others = [
        piece
        for piece, plain in zip(PIECES, VOCABULARY.plain, strict=True)
        if plain and piece != b"7"
    ]
    assert len(others) > WALK
    write(band, [wish(begun), wish(*others)])
    assert band.text == begun.decode() + "7"


def test_facts_are_put_in_at_the_end() -> None:
    band = writer(Band.DATA, BandRules(complete=lambda text: f"{text}; 12 kg."))
    assert write(band, [wish(b"Use"), wish(b'"')]) == Finish("Use; 12 kg.")
    assert +band.masks == {"fact_keeper": 1}
    assert band.text == "Use; 12 kg."
