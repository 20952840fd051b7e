"""The prompt of a model that was not trained for this job."""

from __future__ import annotations

from typing import Any

import pytest

from sinc_tui.engine.layout import SYSTEM
from sinc_tui.engine.untrained import (
    EXAMPLE_BANDS,
    EXAMPLE_PROMPT,
    example_answer,
    layout_of_untrained,
)
from sinc_tui.sinc.grounding import ground
from sinc_tui.sinc.rulesets import RULESETS, problems
from tests.support.hostile_runtime import ByteTokenizer

OWN, FALLBACK = "own template with a worked example", "chatml with a worked example"
TURNS = (
    "{% for message in messages %}[{{ message.role }}]\n{{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]\n{% endif %}"
)
NO_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + TURNS
)


class Vocab(ByteTokenizer):
    """A vocabulary that may want a first token."""

    def __init__(self, leading: list[int]) -> None:
        self._leading = leading

    def leading(self) -> list[int]:
        return self._leading


class Model:
    """A model of which only the chat template is known."""

    def __init__(self, template: str | None) -> None:
        self._template = template

    def metadata(self, key: str) -> str | None:
        return self._template if key == "tokenizer.chat_template" else None


def layout(template: str | None) -> tuple[str, str]:
    """Name of the layout, and the whole prompt for `hi` as text."""
    model: Any = Model(template)
    tokenizer: Any = Vocab([])
    found = layout_of_untrained(model, tokenizer)
    return found.name, bytes(found.prompt(tokenizer, "hi")).decode()


def test_the_worked_example_is_a_good_document() -> None:
    assert {rules: problems(example_answer(), rules) for rules in RULESETS} == {
        rules: [] for rules in RULESETS
    }
    grounding = ground(EXAMPLE_PROMPT, EXAMPLE_BANDS)
    assert (grounding.lost, grounding.invented) == ([], [])


def test_its_own_template() -> None:
    assert layout(TURNS) == (
        OWN,
        f"[system]\n{SYSTEM}\n[user]\n{EXAMPLE_PROMPT}\n[assistant]\n{example_answer()}\n"
        "[user]\nhi\n[assistant]\n",
    )


def test_a_template_that_takes_no_system_turn() -> None:
    name, text = layout(NO_SYSTEM)
    assert name == OWN
    assert text.startswith(f"[user]\n{EXAMPLE_PROMPT}\n")
    assert text.endswith("[user]\nhi\n[assistant]\n")


@pytest.mark.parametrize(
    "template",
    [
        None,
        "",
        "{% for message in messages %}",
        "{{ messages[0].nothing.at.all }}",
        "{{ 1 / 0 }}",
        "{{ messages['x' * 3 + 1] }}",
        "{% for i in range(10 ** 9) %}x{% endfor %}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os.system('true') }}",
        "the prompt is dropped",
        "{{ raise_exception('never') }}",
        "{% include 'other' %}",
    ],
)
def test_a_template_that_cannot_be_used(template: str | None) -> None:
    name, text = layout(template)
    assert name == FALLBACK
    assert f"<|im_start|>user\n{EXAMPLE_PROMPT}<|im_end|>" in text
    assert text.endswith("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n")


@pytest.mark.parametrize("template", [TURNS, None])
def test_the_token_that_the_model_expects_first(template: str | None) -> None:
    model: Any = Model(template)
    vocabularies: list[Any] = [Vocab([1]), Vocab([])]
    with_first, without = (layout_of_untrained(model, vocab) for vocab in vocabularies)
    assert with_first.before == (1, *without.before)
    assert with_first.after == without.after
