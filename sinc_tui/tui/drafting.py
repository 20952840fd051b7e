"""Writes the draft of the prompt beside the screen: a busy disk must not hold up the keys."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sinc_tui.drafts import Drafts


class DraftWriter:
    """Keeps the newest text that it is given; all writing is done by one thread, in order."""

    def __init__(self, drafts: Drafts, failed: Callable[[OSError], None]) -> None:
        """`failed` is called from the thread."""
        self._drafts, self._failed = drafts, failed
        self._wanted: str | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="draft")

    def keep(self, text: str) -> None:
        """Write a text soon, unless it is what was written last."""
        if text != self._wanted:
            self._wanted = text
            self._thread.submit(self._write, text)

    def close(self) -> None:
        """Return when all is written."""
        self._thread.shutdown(wait=True)

    def _write(self, text: str) -> None:
        """In the thread: a text that is not the newest any more is left out, a failure is tried again."""
        if text != self._wanted:
            return
        try:
            self._drafts.keep(text)
        except OSError as error:
            self._wanted = None
            self._failed(error)
