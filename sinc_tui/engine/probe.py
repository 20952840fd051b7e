"""Asking the installed llama.cpp build what it can do, in a process that it may crash."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from sinc_tui.engine.plan import Device

PROBE = (sys.executable, "-P", "-m", "sinc_tui.engine.llama_probe")
_SECONDS = 60.0
"""How long it may take: a driver that wakes a GPU needs some of it."""


@dataclass(frozen=True, slots=True)
class Build:
    """The installed llama-cpp-python.

    Attributes:
        version: its own; empty when it could not be asked.
        folder: where it is installed.
        gpu: whether it was built with a GPU backend.
        features: what llama.cpp says of the processor's features that it uses.
        devices: what it can compute on.
        trouble: why it could not be asked, one line; empty when all went well.
        missing: whether the trouble is that it is not installed.
    """

    version: str = ""
    folder: str = ""
    gpu: bool = False
    features: str = ""
    devices: tuple[Device, ...] = ()
    trouble: str = ""
    missing: bool = False


def probe(command: Sequence[str] = PROBE, *, seconds: float = _SECONDS) -> Build:
    """Ask; never raises for what the child does."""
    try:
        ran = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return Build(trouble=f"It did not answer within {seconds:g} s.")
    except OSError as error:
        return Build(trouble=f"It could not be asked: {error}.")
    if ran.returncode:
        lines = ran.stderr.decode(errors="replace").strip().splitlines()
        missing = any("No module named 'llama_cpp'" in line for line in lines[-1:])
        return Build(trouble=_cause(ran.returncode, lines), missing=missing)
    try:
        answer = json.loads(ran.stdout)
        devices = tuple(Device(**device) for device in answer.pop("devices"))
        return Build(**answer, devices=devices)
    except (ValueError, TypeError, KeyError):
        return Build(trouble=f"It answered something unreadable: {ran.stdout[:80]!r}.")


def _cause(code: int, lines: Sequence[str]) -> str:
    if code < 0:
        known = {member.value: member.name for member in signal.Signals}
        return f"It crashes when it is imported ({known.get(-code, f'signal {-code}')})."
    return f"It cannot be imported: {lines[-1] if lines else f'exit code {code}'}."
