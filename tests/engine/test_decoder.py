"""The decoder's bookkeeping: what it asks of the runtime, and what is left in the cache."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinc_tui.engine.decoder import Decoder
from sinc_tui.engine.job import Request
from sinc_tui.engine.layout import CHAINS, Layout, Tokenizer, chatml, lines
from sinc_tui.engine.names import NameGuard
from sinc_tui.engine.protocol import DecodeMode, RunStats, SamplerOptions
from sinc_tui.engine.runtime import Cancelled
from sinc_tui.engine.vocabulary import Vocabulary
from sinc_tui.engine.words import WordGuard
from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.sinc.rulesets import problems
from tests.support.deaf import Deaf
from tests.support.hostile_runtime import PIECES, POLICIES, ByteTokenizer, HostileRuntime

MODES: tuple[DecodeMode, ...] = ("sequential", "parallel")
VOCABULARY = Vocabulary(PIECES)
WORDS = POLICIES["sentences"]
OTHERS = [band for band in Band if band is not Band.CONSTRAINTS]


def decoder_on(runtime: HostileRuntime, layout: Callable[[Tokenizer], Layout] = chatml) -> Decoder:
    tokenizer = ByteTokenizer()
    return Decoder(runtime, tokenizer, VOCABULARY, layout(tokenizer))


def run(
    decoder: Decoder,
    prompt: str = "fix line 3",
    mode: DecodeMode = "sequential",
    given_bands: Mapping[Band, str] = MappingProxyType({}),
    seed: int = 1,
    *,
    verbatim: bool = True,
) -> tuple[dict[Band, str], RunStats]:
    sampler = SamplerOptions(seed=seed, decode=mode, temperature=1.0, verbatim=verbatim)
    return decoder.decompose(Request(prompt, sampler, given_bands), Deaf())


@pytest.mark.parametrize("policy", ["random", "sentences", "only quotes", "broken code points"])
def test_sequential_bands_see_the_document_so_far(policy: str) -> None:
    """What lies in the cache before TASK's text is the document, character by character."""
    runtime = HostileRuntime(POLICIES[policy], 3)
    texts, _ = run(decoder_on(runtime), given_bands={Band.FORMAT: 'One "line".'})
    cached = runtime.text(0).decode(errors="replace")
    layout = bytes(chatml(ByteTokenizer()).prompt(ByteTokenizer(), "fix line 3")).decode()
    assert cached.startswith(layout)
    before_task, opening, _ = cached[len(layout) :].rpartition('"t": "TASK", "x": "')
    assert opening
    seen = json.loads(before_task + opening + '"}]}')
    assert [fragment["x"] for fragment in seen["fragments"]] == [*list(texts.values())[:-1], ""]
    wanted = SincDocument.from_bands(texts).model_dump(mode="json")
    wanted["fragments"][-1]["x"] = ""
    assert seen == wanted


@pytest.mark.parametrize("policy", ["random", "sentences", "only quotes", "broken code points"])
def test_parallel_bands_see_the_prompt_and_their_chain(policy: str) -> None:
    """What lies in the cache before a band's text: the shared prefix, and its chain up to there."""
    runtime = HostileRuntime(POLICIES[policy], 3)
    texts, _ = run(decoder_on(runtime), mode="parallel", verbatim=False)
    prefix = runtime.text(0)
    assert prefix.endswith(b'"fragments": [')
    for sequence, chain in enumerate(CHAINS["parallel"], start=1):
        before = [
            json.dumps({"n": b.n, "t": b, "x": texts[b]}, ensure_ascii=False) for b in chain[:-1]
        ]
        before += [f'{{"n": {chain[-1].n}, "t": "{chain[-1]}", "x": "']
        own = runtime.text(sequence)
        assert own.startswith(prefix + ", ".join(before).encode())
        if policy == "sentences":
            written = own[len(prefix + ", ".join(before).encode()) :].decode().strip()
            assert texts[chain[-1]][:20] == written[:20]


def test_a_kept_task_is_seen_by_format() -> None:
    runtime = HostileRuntime(WORDS, 3)
    kept = {Band.TASK: "Fix the third line."}
    run(decoder_on(runtime), mode="parallel", given_bands=kept)
    task = json.dumps({"n": 5, "t": "TASK", "x": kept[Band.TASK]}).encode()
    chain = [Band.TASK, Band.FORMAT]
    own = runtime.text(CHAINS["parallel"].index(chain) + 1)
    assert own.startswith(runtime.text(0) + task + b', {"n": 4, "t": "FORMAT", "x": "')


@pytest.mark.parametrize("kept", [{}, {Band.PERSONA: "A person."}])
def test_the_first_text_in_parallel_waits_for_one_opener(kept: dict[Band, str]) -> None:
    runtime = HostileRuntime(WORDS, 3)
    seen: list[int] = []

    class Attentive(Deaf):
        def delta(self, band: Band, text: str) -> None:
            seen.append(len({r.sequence for runs in runtime.evaluated for r in runs} - {0}))

    request = Request("fix line 3", SamplerOptions(seed=1, decode="parallel"), kept)
    decoder_on(runtime).decompose(request, Attentive())
    assert seen[0] == 1
    assert seen[-1] == len(CHAINS["parallel"]) - len(kept)


@pytest.mark.parametrize("mode", MODES)
def test_the_prefix_is_read_once(mode: DecodeMode) -> None:
    runtime = HostileRuntime(WORDS, 3)
    decoder = decoder_on(runtime)
    decoder.warm_up()
    warm = sum(len(r.tokens) for runs in runtime.evaluated for r in runs)
    assert warm == len(chatml(ByteTokenizer()).before)
    run(decoder, mode=mode)
    runtime.evaluated.clear()
    run(decoder, mode=mode, seed=2)
    first = runtime.evaluated[0]
    assert all(r.position > warm + len("fix line 3") for r in first)
    assert max(len(r.tokens) for r in first) < 40, "openers or a single token, no prompt"


@pytest.mark.parametrize("mode", MODES)
def test_a_cache_that_was_emptied_is_filled_again(mode: DecodeMode) -> None:
    """As when a long prompt comes between short ones; a layout that is itself long is read once."""
    runtime = HostileRuntime(WORDS, 3)
    decoder = decoder_on(runtime)
    fixed = len(chatml(ByteTokenizer()).before) + len(chatml(ByteTokenizer()).after)
    for runtime.short_prompt in (fixed + len("fix line 3"), fixed - 1):
        decoder.warm_up()
        runtime.evaluated.clear()
        run(decoder, mode=mode)
        assert runtime.evaluated[0][0].position == len(chatml(ByteTokenizer()).before)
        run(decoder, mode=mode, prompt="fix line 3 of the file that I sent")
        run(decoder, mode=mode)


@pytest.mark.parametrize("first", MODES)
@pytest.mark.parametrize("second", MODES)
def test_two_long_prompts_after_each_other_fit(first: DecodeMode, second: DecodeMode) -> None:
    """The branches of a parallel run hold its prompt; they must not outlive it."""
    runtime = HostileRuntime(WORDS, 3)
    decoder = decoder_on(runtime)
    room = runtime.n_ctx - _least_context()
    run(decoder, "a" * room, first)
    run(decoder, "b" * room, second)
    assert b"a" * 100 not in b"".join(runtime.text(s) for s in runtime.cells)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("policy", ["random", "never closes", "closes at once", "only digits"])
def test_the_longest_prompt_that_is_taken_fits(policy: str, mode: DecodeMode) -> None:
    runtime = HostileRuntime(POLICIES[policy], 3)
    decoder = decoder_on(runtime)
    room = 4096 - _least_context()
    with pytest.raises(
        SincError, match=rf"The prompt has {room + 1:,} tokens; this model takes {room:,}\."
    ):
        run(decoder, "7 " * (room // 2) + "x" * (room % 2 + 1), mode)
    numbers = " ".join(str(n) for n in range(1000, 3000))[:room]
    texts, _ = run(decoder, numbers.ljust(room, "."), mode)
    assert problems(SincDocument.from_bands(texts).model_dump_json()) == []


def _least_context() -> int:
    """Tokens that everything but the prompt itself may take."""
    with pytest.raises(SincError) as caught:
        run(decoder_on(HostileRuntime(WORDS, 3)), "x" * 5000)
    return 4096 - int(caught.value.message.split()[-1].strip(".").replace(",", ""))


def test_a_context_in_which_no_answer_fits() -> None:
    with pytest.raises(SincError, match="context is too short for a document") as caught:
        run(decoder_on(HostileRuntime(WORDS, 3, n_ctx=256)), "hi")
    assert "longer context" in caught.value.hint
    kept = {Band.DATA: "x" * 3000}
    with pytest.raises(SincError, match="DATA is kept with 3,000 characters") as caught:
        run(decoder_on(HostileRuntime(WORDS, 3)), "hi", given_bands=kept)
    assert "Shorten DATA" in caught.value.hint


@pytest.mark.parametrize("mode", MODES)
def test_all_six_given(mode: DecodeMode) -> None:
    texts = dict.fromkeys(OTHERS, "Do it.") | {Band.CONSTRAINTS: "Keep every rule of these. " * 3}
    given_bands = {band: texts[band] for band in Band}
    found, stats = run(decoder_on(HostileRuntime(WORDS, 3)), mode=mode, given_bands=given_bands)
    assert found == given_bands
    assert stats.free_tokens == 0


@settings(max_examples=60, deadline=None)
@given(
    mode=st.sampled_from(MODES),
    policy=st.sampled_from(sorted(POLICIES)),
    given_bands=st.dictionaries(
        st.sampled_from([band for band in OTHERS if band is not Band.TASK]),
        st.text('ab "\\日1.', min_size=1, max_size=900).filter(str.strip),
    ),
    rules=st.none() | st.integers(41, 1200),
    seed=st.integers(0, 1000),
)
def test_given_bands_are_kept_and_the_rest_is_valid(
    mode: DecodeMode,
    policy: str,
    given_bands: dict[Band, str],
    rules: int | None,
    seed: int,
) -> None:
    longest = max(map(len, given_bands.values()), default=0)
    if rules is not None and rules > longest:
        given_bands = given_bands | {Band.CONSTRAINTS: "r" * rules}
    runtime = HostileRuntime(POLICIES[policy], seed, n_ctx=16384)
    texts, _ = run(decoder_on(runtime), "pay 12 EUR", mode, given_bands, seed)
    assert {band: texts[band] for band in given_bands} == given_bands
    assert problems(SincDocument.from_bands(texts).model_dump_json()) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("after", [0, 1, 40, 200])
def test_stopped(mode: DecodeMode, after: int) -> None:
    runtime = HostileRuntime(WORDS, 3)
    decoder = decoder_on(runtime)
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > after

    with pytest.raises(Cancelled):
        decoder.decompose(Request("fix", SamplerOptions(decode=mode)), Deaf(), cancelled)
    assert asked == after + 1, "it stops at once"
    texts, _ = run(decoder, mode=mode)
    assert problems(SincDocument.from_bands(texts).model_dump_json()) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("policy", POLICIES)
def test_free_runs_end_whatever_the_model_does(policy: str, mode: DecodeMode) -> None:
    """Nothing is masked there, so nothing holds but that it ends and that the texts are texts."""
    decoder = decoder_on(HostileRuntime(POLICIES[policy], 3))
    request = Request(
        "fix",
        SamplerOptions(decode=mode, number_guard=False, fact_keeper=False),
        free=True,
    )
    texts, stats = decoder.decompose(request, Deaf())
    assert list(texts) == list(Band)
    assert json.loads(json.dumps(texts)) == texts
    assert not set(stats.masks) - {"json", "endless", "fact_keeper"}


@pytest.mark.parametrize("mode", MODES)
def test_the_figures(mode: DecodeMode) -> None:
    texts, stats = run(decoder_on(HostileRuntime(POLICIES["never closes"], 3)), mode=mode)
    assert stats.prompt_tokens == len(chatml(ByteTokenizer()).prompt(ByteTokenizer(), "fix line 3"))
    assert stats.free_tokens > 100
    assert 0 <= stats.seconds_to_first <= stats.seconds
    assert (stats.decode, stats.seed) == (mode, 1)
    assert stats.masks["limit"] >= 5
    cut = {note.split()[0] for note in stats.notes}
    assert cut <= set(Band)
    assert {"PERSONA", "CONTEXT", "DATA", "CONSTRAINTS"} <= cut
    assert all(texts.values())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("helped", [True, False])
def test_number_guard_and_fact_keeper_can_be_switched_off(mode: DecodeMode, helped: bool) -> None:
    sampler = SamplerOptions(decode=mode, verbatim=False, number_guard=helped, fact_keeper=helped)

    digits = decoder_on(HostileRuntime(POLICIES["only digits"], 3))
    texts, stats = digits.decompose(Request("no number here", sampler), Deaf())
    assert any(char.isdigit() for char in texts[Band.DATA]) is not helped
    assert bool(stats.masks.get("number_guard")) is helped

    words = decoder_on(HostileRuntime(POLICIES["closes at once"], 3))
    texts, stats = words.decompose(Request("pay 12 EUR to foo_bar()", sampler), Deaf())
    assert ("foo_bar()" in texts[Band.DATA]) is helped
    assert bool(stats.masks.get("fact_keeper")) is helped


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("helped", [True, False])
def test_names_are_held_with_the_numbers(mode: DecodeMode, helped: bool) -> None:
    prompt = "see old_rows.csv"
    decoder = decoder_on(HostileRuntime(POLICIES["random"], 3))
    sampler = SamplerOptions(decode=mode, number_guard=helped)
    texts, stats = decoder.decompose(Request(prompt, sampler), Deaf())
    held = (Band.CONTEXT, Band.CONSTRAINTS, Band.TASK)
    assert all(NameGuard(prompt).closes(texts[band]) for band in held) is helped
    assert bool(stats.masks.get("name_guard")) is helped


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("prompt", "own", "helped", "held"),
    [
        ("see the old rows", lines, True, True),
        ("see the old rows", lines, False, False),
        ("see the old rows", chatml, True, False),
        ("die Heizung geht seit Tagen nicht mehr", lines, True, False),
    ],
)
def test_words_are_held_where_a_small_student_reads_english(
    mode: DecodeMode,
    prompt: str,
    own: Callable[[Tokenizer], Layout],
    helped: bool,
    held: bool,
) -> None:
    guard = WordGuard(prompt)
    wrong = fired = 0
    for seed in range(5):
        decoder = decoder_on(HostileRuntime(POLICIES["random"], seed), own)
        sampler = SamplerOptions(decode=mode, number_guard=helped)
        texts, stats = decoder.decompose(Request(prompt, sampler), Deaf())
        wrong += sum(
            not guard.closes(text) for band, text in texts.items() if band is not Band.DATA
        )
        fired += stats.masks.get("word_guard", 0)
    assert (wrong == 0, fired > 0) == (held, held)


@pytest.mark.skipif(
    "SINC_HOSTILE_DOCUMENTS" not in os.environ,
    reason="long: SINC_HOSTILE_DOCUMENTS=2000 says how many documents in parallel mode to judge",
)
def test_many_hostile_documents_in_parallel() -> None:
    policies = list(POLICIES)
    for seed in range(int(os.environ["SINC_HOSTILE_DOCUMENTS"])):
        runtime = HostileRuntime(POLICIES[policies[seed % len(policies)]], seed)
        texts, _ = run(decoder_on(runtime), "pay 1,200.50 to 12C", "parallel", seed=seed)
        found = problems(SincDocument.from_bands(texts).model_dump_json())
        assert found == [], (seed, texts)
