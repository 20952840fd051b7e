"""What an answer, a header, a price and a brief must hold; no server is needed."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sinc_tui.distill.assignments import Correcting, InvalidAnswerError, Writing
from sinc_tui.distill.teacher import Price, Retries, Tally, price_of
from sinc_tui.distill.teacher_api import (
    Reply,
    Usage,
    open_api,
    retry_after,
)
from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band
from tests.support.teacher_examples import EXAMPLES, FIRST, PROMPTS, answer, broken

WRITING = Writing("plain")


@pytest.mark.parametrize(
    "text",
    ["{}", "```json\n{}\n```", "Here it is:\n{}\nDone."],
)
def test_an_answer_may_stand_in_a_fence_or_between_words(text: str) -> None:
    reply = Reply(text.replace("{}", answer(FIRST)))

    assert WRITING.read(reply, PROMPTS[0]) == EXAMPLES[FIRST]


def test_the_order_of_the_keys_does_not_matter() -> None:
    turned = dict(reversed(json.loads(answer(FIRST)).items()))

    made = WRITING.read(Reply(json.dumps(turned)), PROMPTS[0])

    assert list(made.bands) == list(Band)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(answer(FIRST), cut=True), "cut off"),
        (Reply("no"), "no JSON object"),
        (Reply("{not json}"), "no valid JSON"),
        (Reply('{"PERSONA": "x"}'), "keys must be"),
        (Reply(json.dumps(dict.fromkeys(Band, 1))), "must be a string"),
        (Reply(broken(FIRST)), "TASK has 2 sentences"),
    ],
)
def test_an_invalid_answer_says_why(reply: Reply, reason: str) -> None:
    with pytest.raises(InvalidAnswerError, match=reason):
        WRITING.read(reply, PROMPTS[0])


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3.0), ("0.5", 0.5), ("-4", 0.0), ("", None), ("soon", None),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0), ("Wed, 21 Oct 2015 07:00:00 GMT", 0.0),
    ],
)  # fmt: skip
def test_the_header_retry_after(value: str, seconds: float | None) -> None:
    now = datetime(2015, 10, 21, 7, 28, tzinfo=UTC)

    assert retry_after({"retry-after": value}, now) == seconds


def test_waits_grow_to_a_limit() -> None:
    retries, rng = Retries(first=1, longest=8), random.Random(0)

    waits = [retries.wait(failed, None, rng) for failed in range(1, 9)]

    assert all(0.5 * min(8, 2**n) <= wait <= min(8, 2**n) for n, wait in enumerate(waits))
    assert retries.wait(1, 1000.0, rng) == 80.0


def test_a_missing_key_is_named() -> None:
    with pytest.raises(SincError, match="ANTHROPIC_API_KEY"):
        open_api("anthropic", "m", environment={})
    with pytest.raises(SincError, match="OPENAI_API_KEY"):
        open_api("openai", "m", environment={})


def test_cost_by_a_price_given_or_known() -> None:
    usage = Usage(read=1_000_000, written=100_000, cached=400_000)

    assert Price(2.0, 10.0, 0.2).of(usage) == pytest.approx(1.2 + 0.08 + 1.0)
    assert price_of("claude-haiku-4-5-20251001") == Price(1.0, 5.0, 0.1)
    assert price_of("someone-else") is None
    assert price_of("someone-else", (1.0, 2.0)) == Price(1.0, 2.0, 1.0)
    assert "$2.28" in Tally(made=1, usage=usage).in_words(Price(2.0, 10.0, 0.2))


@pytest.mark.parametrize("style", ["plain", "rich"])
def test_the_briefs_name_every_band(style: str) -> None:
    text = Writing("rich" if style == "rich" else "plain").brief

    assert all(f"- {band.value} (" in text for band in Band)


def test_bands_written_anew_stand_beside_nothing_that_was_rejected() -> None:
    asked = replace(PROMPTS[0], rejected={Band.TASK: "Do something."})

    assert WRITING.read(Reply(answer(FIRST)), asked) == EXAMPLES[FIRST]


CORRECTING = Correcting()
DOCUMENT = EXAMPLES[FIRST]


def test_a_correction_keeps_what_it_replaces_and_leaves_the_rest() -> None:
    mended = DOCUMENT.bands[Band.TASK].rstrip(".") + ", in the order given."

    made = CORRECTING.read(Reply(json.dumps({"TASK": mended})), DOCUMENT)

    assert made.bands == DOCUMENT.bands | {Band.TASK: mended}
    assert made.rejected == {Band.TASK: DOCUMENT.bands[Band.TASK]}


@pytest.mark.parametrize("text", ["{}", json.dumps({"TASK": DOCUMENT.bands[Band.TASK]})])
def test_a_document_without_a_fault_is_kept_as_it_is(text: str) -> None:
    assert CORRECTING.read(Reply(text), DOCUMENT) == DOCUMENT


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"TASKS": "x"}, "keys must be among"),
        ({"TASK": "Do it. Then stop."}, "TASK has 2 sentences"),
    ],
)
def test_an_invalid_correction_says_why(row: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidAnswerError, match=reason):
        CORRECTING.read(Reply(json.dumps(row)), DOCUMENT)


def test_the_brief_of_corrections_names_every_band() -> None:
    assert all(f"- {band.value} (" in CORRECTING.brief for band in Band)
