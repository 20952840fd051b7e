"""Teacher examples, as the answers that a test's teacher gives."""

from __future__ import annotations

import json
from dataclasses import replace

from sinc_tui.distill.dataset import load_examples, sampled

EXAMPLES = {e.prompt: e for e in sampled(load_examples("plain"), 9)}
PROMPTS = [replace(e, bands={}) for e in EXAMPLES.values()]
FIRST = PROMPTS[0].prompt


def answer(prompt: str) -> str:
    """A valid answer."""
    return json.dumps({band.value: text for band, text in EXAMPLES[prompt].bands.items()})


def broken(prompt: str) -> str:
    """One whose TASK has two sentences."""
    return json.dumps(json.loads(answer(prompt)) | {"TASK": "Do it. Then stop."})
