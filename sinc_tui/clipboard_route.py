"""Which ways lead to the user's clipboard from where the program runs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Route(StrEnum):
    """A way to the clipboard."""

    TMUX = "tmux"
    NATIVE = "native"
    OSC52 = "osc52"


def remote(environment: Mapping[str, str]) -> bool:
    """Whether the user sits at another machine."""
    return any(environment.get(name) for name in ("SSH_TTY", "SSH_CONNECTION", "SSH_CLIENT"))


def plan(environment: Mapping[str, str]) -> tuple[Route, ...]:
    """The ways to try, in order, in an environment; the terminal, which never refuses, is last."""
    tmux = (Route.TMUX,) if environment.get("TMUX") else ()
    native = () if remote(environment) else (Route.NATIVE,)
    return (*tmux, *native, Route.OSC52)
