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
_REST = 0.05
"""Seconds without a step after which what was seen of the machine is old: a new run begins."""
_RESTED_LOOKS, _RESTED_CALM, _RESTED_APART = 16, 5, 0.001
"""Looks at the machine then, how many of them in a row must find it calm, and seconds between two. Who sent
the prompt, and draws that, is done within that time; a program that computes pauses for less."""
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
        self,
        n_threads: int,
        single: float,
        others: Callable[[], int | None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`single`: seconds that one thread takes for one token, measured; `others` tells how many other
        threads want a core."""
        self._all, self._single, self._clock = n_threads, single, clock
        self._last = clock()
        self._others = others or LoadAverage()
        self._alone = False
        self._calm = 0
        self._patience = _BLIND

    def threads(self) -> int:
        """Threads for a step that begins now."""
        if self._all == 1:
            return 1
        if self._alone and self._clock() - self._last > _REST and self._nobody_is_running():
            self._alone = False
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

    def _nobody_is_running(self) -> bool:
        """Whether nobody else wants a core for a while.

        A run that ended on a busy machine would else leave one thread to read the next one's prompt.
        """
        calm = 0
        for look in range(_RESTED_LOOKS):
            if look:
                time.sleep(_RESTED_APART)
            others = self._others()
            if others is None:
                return False
            calm = 0 if others else calm + 1
            if calm == _RESTED_CALM:
                return True
        return False

    def took(self, seconds: float, tokens: int) -> None:
        """Take the time of a step of so many tokens with the threads last chosen."""
        self._last = self._clock()
        if self._alone or self._all == 1 or seconds <= _STALLED * self._single * tokens:
            return
        self._alone, self._calm = True, 0
        self._patience *= 2
