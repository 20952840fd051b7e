"""Prompt and answer in tokens: the very text of the document, and no control token from the user."""

from __future__ import annotations

import json

import llama_cpp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinc_tui.engine.layout import SYSTEM, Tokenizer, chatml, escape, lines
from sinc_tui.engine.llama_runtime import LlamaRuntime
from sinc_tui.engine.llama_vocab import LlamaVocab
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.sinc.rulesets import problems
from tests.support.hostile_runtime import ByteTokenizer

TEXTS = {
    Band.PERSONA: 'You are a "careful" editor.',
    Band.CONTEXT: "C:\\new\\table {} [] 日本 🙂",
    Band.DATA: "12; a/b; é",
    Band.CONSTRAINTS: "Keep everything as it is typed. Add nothing. Say what is missing.",
    Band.FORMAT: "One line.",
    Band.TASK: "Fix line 3.",
}
LOOK_ALIKES = [
    "<|im_end|>",
    "<|im_start|>system\n",
    "<|endoftext|>",
    "<file_sep>",
    "</s>",
    "<|fim_middle|>",
]


class Spelled:
    """A tokenizer together with what its tokens spell."""

    def __init__(self, tokenizer: Tokenizer, pieces: list[bytes]) -> None:
        self.tokenizer, self.pieces = tokenizer, pieces

    def spell(self, tokens: tuple[int, ...] | list[int]) -> bytes:
        return b"".join(self.pieces[token] for token in tokens)


@pytest.fixture(params=["bytes", "llama"])
def spelled(request: pytest.FixtureRequest) -> Spelled:
    if request.param == "bytes":
        return Spelled(ByteTokenizer(), [bytes([byte]) for byte in range(256)])
    vocab: LlamaVocab = request.getfixturevalue("llama_vocab")
    return Spelled(vocab, vocab.pieces())


def test_the_scaffold_spells_the_document(spelled: Spelled) -> None:
    scaffold = chatml(spelled.tokenizer).scaffold
    tokens, fixed = list(scaffold.head), len(scaffold.head)
    for band, text in TEXTS.items():
        end = scaffold.separator if band is not Band.TASK else scaffold.tail
        own = [*scaffold.openers[band], *scaffold.quote, *end]
        tokens += [*scaffold.openers[band], *spelled.tokenizer.encode(escape(text))]
        tokens += [*scaffold.quote, *end]
        fixed += len(own)
    spelled_out = spelled.spell(tokens).decode()
    document = SincDocument.from_bands(TEXTS)
    assert spelled_out == json.dumps(document.model_dump(mode="json"), ensure_ascii=False)
    assert problems(spelled_out) == []
    assert fixed <= scaffold.size <= fixed + len(scaffold.separator)


def test_the_prompt_stands_between_its_turn_marks(spelled: Spelled) -> None:
    layout = chatml(spelled.tokenizer)
    tokens = layout.prompt(spelled.tokenizer, "fix line 3")
    assert tokens == [*layout.before, *spelled.tokenizer.encode("fix line 3"), *layout.after]


def test_chatml() -> None:
    tokenizer = ByteTokenizer()
    assert bytes(chatml(tokenizer).prompt(tokenizer, "hi")).decode() == (
        f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    example = chatml(tokenizer, example=("a prompt", "an answer"))
    assert bytes(example.prompt(tokenizer, "hi")).decode() == (
        f"<|im_start|>system\n{SYSTEM}<|im_end|>\n"
        "<|im_start|>user\na prompt<|im_end|>\n<|im_start|>assistant\nan answer<|im_end|>\n"
        "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
    )
    assert example.name != chatml(tokenizer).name


def test_lines(spelled: Spelled) -> None:
    layout = lines(spelled.tokenizer)
    scaffold, tokens = layout.scaffold, []
    for band, text in TEXTS.items():
        tokens += [*scaffold.openers[band], *spelled.tokenizer.encode(escape(text))]
        tokens += [*scaffold.quote, *scaffold.separator]
    assert (scaffold.head, scaffold.tail) == ((), ())
    assert spelled.spell(tokens).decode() == "".join(
        f"{band}: {json.dumps(text, ensure_ascii=False)}\n" for band, text in TEXTS.items()
    )
    asked = bytes(lines(ByteTokenizer()).prompt(ByteTokenizer(), "hi")).decode()
    assert asked == "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"


def controls(vocab: LlamaVocab, model: object) -> dict[int, str]:
    """The control tokens of a model and their names."""
    inner = llama_cpp.llama_model_get_vocab(model)
    return {
        token: llama_cpp.llama_vocab_get_text(inner, token).decode()
        for token in range(vocab.size)
        if llama_cpp.llama_vocab_get_attr(inner, token) & llama_cpp.LLAMA_TOKEN_ATTR_CONTROL
    }


def test_what_looks_like_a_control_token_becomes_plain_ones(
    llama: LlamaRuntime, llama_vocab: LlamaVocab
) -> None:
    names, pieces = controls(llama_vocab, llama.model), llama_vocab.pieces()
    assert len(names) > 10
    assert all(pieces[token] == b"" for token in names)
    for text in [*names.values(), *LOOK_ALIKES, f"a{''.join(names.values())}b"]:
        tokens = llama_vocab.encode(text)
        assert names.keys().isdisjoint(tokens), text
        assert b"".join(pieces[token] for token in tokens) == text.encode()
    for token, name in names.items():
        assert llama_vocab.control(name) == [token], "the layout's own marks are control tokens"


@pytest.mark.parametrize("prompt", ["hi", *LOOK_ALIKES, "".join(LOOK_ALIKES) * 20])
def test_no_prompt_changes_the_number_of_control_tokens(
    llama: LlamaRuntime, llama_vocab: LlamaVocab, prompt: str
) -> None:
    names, layout = controls(llama_vocab, llama.model), chatml(llama_vocab)
    marks = [token for token in layout.prompt(llama_vocab, "") if token in names]
    assert len(marks) == 5
    assert [t for t in layout.prompt(llama_vocab, prompt) if t in names] == marks


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"], include_characters="\n\t"),
        max_size=60,
    )
)
def test_any_text_survives_tokenizing(llama_vocab: LlamaVocab, text: str) -> None:
    """But for some control characters and unassigned code points, whose bytes the vocabulary lacks."""
    pieces = PIECES.setdefault(id(llama_vocab), llama_vocab.pieces())
    tokens = llama_vocab.encode(text)
    assert b"".join(pieces[token] for token in tokens) == text.encode()


PIECES: dict[int, list[bytes]] = {}
"""Pieces by vocabulary: getting all of them takes a while."""


@given(st.text())
def test_escape_is_the_inside_of_a_json_string(text: str) -> None:
    assert json.loads(f'"{escape(text)}"') == text


def test_end_of_generation(llama_vocab: LlamaVocab) -> None:
    (end,) = llama_vocab.control("<|im_end|>")
    (word,) = llama_vocab.encode("the")
    assert llama_vocab.end_of_generation(end)
    assert not llama_vocab.end_of_generation(word)
