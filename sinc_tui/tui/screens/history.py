"""What ran before: found while one types, looked at, reopened, pinned, deleted."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import Worker, WorkerState

from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.controls import one_line
from sinc_tui.tui.literal import visible
from sinc_tui.tui.screens.dialog import Dialog
from sinc_tui.tui.theme import MUTED
from sinc_tui.tui.widgets.notice import Notice

if TYPE_CHECKING:
    from sinc_tui.history import History, Run
    from sinc_tui.tui.recording import Recorder

T = TypeVar("T")

_MARKS = {"finished": "✓", "stopped": "■", "failed": "✗"}
_KEYS = "⏎ reopens · ↑↓ choose · F2 pin · F8 delete · F1 more · Esc closes"
_ALL = -1
"""Stands for every run that is not pinned, where a run's id is meant otherwise."""


class HistoryScreen(Dialog["Run"]):
    """The list answers to the keys while the search field has the focus."""

    CSS_PATH = "history.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "go('down')", "Next", tooltip="The next run", id="run_next"),
        Binding("up", "go('up')", "Previous", tooltip="The run before", id="run_previous"),
        Binding("pagedown", "go('page_down')", "Page down", show=False, id="run_page_down"),
        Binding("pageup", "go('page_up')", "Page up", show=False, id="run_page_up"),
        Binding("shift+down", "look(3)", "Scroll", tooltip="Scroll the preview", id="look_down"),
        Binding("shift+up", "look(-3)", "Scroll back", show=False, id="look_up"),
        Binding("f2", "pin", "Pin", tooltip="Pin the run, or unpin it", id="pin"),
        Binding("f8,ctrl+delete", "delete", "Delete", tooltip="Delete the run", id="delete"),
        Binding("f9", "purge", "Purge", tooltip="Delete all that are not pinned", id="purge"),
        Binding("ctrl+s", "export", "Export", tooltip="Save all runs as JSON lines", id="export"),
        Binding("f7", "close", "Close", show=False, id="history_close"),
    ]

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder
        self._runs: list[Run] = []
        self._doomed = 0

    def compose(self) -> ComposeResult:
        """The search field, below it the list and the run that is chosen."""
        with Vertical(id="history") as box:
            box.border_title = "History"
            box.border_subtitle = _KEYS
            yield Input(placeholder="Search in prompts and bands", id="history-search")
            yield Notice(id="history-notice")
            with Container(id="history-halves"):
                yield OptionList(id="runs", markup=False)
                with VerticalScroll(id="preview"):
                    yield Static(markup=False)

    def on_mount(self) -> None:
        """The newest runs first."""
        self.query_one("#history-halves").styles.layout = "horizontal"
        self.query_one(OptionList).can_focus = False
        self.query_one("#preview").can_focus = False
        self.find()

    def on_resize(self) -> None:
        """Side by side where there is room."""
        narrow = self.app.size.width < 100
        self.set_class(narrow, "-narrow")
        self.query_one("#history-halves").styles.layout = "vertical" if narrow else "horizontal"

    def on_input_changed(self, _message: Input.Changed) -> None:
        """Search at every key."""
        self.find()

    @work(exclusive=True, group="find", exit_on_error=False)
    async def find(self, chosen: int = 0) -> None:
        """List what the search finds; the run with the id `chosen` stays under the cursor."""
        query = self.query_one(Input).value
        runs = await self._asked(lambda history: history.find(query))
        if runs is None:
            return
        self._runs, self._doomed = runs, 0
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(_row(run)) for run in runs)
        places = [place for place, run in enumerate(runs) if run.id == chosen]
        options.highlighted = places[0] if places else 0 if runs else None
        more = "+" if len(runs) == 200 else ""
        self.query_one("#history").border_title = f"History · {_runs(len(runs), more)}"
        if not runs:
            off = "" if self._recorder.on else " The history is off: F10 has its switch."
            words = (
                "Nothing found." if query else "No runs yet. They are kept on this machine only."
            )
            self._show(Content.styled(words + off, MUTED))

    def on_option_list_option_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        """Show the chosen run."""
        if message.option_index < len(self._runs):
            self._show(_preview(self._runs[message.option_index]))

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """A click reopens."""
        self.dismiss(self._runs[message.option_index])

    def on_input_submitted(self, _message: Input.Submitted) -> None:
        """Enter reopens the chosen run."""
        if run := self._chosen():
            self.dismiss(run)

    def action_go(self, where: str) -> None:
        """Choose among the runs."""
        self._doomed = 0
        self.query_one("#history-notice", Notice).hush()
        options = self.query_one(OptionList)
        with suppress(KeyError):  # a page, before the list was laid out
            getattr(options, f"action_{'cursor_' if where in ('up', 'down') else ''}{where}")()

    def action_look(self, lines: int) -> None:
        """Scroll the preview."""
        self.query_one("#preview").scroll_relative(y=lines, animate=False)

    @work(group="change", exit_on_error=False)
    async def action_pin(self) -> None:
        """Pin or unpin: a pinned run stands at the top, and a purge leaves it."""
        run = self._chosen()
        if run and await self._done(lambda history: history.pin(run.id, not run.pinned)):
            self.find(run.id)

    @work(group="change", exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete, when the key is pressed twice."""
        run = self._chosen()
        if run is None or not self._agreed(run.id, "Delete this run for good?", "F8"):
            return
        at = self._runs.index(run)
        after = self._runs[at + 1] if at + 1 < len(self._runs) else self._runs[at - 1]
        if await self._done(lambda history: history.delete(run.id)):
            self.find(after.id)

    @work(group="change", exit_on_error=False)
    async def action_purge(self) -> None:
        """Delete all that are not pinned, when the key is pressed twice."""
        question = "Delete every run that is not pinned, for good?"
        if self._agreed(_ALL, question, "F9") and await self._done(lambda h: h.purge()):
            self.find()

    def _agreed(self, doomed: int, question: str, key: str) -> bool:
        """Whether the key was pressed before for the same; else it asks."""
        notice = self.query_one("#history-notice", Notice)
        if self._doomed == doomed:
            notice.hush()
            return True
        self._doomed = doomed
        notice.say(question, hint=f"{key} again does. Esc leaves.", tone="warning")
        return False

    def action_export(self) -> None:
        """Save all runs, a line of JSON for each."""
        from sinc_tui.errors import SincError
        from sinc_tui.tui.screens.path import PathScreen

        def check(path: Path) -> None:
            if path.suffix != ".jsonl":
                raise SincError(f"{path.name} has another ending.", hint="End it with .jsonl.")

        def chosen(path: Path | None) -> None:
            if path is not None:
                self._export(path)

        self.app.push_screen(PathScreen("Export", "history.jsonl", check, saving=True), chosen)

    @work(group="change", exit_on_error=False)
    async def _export(self, path: Path) -> None:
        def export(history: History) -> int:
            from sinc_tui.files import save_file
            from sinc_tui.history import as_line

            lines = [as_line(run) for run in history.all()]
            save_file(path, "".join(f"{line}\n" for line in lines))
            return len(lines)

        if (count := await self._asked(export)) is not None:
            self.query_one("#history-notice", Notice).say(f"{path} has {_runs(count)} now.")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The error path of every worker: none fails in silence."""
        if event.state is WorkerState.ERROR:
            self.query_one("#history-notice", Notice).say_bug(event.worker.error)

    async def _done(self, change: Callable[[History], object]) -> bool:
        """Whether a change went well."""
        return await self._asked(lambda history: (change(history),)) is not None

    async def _asked(self, question: Callable[[History], T]) -> T | None:
        """The history's answer; None when there is an error, which is then shown."""
        import asyncio

        from sinc_tui.errors import SincError

        try:
            return await asyncio.wrap_future(self._recorder.ask(question))
        except SincError as error:
            notice = self.query_one("#history-notice", Notice)
            notice.say(error.message, hint=error.hint, tone="error")
            return None

    def _chosen(self) -> Run | None:
        at = self.query_one(OptionList).highlighted
        return self._runs[at] if at is not None and at < len(self._runs) else None

    def _show(self, content: Content) -> None:
        self.query_one("#preview Static", Static).update(content)
        self.query_one("#preview").scroll_home(animate=False)


def _runs(count: int, more: str = "") -> str:
    return f"{count}{more} {'run' if count == 1 else 'runs'}"


def _when(seconds: float) -> str:
    begun, now = time.localtime(seconds), time.localtime()
    if begun[:3] == now[:3]:
        return time.strftime("     %H:%M", begun)
    return time.strftime("%Y-%m-%d", begun)


def _row(run: Run) -> Content:
    mark = "★" if run.pinned else _MARKS.get(run.ended, "…")
    return Content.assemble(
        (f"{mark} ", "$accent" if run.pinned else MUTED),
        (f"{_when(run.created)}  ", MUTED),
        visible(one_line(run.prompt[:200])),
    )


def _preview(run: Run) -> Content:
    ended = "unfinished" if run.ended == "running" else run.ended
    figures = [ended, run.model, run.mode, f"seed {run.seed}" if run.seed else ""]
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.created))
    parts = [when, *filter(None, figures), "edited" if run.edited else ""]
    blocks = [
        Content.styled(" · ".join(filter(None, parts)), MUTED),
        Content(visible(run.prompt)),
        *(
            Content.assemble((band.value, "bold $secondary"), "\n", visible(run.texts[band]))
            for band in Band
            if run.texts[band]
        ),
    ]
    return Content("\n\n").join(blocks)
