"""Documents that the tests of the format share."""

from __future__ import annotations

import pytest

from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument

TEXTS = {
    Band.PERSONA: "You are a backend engineer who debugs Python web services.",
    Band.CONTEXT: "A Django API fails after today's deploy; the cause is unknown.",
    Band.DATA: 'Error rate 12%. Traceback: KeyError: "email" in C:\\app\\views.py, line 3.',
    Band.CONSTRAINTS: "Keep the schema. Keep every endpoint compatible. Add no dependency. "
    "State the cause before the fix. Cite file and line for every claim.",
    Band.FORMAT: "One sentence with the cause, then a diff, then the test command.",
    Band.TASK: "Fix the KeyError that the users endpoint raises.",
}


@pytest.fixture
def texts() -> dict[Band, str]:
    """Six texts that keep every invariant; the test may change them."""
    return dict(TEXTS)


@pytest.fixture
def document(texts: dict[Band, str]) -> SincDocument:
    """A valid document with quotes and backslashes in it."""
    return SincDocument.from_bands(texts)
