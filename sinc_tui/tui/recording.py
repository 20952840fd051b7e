"""Writes the session's runs to the history as they happen, beside the screen, never in its way."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sinc_tui.errors import SincError
    from sinc_tui.history import History, Run
    from sinc_tui.tui.results import Result
    from sinc_tui.tui.state import RunState

T = TypeVar("T")


class Recorder:
    """Follows the state. All work on the database is done by one thread, in order.

    Attributes:
        on: whether runs are kept. What was begun while off is not kept later either.
    """

    def __init__(self, failed: Callable[[SincError], None], mode: Callable[[], str]) -> None:
        """`failed` is called from the thread; `mode` says how bands are written."""
        self.on = True
        self._failed = failed
        self._mode = mode
        self._history: History | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._ids: dict[Result, int] = {}
        self._seen: dict[Result, Run] = {}
        self._secret: set[Result] = set()
        self._under_way: Result | None = None
        self._finished = 0

    def look(self, state: RunState) -> None:
        """Store what is new of the run under way: its beginning, every finished band, its end."""
        if state.running:
            finished = len(state.draft.done)
            if state.result is self._under_way and finished == self._finished:
                return
            self._under_way, self._finished = state.result, finished
            if state.result not in self._ids and state.result not in self._secret:
                self._begin(state.result)
            self._store(state.result, state, "running")
        elif self._under_way is not None:
            ended, self._under_way = self._under_way, None
            self._store(ended, state, ended.ended or ("failed" if state.error else "stopped"))

    def look_at_edits(self, state: RunState) -> None:
        """Store what the reader changed in the result in view."""
        if not state.running:
            self._store(state.result, state, state.result.ended or "stopped")

    def look_last(self, state: RunState) -> None:
        """The app is quit, in mid-run perhaps: store all that there is."""
        self._store(state.result, state, state.result.ended or "stopped")

    def adopt(self, result: Result, run: Run) -> None:
        """A run of the history was reopened: its edits go back to where it came from."""
        self._ids[result] = run.id
        self._seen[result] = run

    def ask(self, question: Callable[[History], T]) -> Future[T]:
        """Let the thread put a question to the history, behind what is being written."""
        return self._pool().submit(lambda: question(self._opened()))

    def close(self) -> None:
        """Write what is still to be written, then end."""
        if self._thread is not None:
            self._thread.shutdown(wait=True)
        if self._history is not None:
            self._history.close()

    def _begin(self, result: Result) -> None:
        if self.on:
            self._ids[result] = 0
        else:
            self._secret.add(result)

    def _store(self, result: Result, state: RunState, ended: str) -> None:
        if not self.on or result not in self._ids or not result.prompt.strip():
            return
        run = self._run(result, state, ended)
        if run != self._seen.get(result):
            self._seen[result] = run
            self._pool().submit(self._save, result, run)

    def _run(self, result: Result, state: RunState, ended: str) -> Run:
        from sinc_tui.history import Run
        from sinc_tui.sinc.bands import Band

        before = self._seen.get(result)
        texts = result.draft.texts
        if ended == "running":
            texts = {b: text if b in result.draft.done else "" for b, text in texts.items()}
        return Run(
            prompt=result.prompt,
            id=before.id if before else 0,
            created=before.created if before else 0.0,
            texts=dict(texts),
            done=frozenset(result.draft.done & set(Band)),
            written=dict(result.written),
            model=before.model
            if before and before.model
            else state.info.name
            if state.info
            else "",
            seed=result.seed,
            mode=before.mode if before else self._mode(),
            ended=ended,
            pinned=before.pinned if before else False,
        )

    def _save(self, result: Result, run: Run) -> None:
        """In the thread: a failure is told, and the next change is tried anew."""
        from dataclasses import replace

        from sinc_tui.errors import SincError

        try:
            self._ids[result] = self._opened().save(replace(run, id=self._ids[result]))
        except SincError as error:
            self._failed(error)
        except Exception as error:
            self._failed(SincError(f"The run is not in the history: {error}."))

    def _opened(self) -> History:
        if self._history is None:
            from sinc_tui import paths
            from sinc_tui.history import History

            self._history = History(paths.history_file())
        return self._history

    def _pool(self) -> ThreadPoolExecutor:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="history")
        return self._thread
