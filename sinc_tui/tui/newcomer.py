"""Who is new here, and is shown around once."""

from __future__ import annotations

from contextlib import suppress

from sinc_tui import paths
from sinc_tui.errors import NoFolder


def is_new() -> bool:
    """Whether nothing is here that somebody who used the app would have left."""
    left = (paths.tour_seen(), paths.settings_file(), paths.history_file(), paths.drafts())
    return not any(path.exists() for path in left)


def remember() -> None:
    """The tour is shown now, and not again; where this cannot be written, it may be."""
    with suppress(OSError, NoFolder):
        paths.tour_seen().touch()
