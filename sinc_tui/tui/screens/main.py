"""The one working screen: prompt above, six bands below, badges between, figures at the foot."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer
from textual.worker import Worker, WorkerState

from sinc_tui.tui.session import Engine, Session
from sinc_tui.tui.state import RunState
from sinc_tui.tui.widgets.badges import Badges
from sinc_tui.tui.widgets.bands import Bands
from sinc_tui.tui.widgets.brand import Brand
from sinc_tui.tui.widgets.notice import Notice
from sinc_tui.tui.widgets.prompt_editor import PromptEditor
from sinc_tui.tui.widgets.reasons import Reasons
from sinc_tui.tui.widgets.status_bar import StatusBar

if TYPE_CHECKING:
    from sinc_tui.engine.protocol import RunStats
    from sinc_tui.tui.copying import CopyChoice

_FRAME = 1 / 20
"""Seconds between two drawings of a stream; deltas in between are drawn together."""


class MainScreen(Screen[None]):
    """Turns keys into runs, and the session's state into what the widgets show."""

    AUTO_FOCUS = "#prompt"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+r,f5",
            "run",
            "Run",
            tooltip="Run: write the six bands of the prompt",
            priority=True,
            id="run",
            key_display="⏎",
        ),
        Binding(
            "escape",
            "stop",
            "Stop",
            tooltip="Stop, and keep what is there",
            id="stop",
            key_display="esc",
        ),
        Binding(
            "ctrl+y",
            "copy_json",
            "Copy JSON",
            tooltip="Copy the document as JSON",
            priority=True,
            id="copy_json",
        ),
        Binding(
            "ctrl+e",
            "copy_as",
            "Copy as…",
            tooltip="Copy in another format, or one band",
            priority=True,
            id="copy_as",
        ),
        Binding(
            "ctrl+n",
            "new_prompt",
            "New prompt",
            tooltip="Clear prompt and bands; ^z brings it back",
            priority=True,
            id="new_prompt",
        ),
        Binding("f1", "help", "Help", tooltip="Show the keys", priority=True, id="help"),
        Binding("ctrl+q", "app.quit", "Quit", tooltip="Leave sinc-tui", priority=True, id="quit"),
    ]

    def __init__(self, connect: Callable[[], Engine]) -> None:
        super().__init__()
        self.session = Session(connect, self._changed)
        self._prompt = PromptEditor(id="prompt")
        self._badges = Badges()
        self._reasons = Reasons()
        self._bands = Bands(id="bands")
        self._error = Notice(id="error")
        self._notice = Notice(id="notice")
        self._status = StatusBar()
        self._drawing = False
        self._noted: RunStats | None = None

    @property
    def state(self) -> RunState:
        """What the screen shows."""
        return self.session.state

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield Brand(id="brand")
        yield self._prompt
        yield self._badges
        yield self._reasons
        yield self._bands
        yield self._error
        yield self._notice
        yield self._status
        yield Footer(id="keys", show_command_palette=False)

    def on_mount(self) -> None:
        """Paint first, then load the model."""
        self.call_after_refresh(self._load)
        self._clock = self.set_interval(0.1, self._tick, pause=True)

    async def on_unmount(self) -> None:
        """The engine ends with the screen."""
        await self.session.close()

    def on_screen_resume(self) -> None:
        """A screen in the background is not told about new sizes; catch up."""
        self.post_message(events.Resize(self.app.size, self.app.size))

    # Runs.

    @work(group="engine", exit_on_error=False)
    async def _load(self) -> None:
        await self.session.load()

    @work(group="engine", exit_on_error=False)
    async def _run(self, prompt: str) -> None:
        await self.session.run(prompt)

    def on_prompt_editor_submitted(self, message: PromptEditor.Submitted) -> None:
        """Enter in the prompt runs."""
        message.stop()
        self.action_run()

    def action_run(self) -> None:
        """Write the bands of what the prompt editor holds."""
        if not self._prompt.text.strip():
            self._notice.say("The prompt is empty.", hint="Type one first.", tone="warning")
            return
        self._notice.hush()
        self._run(self._prompt.text)

    async def action_stop(self) -> None:
        """Stop and keep what is there; with nothing to stop, take the messages away."""
        if self.state.running:
            await self.session.stop()
        else:
            self._notice.hush()

    @work(group="engine", exit_on_error=False)
    async def action_new_prompt(self) -> None:
        """Clear prompt and bands. The prompt comes back with undo."""
        if self._prompt.text:
            self._prompt.clear()
            self._notice.say("Prompt cleared.", hint="Ctrl+Z brings it back.")
        self._prompt.focus()
        await self.session.clear()

    # Copying.

    def action_copy_json(self) -> None:
        """Copy the document; what is there, as text, when it is not complete."""
        from sinc_tui.tui.copying import WHOLE

        self._copy(WHOLE)

    def action_copy_as(self) -> None:
        """Ask for a format, then copy."""
        from sinc_tui.tui.screens.copy_as import CopyAsScreen

        self.app.push_screen(CopyAsScreen(self.state), self._copy_chosen)

    def _copy_chosen(self, choice: CopyChoice | None) -> None:
        if choice is not None:
            self._copy(choice)

    @work(group="copy", exclusive=True, exit_on_error=False)
    async def _copy(self, choice: CopyChoice) -> None:
        from sinc_tui.tui.clipboard import copy
        from sinc_tui.tui.copying import prepare

        prepared = prepare(choice, self.state)
        if prepared is None:
            self._notice.say("Nothing to copy yet.", hint="Enter runs the prompt.", tone="warning")
            return
        result = await copy(prepared.text, send_osc52=self.app.copy_to_clipboard)
        self._notice.say(
            f"{prepared.label}: {result.message}",
            hint=result.hint,
            tone="info" if prepared.complete and not result.troubles else "warning",
        )

    def action_help(self) -> None:
        """Show the keys."""
        from sinc_tui.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.BINDINGS, PromptEditor.OWN_BINDINGS))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The error path of every worker: none fails in silence."""
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            self._notice.say(
                f"That did not work: {type(error).__name__}: {error}",
                hint="This is a bug in sinc-tui; prompt and bands are kept.",
                tone="error",
            )

    # Drawing.

    def _changed(self) -> None:
        """The state changed: draw it soon, together with what else comes until then."""
        if not self._drawing:
            self._drawing = True
            self.set_timer(_FRAME, self._draw)

    def _draw(self) -> None:
        self._drawing = False
        state = self.state
        self._bands.show(state)
        self._badges.show(state.verdicts)
        self._reasons.show(state.verdicts)
        self._status.show(state)
        self._show_error()
        self._show_notes()
        self._clock.resume() if state.running else self._clock.pause()
        self.refresh_bindings()

    def _show_error(self) -> None:
        if error := self.state.error:
            self._error.say(error.message, hint=error.hint, tone="error")
        else:
            self._error.hush()

    def _show_notes(self) -> None:
        """Say once what the reader should know of a result, a band that was cut for one."""
        stats = self.state.stats
        if stats is not self._noted:
            self._noted = stats
            if stats and stats.notes:
                self._notice.say(" ".join(stats.notes), tone="warning")

    def _tick(self) -> None:
        self._status.show(self.state)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Dim what would do nothing."""
        if action == "stop" and not self.state.running:
            return True if self._notice.text else None
        if action in ("copy_json", "copy_as") and self.state.empty:
            return None
        return True
