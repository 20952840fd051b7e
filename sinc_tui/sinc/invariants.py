"""The invariants of a sinc document, as one registry of checks (stub)."""
from __future__ import annotations
from dataclasses import dataclass
from enum import StrEnum
from sinc_tui.sinc.draft import Draft

class Status(StrEnum):
    PENDING = "pending"
    PASS = "pass"
    FAIL = "fail"

@dataclass(frozen=True, slots=True)
class Verdict:
    """id: 'json' | 'bands' | 'constraints_longest' | 'task_one_sentence' | 'formula'; reason in words."""
    id: str
    status: Status
    reason: str

def check(draft: Draft) -> list[Verdict]:
    raise NotImplementedError
