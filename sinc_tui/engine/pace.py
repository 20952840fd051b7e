"""Choosing the number of threads by how busy the machine is.

llama.cpp's threads wait for each other a thousand times a token. Where another program holds one of their
cores, each wait can last a whole time slice: then two threads take seconds for a token that one thread
writes in milliseconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

_STALLED = 6.0
"""A step slower than one thread alone by this factor: the threads wait for each other."""
_CALM = 3
"""Steps in a row during which nothing else ran, before all threads are used again."""
_LOOKS, _APART = 4, 0.0003
"""Looks at a busy machine, and seconds between two of them, before one thread alone goes on."""
_BLIND = 256
"""Where nobody tells what else runs: steps until all threads are tried again, doubled at each stall."""
_LOADAVG = Path("/proc/loadavg")


class LoadAverage:
    """The kernel's count of threads that want a core. The file stays open: it is read before every step."""

    def __init__(self, path: Path = _LOADAVG) -> None:
        self._file = path.open("rb", buffering=0) if path.exists() else None

    def __call__(self) -> int | None:
        """Such threads now, the calling one not counted; None where the system does not tell."""
        if self._file is None:
            return None
        try:
            self._file.seek(0)
            return int(self._file.read(64).split()[3].partition(b"/")[0]) - 1
        except (OSError, ValueError, IndexError):
            return None


class Pace:
    """Threads for the next step: all, or one while the machine is busy."""

    def __init__(
        self, n_threads: int, single: float, others: Callable[[], int | None] | None = None
    ) -> None:
        """`single`: seconds that one thread takes for one token, measured; `others` tells how many other
        threads want a core."""
        self._all, self._single = n_threads, single
        self._others = others or LoadAverage()
        self._alone = False
        self._calm = 0
        self._patience = _BLIND

    def threads(self) -> int:
        """Threads for a step that begins now."""
        if self._all == 1:
            return 1
        if not self._alone:
            self._alone, self._calm = self._every_core_is_wanted(), 0
            return 1 if self._alone else self._all
        others = self._others()
        if others is None or others == 0:
            self._calm += 1
            if self._calm >= (self._patience if others is None else _CALM):
                self._alone = False
        else:
            self._calm = 0
        return 1 if self._alone else self._all

    def _every_core_is_wanted(self) -> bool:
        """Whether it is so for a while: a kernel thread that wakes for a moment is no competitor."""
        for look in range(_LOOKS):
            if look:
                time.sleep(_APART)
            others = self._others()
            if others is None or others < self._all:
                return False
        return True

    def took(self, seconds: float, tokens: int) -> None:
        """Take the time of a step of so many tokens with the threads last chosen."""
        if self._alone or self._all == 1 or seconds <= _STALLED * self._single * tokens:
            return
        self._alone, self._calm = True, 0
        self._patience *= 2
