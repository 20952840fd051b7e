"""The prompt of a model that was never trained for this job: its own chat template, and one worked example."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sinc_tui.engine import layout
from sinc_tui.engine.layout import DOCUMENT, QUOTE, SYSTEM, Layout, Scaffold, escape
from sinc_tui.sinc.bands import Band

if TYPE_CHECKING:
    from sinc_tui.engine.llama_runtime import LlamaRuntime
    from sinc_tui.engine.llama_vocab import LlamaVocab

_MARK = "\N{OBJECT REPLACEMENT CHARACTER}prompt\N{OBJECT REPLACEMENT CHARACTER}"

EXAMPLE_PROMPT = (
    "sql query top 10 customers by revenue in 2024, tables orders(id, customer_id, total, created_at) "
    "and customers(id, name)"
)
EXAMPLE_BANDS = {
    Band.PERSONA: "You are a SQL developer who checks joins and date limits.",
    Band.CONTEXT: "The user wants a SQL query for the top 10 customers by revenue in 2024. Not given: "
    "the database, how refunds are stored, how ties are handled.",
    Band.DATA: "top 10 customers; revenue in 2024; orders(id, customer_id, total, created_at); "
    "customers(id, name).",
    Band.CONSTRAINTS: "Use only the tables orders and customers with the given columns. Keep orders "
    "from 2024 with a half-open range on created_at. Use sum of total as revenue for each customer. "
    "Give exactly 10 rows, sorted by revenue from high to low. State how ties at rank 10 are handled. "
    "Do not use features of one database only.",
    Band.FORMAT: "One SQL code block, then two sentences on the assumptions.",
    Band.TASK: "Write a SQL query that lists the top 10 customers by revenue in 2024.",
}


def example_answer() -> str:
    """The worked example's document, in the very form that the decoder lays it out."""
    bands = [DOCUMENT.opens(band) + escape(EXAMPLE_BANDS[band]) + QUOTE for band in Band]
    return DOCUMENT.head + DOCUMENT.separator.join(bands) + DOCUMENT.tail


def layout_of_untrained(runtime: LlamaRuntime, vocab: LlamaVocab) -> Layout:
    """The model's own chat template around the prompt; ChatML where it has none that can be rendered."""
    template = runtime.metadata("tokenizer.chat_template")
    rendered = _render(template) if template else None
    if rendered is None:
        own = layout.chatml(vocab, example=(EXAMPLE_PROMPT, example_answer()))
    else:
        before, after = (tuple(vocab.control(text)) for text in rendered)
        scaffold = Scaffold.of(vocab, DOCUMENT)
        own = Layout("own template with a worked example", before, after, scaffold)
    return replace(own, before=(*vocab.leading(), *own.before))


def _render(template: str) -> tuple[str, str] | None:
    """Text before and after the raw prompt; None where the template fails or drops the prompt."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    turns = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": EXAMPLE_PROMPT},
        {"role": "assistant", "content": example_answer()},
        {"role": "user", "content": _MARK},
    ]
    for messages in (turns, turns[1:]):
        try:
            text = environment.from_string(template).render(
                messages=messages, add_generation_prompt=True, bos_token="", eos_token=""
            )
        except Exception:  # a foreign program: it can fail in any way
            continue
        before, mark, after = text.partition(_MARK)
        if mark:
            return before, after
    return None
