"""Asking a server that may be slow, busy or away, by somebody who may lose patience."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sinc_tui.models.download_errors import unreachable
from sinc_tui.models.transfer import DownloadOptions
from sinc_tui.models.wire import Retry

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks until there is an answer, a few times.

    Attributes:
        name: of the model, for messages.
        check: called all the while; what it raises ends the asking at once.
        tell: hears what goes wrong, empty for nothing.
    """

    name: str
    options: DownloadOptions
    check: Callable[[], None] = lambda: None
    tell: Callable[[str], None] = lambda _: None

    def ask(self, question: Callable[[], _Answer]) -> _Answer:
        """The answer; raises what the question raises, and `SincError` for too many `Retry`."""
        options, failures = self.options, 0
        self.tell("")
        while True:
            try:
                return self._interruptibly(question)
            except Retry as trouble:
                failures += 1
                wait = options.pause(failures, trouble.after)
                if failures >= options.attempts or wait > options.longest_wait:
                    raise unreachable(self.name, trouble) from None
                self.tell(f"{trouble.reason}; trying again in {wait:.0f} s")
            self._wait(threading.Event(), wait)

    def _interruptibly(self, question: Callable[[], _Answer]) -> _Answer:
        """Call in a thread that is left to itself when nobody wants to wait for it any more."""
        answers: list[_Answer] = []
        failures: list[BaseException] = []
        ended = threading.Event()

        def work() -> None:
            try:
                answers.append(question())
            except BaseException as error:
                failures.append(error)
            ended.set()

        threading.Thread(target=work, daemon=True).start()
        self._wait(ended, None)
        if failures:
            raise failures[0]
        return answers[0]

    def _wait(self, event: threading.Event, seconds: float | None) -> None:
        """Wait for an event, at most so long; `check` is called in between."""
        step = self.options.interval
        while seconds is None or seconds > 0:
            self.check()
            if event.wait(step if seconds is None else min(step, seconds)):
                return
            seconds = None if seconds is None else seconds - step
