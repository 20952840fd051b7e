"""Examples in tokens: what is trained on is what the decoder evaluates."""

from __future__ import annotations

import pytest

from sinc_tui.distill.dataset import Example
from sinc_tui.distill.packing import SHARED, Packer, collate
from sinc_tui.engine.layout import CHAINS, TRAINED, escape, lines
from sinc_tui.engine.protocol import DecodeMode
from sinc_tui.sinc.bands import Band
from tests.engine.test_decoder import MODES, decoder_on, run
from tests.support.hostile_runtime import POLICIES, ByteTokenizer, HostileRuntime

PROMPT = "fix line 3"
PACKER = Packer(ByteTokenizer(), lines(ByteTokenizer()), scaffold_weight=0.05)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", TRAINED)
def test_tokens_and_positions_are_those_of_the_decoder(name: str, mode: DecodeMode) -> None:
    runtime, layout = HostileRuntime(POLICIES["sentences"], 3), TRAINED[name]
    texts, _ = run(decoder_on(runtime, layout), PROMPT, mode, verbatim=False)
    packed = Packer(ByteTokenizer(), layout(ByteTokenizer())).pack(
        Example("1", "other", PROMPT, texts, "plain"), mode
    )
    shared = [t for t, block in zip(packed.tokens, packed.blocks, strict=True) if block == SHARED]
    for number, chain in enumerate(CHAINS[mode], start=1):
        own = [i for i, block in enumerate(packed.blocks) if block == number]
        opener = bytes(layout(ByteTokenizer()).scaffold.openers[chain[-1]])
        last = escape(texts[chain[-1]]).encode()
        trained = bytes([*shared, *(packed.tokens[i] for i in own)])
        before, opening, _ = trained.rpartition(opener)
        evaluated = runtime.text(number if mode == "parallel" else 0)
        assert evaluated.startswith(before + opening + last[:20])
        assert [packed.positions[i] for i in own] == list(range(len(shared), len(trained)))


@pytest.mark.parametrize("mode", MODES)
def test_loss_lies_on_what_the_model_writes(mode: DecodeMode) -> None:
    texts = {band: f"{band} text." for band in Band}
    packed = PACKER.pack(Example("1", "other", PROMPT, texts, "plain"), mode)
    written = [t for t, w in zip(packed.tokens, packed.weights, strict=True) if w == 1.0]
    chains = [band for chain in CHAINS[mode] for band in chain]
    assert bytes(written).decode() == "".join(f'{texts[band]}"' for band in chains)


@pytest.mark.parametrize("mode", MODES)
def test_bands_count_as_much_as_they_are_given(mode: DecodeMode) -> None:
    texts = {band: f"{band} text." for band in Band}
    example = Example("1", "other", PROMPT, texts, "plain")
    packer = Packer(
        ByteTokenizer(),
        lines(ByteTokenizer()),
        scaffold_weight=0.05,
        band_weights={Band.TASK: 3.0, Band.CONTEXT: 0.0},
    )
    packed, even = packer.pack(example, mode), packer.even().pack(example, mode)

    def weighing(weight: float) -> str:
        pairs = zip(packed.tokens, packed.weights, strict=True)
        return bytes(token for token, w in pairs if w == weight).decode()

    assert weighing(3.0) == 'TASK text."'
    assert "CONTEXT text" not in weighing(1.0)
    assert set(even.weights) == {0.0, 1.0}
    assert sum(even.weights) == sum(len(text) + 1 for text in texts.values())


def test_format_sees_the_task_and_no_other_band_in_parallel() -> None:
    texts = {band: f"{band} text." for band in Band}
    packed = PACKER.pack(Example("1", "other", PROMPT, texts, "plain"), "parallel")
    visible = collate([packed]).visible[0]
    place = bytes(packed.tokens).find(b"FORMAT text.")
    seen = bytes(t for t, v in zip(packed.tokens, visible[place], strict=True) if v).decode()
    assert [band for band in Band if f"{band} text" in seen] == [Band.TASK]
    assert PROMPT in seen


def corrected(**rejected: str) -> Example:
    texts = {band: f"{band} text." for band in Band}
    faulty = {Band(name): text for name, text in rejected.items()}
    return Example("1", "other", PROMPT, texts, "plain", faulty)


CORRECTING = Packer(ByteTokenizer(), lines(ByteTokenizer()), corrections=True)


def test_what_was_rejected_sees_what_its_correction_sees() -> None:
    packed = CORRECTING.pack(corrected(TASK="No task.", FORMAT="No format."), "parallel")
    visible = collate([packed]).visible[0]

    def seen_by(text: str) -> str:
        place = bytes(packed.tokens).rfind(text.encode())
        start = bytes(t for t, v in zip(packed.tokens, visible[place], strict=True) if v)
        return start.decode()

    for ours, theirs in (("TASK text.", "No task."), ("FORMAT text.", "No format.")):
        assert seen_by(ours)[:-1] == seen_by(theirs)[:-1]
        right, wrong = (bytes(packed.tokens).rfind(text.encode()) for text in (ours, theirs))
        assert packed.positions[right] == packed.positions[wrong]


def test_pairs_are_told_apart_and_carry_no_weight_where_they_were_rejected() -> None:
    first = CORRECTING.pack(corrected(TASK="No task.", FORMAT="No format."), "parallel")
    second = CORRECTING.pack(corrected(CONTEXT="No context."), "parallel")
    batch = collate([first, second])

    def told(row: int, pair: int) -> str:
        return bytes(batch.tokens[row, batch.pairs[row] == pair].tolist()).decode()

    assert [told(0, n) for n in (1, -1, 2, -2)] == [
        'TASK text."', 'No task."', 'FORMAT text."', 'No format."',
    ]  # fmt: skip
    assert [told(1, n) for n in (3, -3)] == ['CONTEXT text."', 'No context."']
    assert not batch.weights[batch.pairs < 0].any()
    assert sum(first.weights) == sum(CORRECTING.even().pack(corrected(), "parallel").weights)


def test_what_was_rejected_is_laid_out_where_it_is_asked_for_only() -> None:
    example = corrected(TASK="No task.")
    for packer, mode in ((CORRECTING, "sequential"), (CORRECTING.even(), "parallel")):
        packed = packer.pack(example, mode)
        assert b"No task" not in bytes(packed.tokens)
        assert not any(packed.pairs)
