"""The tools that agents see: names and arguments as in sinc-llm, where it has them."""

from __future__ import annotations

from typing import Any

from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.rulesets import RULESETS

INSTRUCTIONS = (
    "Turns a careless prompt into a sinc document: six bands (PERSONA, CONTEXT, DATA, CONSTRAINTS, "
    "FORMAT, TASK) as JSON. A small local model writes it; nothing leaves the machine. Check what "
    "CONSTRAINTS says before you rely on it."
)

_ABOUT = {
    Band.PERSONA: "Who should answer.",
    Band.CONTEXT: "The situation as given, and what is unknown.",
    Band.DATA: "The concrete inputs, word for word.",
    Band.CONSTRAINTS: "The rules; must be the longest band.",
    Band.FORMAT: "The shape of the answer.",
    Band.TASK: "One imperative sentence.",
}
_DOCUMENT = {
    "description": "The sinc document, as an object or as JSON text.",
    "type": ["object", "string"],
}


def _tool(name: str, title: str, about: str, required: list[str], **given: Any) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "description": about,
        "inputSchema": {
            "type": "object",
            "properties": given,
            "required": required,
            "additionalProperties": False,
        },
        "annotations": {"readOnlyHint": True, "openWorldHint": False},
    }


TOOLS = [
    _tool(
        "sinc_scatter",
        "Rewrite a prompt",
        "Turn a raw prompt into a valid sinc document of six bands, offline, in some seconds.",
        ["prompt"],
        prompt={"type": "string", "description": "The raw prompt."},
        seed={
            "type": "integer",
            "minimum": 0,
            "description": "0, the default, gives the likeliest text; any other a variation.",
        },
        temperature={"type": "number", "minimum": 0, "maximum": 5},
        decode={
            "enum": ["sequential", "parallel"],
            "description": "One band after the other, or side by side, which is faster.",
        },
    ),
    _tool(
        "sinc_snr",
        "Grade a document",
        "The signal-to-noise figure of a sinc document, and what is wrong with it. The figure looks "
        "at lengths alone.",
        ["sinc_json"],
        sinc_json=_DOCUMENT,
    ),
    _tool(
        "sinc_validate",
        "Check a document",
        "Whether a sinc document is valid, and if not, why.",
        ["sinc_json"],
        sinc_json=_DOCUMENT,
        rules={"enum": list(RULESETS), "description": "Whose rules; sinc-tui's are the strictest."},
    ),
    _tool(
        "sinc_build",
        "Build a document",
        "Put six texts together to a valid sinc document, or say which rules they break.",
        [band.lower() for band in Band],
        **{band.lower(): {"type": "string", "description": _ABOUT[band]} for band in Band},
    ),
]
"""As `tools/list` answers them."""
