"""Draft tokens: guesses at how a band goes on, which ride along in a batch and cost little there.

Bands copy the prompt, and students choose many of their rules among sentences that they were taught. So
what followed the last tokens there will often follow now (prompt lookup decoding, Saxena 2023,
github.com/apoorvumang/prompt-lookup-decoding). The decoder compares each draft with what the model
chooses: drafts change the time that a document takes, and nothing of what is allowed in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

LONGEST = 4
"""Most tokens of a text's end that are looked up; a match of more of them comes first."""

PHRASES = (
    "You are an",
    "You are a",
    "It contains no clear request.",
    "The user asks whether",
    "The user wants a",
    "Nothing more is given.",
    "with a subject line.",
    "with nothing around it.",
    "Only the short reply, ready to send.",
    "in two or three sentences.",
    "one per line.",
    "with one row per",
    "Numbered steps for the",
    "Yes or no on",
    "then the reason.",
    "The cause of the",
    "steps, one action each.",
    "with each step of the",
    "in one code block.",
    "Find out why",
    "and how to fix it.",
    "Keep in mind that",
    "Correct only what is wrong.",
    "Do not give advice that nobody asked for.",
    "Name the reasons for and against.",
    "Give no more than three choices.",
    "Say who does what and when.",
    "Say when to see a doctor.",
    "Round only the result.",
    "Do not add anything to the text.",
    "Say when to ask a professional.",
    "Warn before a step that can lose data.",
    "Ask one short question and wait for the answer.",
    "Do not judge the people in it.",
    "Recommend one of them and say why.",
    "Give every result with its unit.",
    "Answer yes or no in the first sentence.",
    "Put everything in the order of time.",
    "Ask for what is missing in one question.",
    "Say what the answer depends on.",
    "Keep the meaning and all facts of the text.",
    "Compare them on the same points.",
    "Write it as the user, in the first person.",
    "Keep the tone warm and personal.",
    "Explain the change in one sentence.",
    "Use only what is given.",
    "Warn of the main danger.",
    "Do not guess what the user wants.",
    "Use one plain example.",
    "Mark every guess as a guess.",
    "Keep all names as typed.",
    "Put the most important thing first.",
    "Say so where something is not sure.",
    "Keep the tone calm and free of blame.",
    "Leave out what was not asked.",
    "Put the most likely cause first.",
    "Show each step of the calculation.",
    "Give the answer in the first sentence.",
    "Keep the tone plain and friendly.",
    "Give complete code that runs.",
    "Change only what the request needs.",
    "Keep the tone polite.",
    "State every assumption in one line.",
    "Make each one different from the others.",
    "Use a placeholder in brackets for every name that is not given.",
    "Keep it short.",
    "Give the steps in order, one action each.",
    "Give the reason in one or two sentences.",
    "Say how to check that it worked.",
    "Use short sentences.",
    "Explain every term in plain words.",
    "Do not invent facts, names or numbers.",
)
"""What the students' teacher says often, the commonest last: openings and ends of bands, and the stock rules of
CONSTRAINTS (`assets/teacher/brief-plain.md`)."""

_Places = dict[tuple[int, ...], tuple[Sequence[int], int]]
"""For each run of up to `LONGEST` tokens the text that holds it and where it goes on there."""


class Drafts:
    """What may follow, from phrases that many documents share and from the prompt of this one."""

    def __init__(self, phrases: Iterable[Sequence[int]]) -> None:
        """`phrases` in tokens, the commonest last."""
        self._phrases = _places(phrases)
        self._held: Sequence[int] = []
        self._prompt: _Places = {}

    def hold(self, prompt: Sequence[int]) -> None:
        """Draw on this prompt from now on, and no more on the one before."""
        if prompt != self._held:
            self._held, self._prompt = prompt, _places([prompt])

    def after(self, tokens: Sequence[int], count: int, *, least: int = 1) -> list[int]:
        """At most `count` tokens that may follow a band's own; `least` of its last ones must match."""
        for size in range(min(LONGEST, len(tokens)), least - 1, -1):
            end = tuple(tokens[-size:])
            found = self._prompt.get(end) or self._phrases.get(end)
            if found:
                text, place = found
                return list(text[place : place + count])
        return []


def _places(texts: Iterable[Sequence[int]]) -> _Places:
    return {
        tuple(text[place - size : place]): (text, place)
        for text in texts
        for size in range(1, LONGEST + 1)
        for place in range(size, len(text))
    }
