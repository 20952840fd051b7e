"""What the main screen keeps: runs in the history, the prompt as a draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sinc_tui.tui.screens.copy_actions import CopyActions

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sinc_tui.drafts import Drafts
    from sinc_tui.errors import SincError
    from sinc_tui.settings import DecodeMode, Settings
    from sinc_tui.tui.drafting import DraftWriter
    from sinc_tui.tui.recording import Recorder

_PAUSE = 0.4
"""Seconds between a change of the prompt or a band and its writing."""


class Keeping(CopyActions):
    """Follows the state and the prompt; a failure is told and stops nothing."""

    _drafts: Drafts | None = None
    _writer: DraftWriter | None = None
    _troubles: frozenset[str] = frozenset()
    _keeping_soon = False
    _ran = False
    _settings: Settings | None = None

    @property
    def recorder(self) -> Recorder:
        """Made when the first run is to be kept, so that starting does not wait for it."""
        if self._recorder is None:
            from sinc_tui.tui.recording import Recorder

            self._recorder = Recorder(self._not_kept, self._mode)
        return self._recorder

    _recorder: Recorder | None = None

    def configure(self, settings: Settings, changed: Collection[str]) -> None:
        """Run, copy and keep as the settings say, as far as they have `changed`."""
        from sinc_tui.tui.copying import CopyChoice

        self._settings = settings
        self.recorder.on = settings.history
        if "copy_format" in changed:
            self.copy_choice = CopyChoice("document", settings.copy_format)
        self._choose_sampler()

    def tell(self, problems: Sequence[SincError]) -> None:
        """Say what is wrong with the settings."""
        first, more = problems[0], len(problems) - 1
        also = f" And {more} more: `sinc-tui doctor` lists them." if more else ""
        self._notice.say(first.message, hint=first.hint + also, tone="error")

    def first_seed(self) -> int:
        """The seed of a run that the reader begins: 0, or by the settings any."""
        if self._settings is None or self._settings.seed == "fixed":
            return 0
        import secrets

        return secrets.randbelow(2**31 - 1) + 1

    def catalog_mode(self) -> DecodeMode:
        """How the catalogue says that the bands of the model in use are written."""
        return "sequential"

    def _choose_sampler(self) -> None:
        """Write the bands as the settings say for the model that is loaded."""
        info = self.state.info
        if info is None:
            return
        from sinc_tui.engine.protocol import SamplerOptions

        before = self.session.sampler or SamplerOptions()
        wanted: dict[str, object] = {"decode": self.catalog_mode()}
        if settings := self._settings:
            wanted = {
                "decode": settings.decode_for(info.name, self.catalog_mode()),
                "verbatim": settings.verbatim,
                "number_guard": settings.number_guard,
                "fact_keeper": settings.fact_keeper,
            }
        after = before.model_copy(update=wanted)
        if after != before:
            self.session.sampler = after

    def keep(self) -> None:
        """Something changed: store a run's progress now, edits and prompt a little later."""
        self._choose_sampler()
        if self.state.running and not self._ran:
            self._keep_typed()
        self._ran = self.state.running
        self.recorder.look(self.state)
        self.keep_soon()

    def keep_soon(self) -> None:
        """Store edits and prompt when the typing pauses."""
        if not self._keeping_soon:
            self._keeping_soon = True
            self.set_timer(_PAUSE, self._keep_typed)

    def rescue_draft(self) -> None:
        """Put the prompt back that a crash or a closed terminal left, unless something was typed."""
        drafts = self._own_drafts()
        if not self._prompt.text and (text := drafts.rescue()):
            self._prompt.load_text(text)
            self._prompt.move_cursor(self._prompt.document.end)
            self._notice.say("This is the prompt you left.", hint="Ctrl+N clears it.")

    def keep_last(self) -> None:
        """The screen goes: write what is not yet written."""
        self._take_edits()
        self._keep_typed()
        if self._writer is not None:
            self._writer.close()
        if self._recorder is not None:
            self._recorder.look_last(self.state)
            self._recorder.close()

    def _keep_typed(self) -> None:
        self._keeping_soon = False
        self.recorder.look_at_edits(self.state)
        done = self.state.result.ended == "finished" and self.state.prompt == self._prompt.text
        if self._writer is None:
            from sinc_tui.tui.drafting import DraftWriter

            self._writer = DraftWriter(self._own_drafts(), self._draft_not_kept)
        self._writer.keep("" if done else self._prompt.text)

    def _own_drafts(self) -> Drafts:
        if self._drafts is None:
            from sinc_tui import paths
            from sinc_tui.drafts import Drafts

            self._drafts = Drafts(paths.drafts())
        return self._drafts

    def _mode(self) -> str:
        return self.session.sampler.decode if self.session.sampler else "sequential"

    def _draft_not_kept(self, error: OSError) -> None:
        from sinc_tui.errors import SincError

        self._not_kept(
            SincError(
                f"The draft of the prompt cannot be written: {error.strerror}.",
                hint="Make room on the disk.",
            )
        )

    def _not_kept(self, error: SincError) -> None:
        """Called from the threads of history and draft, which must never wait for the screen."""
        loop = self.app._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._say_once, error)

    def _say_once(self, error: SincError) -> None:
        """The same trouble comes with every band; one message is enough."""
        if str(error) not in self._troubles and self.is_mounted:
            self._troubles |= {str(error)}
            self._notice.say(error.message, hint=error.hint, tone="error")
