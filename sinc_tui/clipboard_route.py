"""Which ways lead to the user's clipboard from where the program runs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Route(StrEnum):
    """A way to the clipboard."""

    TMUX = "tmux"
    NATIVE = "native"
    OSC52 = "osc52"
    BROWSER = "browser"


def remote(environment: Mapping[str, str]) -> bool:
    """Whether the user sits at another machine."""
    return any(environment.get(name) for name in ("SSH_TTY", "SSH_CONNECTION", "SSH_CLIENT"))


def in_browser(environment: Mapping[str, str]) -> bool:
    """Whether the app's screen is a page, drawn through Textual's web driver."""
    return environment.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")


def plan(environment: Mapping[str, str]) -> tuple[Route, ...]:
    """The ways to try, in order, in an environment; the terminal, which never refuses, is last.

    A page has the clipboard of whoever reads it, on whatever machine that is, and takes the terminal's
    sequence. Where it is refused the page itself says so.
    """
    if in_browser(environment):
        return (Route.BROWSER,)
    tmux = (Route.TMUX,) if environment.get("TMUX") else ()
    native = () if remote(environment) else (Route.NATIVE,)
    return (*tmux, *native, Route.OSC52)
