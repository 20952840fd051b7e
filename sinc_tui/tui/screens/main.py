"""The one working screen: prompt above, six bands below, badges between, figures at the foot."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import TextArea
from textual.worker import Worker, WorkerState

from sinc_tui.tui.screens.keys import MAIN_KEYS
from sinc_tui.tui.screens.model_actions import DEFAULT, ModelActions
from sinc_tui.tui.screens.touring import Touring
from sinc_tui.tui.session import Engine, Session
from sinc_tui.tui.widgets.badges import Badges
from sinc_tui.tui.widgets.bands import Bands
from sinc_tui.tui.widgets.brand import Brand
from sinc_tui.tui.widgets.key_bar import KeyBar
from sinc_tui.tui.widgets.notice import Notice
from sinc_tui.tui.widgets.prompt_editor import PromptEditor
from sinc_tui.tui.widgets.reasons import Reasons
from sinc_tui.tui.widgets.safe_area import SafeArea
from sinc_tui.tui.widgets.status_bar import StatusBar

if TYPE_CHECKING:
    from sinc_tui.engine.protocol import ModelInfo, RunStats
    from sinc_tui.tui.shelf import Shelf

_FRAME = 1 / 20
"""Seconds between two drawings of a stream; deltas in between are drawn together."""


class MainScreen(Touring, ModelActions):
    """Turns keys into runs, and the session's state into what the widgets show."""

    AUTO_FOCUS = "#prompt"
    BINDINGS: ClassVar[list[BindingType]] = MAIN_KEYS

    def __init__(
        self,
        connect: Callable[[], Engine],
        *,
        chosen: str = "",
        make_shelf: Callable[[], Shelf] | None = None,
    ) -> None:
        """`chosen` is the name of the model that `connect` opens; `make_shelf` tells of the others."""
        super().__init__()
        self._chosen, self._make_shelf = chosen or DEFAULT, make_shelf
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
        self._known: ModelInfo | None = None

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
        yield KeyBar(id="keys", show_command_palette=False)

    def on_mount(self) -> None:
        """Paint first, then load the model."""
        self.call_after_refresh(self._load)
        self.call_after_refresh(self.rescue_draft)
        self._clock = self.set_interval(0.1, self._tick, pause=True)

    async def on_unmount(self) -> None:
        """The engine and the downloads end with the screen."""
        self.keep_last()
        await self.leave_models()
        await self.session.close()

    def on_screen_resume(self) -> None:
        """A screen in the background is not told about new sizes; catch up with what had to wait."""
        self.post_message(events.Resize(self.app.size, self.app.size))
        self.lead_to_models()

    # Runs.

    @work(group="engine", exit_on_error=False)
    async def _load(self) -> None:
        await self.session.load()

    def on_prompt_editor_submitted(self, message: PromptEditor.Submitted) -> None:
        """Enter in the prompt runs; during the tour it goes on."""
        message.stop()
        if self.tour is not None:
            self.tour.go_on()
        else:
            self.action_run()

    def action_run(self) -> None:
        """Write the bands of what the prompt editor holds."""
        self.end_tour()
        if not self._prompt.text.strip():
            self._notice.say("The prompt is empty.", hint="Type one first.", tone="warning")
            return
        self._take_edits()
        self._notice.hush()
        self._run(self._prompt.text, self.first_seed(), self.state.locked_texts())

    async def action_stop(self) -> None:
        """Stop and keep what is there."""
        await self.session.stop()

    def action_to_prompt(self) -> None:
        """Go back to the prompt, and take tour and message away."""
        self.action_hush()
        self._prompt.focus()

    def action_hush(self) -> None:
        """Take the tour away, or else the message."""
        if not self.end_tour():
            self._notice.hush()

    @work(group="engine", exit_on_error=False)
    async def action_new_prompt(self) -> None:
        """Clear prompt and bands. The prompt comes back with undo."""
        if self._prompt.text:
            self._prompt.clear()
            self._notice.say("Prompt cleared.", hint="Ctrl+Z brings it back.")
        self._take_edits()
        self._prompt.focus()
        await self.session.clear()

    def action_help(self) -> None:
        """Show the keys."""
        from sinc_tui.tui.screens.help import HelpScreen, sections

        first = "In a band" if self._bands.focused_band else ""
        self.app.push_screen(
            HelpScreen(sections([*self.BINDINGS, *PromptEditor.OWN_BINDINGS], first))
        )

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The error path of every worker: none fails in silence."""
        if event.state is WorkerState.ERROR:
            self._notice.say_bug(event.worker.error)

    # Focus and edits.

    def on_descendant_focus(self, _event: events.DescendantFocus) -> None:
        """Keys that work on a band work on the one that had the focus last, until the prompt has."""
        self._last_band = self._bands.focused_band
        self.refresh_bindings()

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        """Follow every key: badges, bars, facts."""
        message.stop()
        self.keep_soon()
        if message.text_area is self._prompt:
            self.end_tour()
            self._show_findings()
        elif self._take_edits():
            self._draw()

    def on_safe_area_too_long(self, message: SafeArea.TooLong) -> None:
        """A paste was refused."""
        self._notice.say(
            f"The paste has {message.pasted:,} characters, more than the {message.most:,} that fit.",
            hint="Nothing was pasted; the clipboard still has it.",
            tone="error",
        )

    # Drawing.

    def _changed(self) -> None:
        """The state changed: draw it soon, together with what else comes until then."""
        self.keep()
        if not self._drawing:
            self._drawing = True
            self.set_timer(_FRAME, self._draw)

    def _draw(self) -> None:
        self._drawing = False
        state = self.state
        self._bands.show(state)
        self._show_findings()
        self._status.show(state)
        self._show_error()
        self.lead_to_models()
        self._show_notes()
        self._clock.resume() if state.running else self._clock.pause()
        self.refresh_bindings()

    def _show_findings(self) -> None:
        """What holds, what is lost, and where."""
        facts = self.facts()
        self._badges.show(self.state.verdicts, facts)
        self._reasons.show(self.reasons())
        same = facts is not None and self._prompt.text == self.state.prompt
        self._prompt.mark(facts.prompt_marks if facts and same else ())
        self._bands.mark(facts.band_marks if facts else {})

    def _show_error(self) -> None:
        if error := self.state.error:
            self._error.say(error.message, hint=error.hint, tone="error")
        else:
            self._error.hush()

    def _show_notes(self) -> None:
        """Say once what the reader should know: how the model runs, a band that was cut."""
        stats, info = self.state.stats, self.state.info
        if info is not self._known:
            self._known = info
            if info and info.notes:
                self._notice.say(" ".join(info.notes), tone="warning")
        if stats is not self._noted:
            self._noted = stats
            if stats and stats.notes:
                self._notice.say(" ".join(stats.notes), tone="warning")

    def _tick(self) -> None:
        self._status.show(self.state)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what makes no sense here, dim what would do nothing."""
        state = self.state
        if action == "stop":
            return state.running
        if action == "to_prompt":
            return not state.running and self.focused is not self._prompt
        if action in ("regenerate", "lock", "reset", "fold"):
            band = self._bands.focused_band or self._last_band
            if action == "reset":
                return band in state.result.edits & state.result.written.keys()
            return band is not None
        if action == "mend":
            return self.mend() is not None
        if action == "step":
            number, count = state.results.place
            by = int(str(parameters[0]))
            return not state.running and 0 < ((number or count + 1) + by) <= count
        if action == "copy_as" and (self._message or self._prompt.text):
            return True
        if action in ("copy_again", "copy_as", "compare", "vary") and state.empty:
            return None
        return True
