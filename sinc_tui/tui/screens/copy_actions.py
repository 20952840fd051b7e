"""What the main screen's keys copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from sinc_tui.tui.screens.band_actions import BandActions

if TYPE_CHECKING:
    from sinc_tui.tui.copying import CopyChoice


class CopyActions(BandActions):
    """Copying, by the last choice or by a new one."""

    copy_choice: CopyChoice | None = None
    """What was copied last; None for the whole document as JSON."""

    def action_copy_again(self) -> None:
        """Copy what was chosen last; the document as JSON at first."""
        from sinc_tui.tui.copying import WHOLE

        self._copy(self.copy_choice or WHOLE)

    def action_copy_as(self) -> None:
        """Ask what to copy, then copy it."""
        from sinc_tui.tui.screens.copy_as import CopyAsScreen

        self._take_edits()
        self.app.push_screen(
            CopyAsScreen(self.state, self._prompt.text, self._message, self.copy_choice),
            self._copy_chosen,
        )

    def _copy_chosen(self, choice: CopyChoice | None) -> None:
        if choice is None:
            return
        if choice.kind != "message":
            self.copy_choice = choice
        self._copy(choice)

    @property
    def _message(self) -> str:
        """What the screen says at the moment: an error before anything else."""
        return self._error.text or self._notice.text

    @work(group="copy", exclusive=True, exit_on_error=False)
    async def _copy(self, choice: CopyChoice) -> None:
        from sinc_tui.tui.clipboard import copy
        from sinc_tui.tui.copying import prepare

        self._take_edits()
        prepared = prepare(choice, self.state, self._prompt.text, self._message)
        if prepared is None:
            self._notice.say("Nothing to copy yet.", hint="Enter runs the prompt.", tone="warning")
            return
        result = await copy(prepared.text, send_osc52=self.app.copy_to_clipboard)
        self._notice.say(
            f"{prepared.label}: {result.message}",
            hint=result.hint,
            tone="info" if prepared.complete and not result.troubles else "warning",
        )
