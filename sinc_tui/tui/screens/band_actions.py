"""What the main screen's keys do to bands and results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.screen import Screen

from sinc_tui.sinc.bands import Band
from sinc_tui.tui.facts import FactView, view
from sinc_tui.tui.mending import Mend, mend_of, mend_of_facts, no_room_for_facts
from sinc_tui.tui.widgets.reasons import Reason

if TYPE_CHECKING:
    from sinc_tui.tui.session import Session
    from sinc_tui.tui.state import RunState
    from sinc_tui.tui.widgets.bands import Bands
    from sinc_tui.tui.widgets.notice import Notice
    from sinc_tui.tui.widgets.prompt_editor import PromptEditor

_MEND_KEY = "F2"


class BandActions(Screen[None]):
    """Editing, mending, locking, rewriting one band, stepping through results."""

    session: Session
    _prompt: PromptEditor
    _bands: Bands
    _error: Notice
    _notice: Notice
    _last_band: Band | None = None
    _fact_view: tuple[object, FactView | None] = ("", None)

    @property
    def state(self) -> RunState:
        """What the screen shows."""
        return self.session.state

    def _draw(self) -> None:
        raise NotImplementedError

    # What holds and what does not.

    def facts(self) -> FactView | None:
        """The facts of the result in view; None while bands are missing."""
        state = self.state
        if state.running or state.result.missing:
            return None
        key = (state.prompt, *state.draft.texts.values())
        if key != self._fact_view[0]:
            self._fact_view = (key, view(state.prompt, state.draft.texts))
        return self._fact_view[1]

    def mend(self) -> Mend | None:
        """What the mending key would do now."""
        if self.state.running:
            return None
        if mend := mend_of(self.state.result):
            return mend
        facts = self.facts()
        return mend_of_facts(self.state.result, facts.grounding.lost) if facts else None

    def reasons(self) -> list[Reason]:
        """The lines above the bands: what is broken, lost or invented, and what mends it."""
        state, mend = self.state, self.mend()
        key = _MEND_KEY

        def advice(of: str) -> str:
            return f"{key} {mend.words}" if mend and mend.of == of else ""

        reasons = [
            Reason(verdict.reason, advice(verdict.id))
            for verdict in state.verdicts.values()
            if verdict.status == "fail"
        ]
        if mend and mend.of == "bands" and not any(reason.advice for reason in reasons):
            reasons.append(
                Reason(_missing_words(state.result.missing), advice("bands"), grave=False)
            )
        if facts := self.facts():
            lost = facts.grounding.lost
            hint = advice("facts") or no_room_for_facts(state.result, lost)
            found = [(facts.lost, hint), (facts.invented, "")]
            reasons += [Reason(text, more, grave=False) for text, more in found if text]
        return reasons

    # Editing.

    def _take_edits(self) -> bool:
        """Take what the reader typed into the bands into the state; whether there was anything."""
        if self.state.running:
            return False
        edits = self._bands.edits()
        for band, text in edits.items():
            self.state.result.edit(band, text)
        return bool(edits)

    def action_mend(self) -> None:
        """Mend the first thing that the lines above the bands name; undo takes it back."""
        self._take_edits()
        mend = self.mend()
        if mend is None:
            self._notice.say("There is nothing to mend.")
            return
        if mend.write:
            self._write(mend.write)
            return
        self._bands.rewrite(mend.texts)
        self._take_edits()
        self._draw()
        self._notice.say(f"Mended: {', '.join(mend.texts)}.", hint="Ctrl+Z takes it back.")

    def action_reset(self) -> None:
        """Put the band back to what the model wrote; undo brings the edits back."""
        self._take_edits()
        band = self._bands.focused_band or self._last_band
        written = self.state.result.written.get(band) if band else None
        if band is None or written is None or self.state.running:
            self._notice.say("The model has not written this band.", tone="warning")
        elif written == self.state.draft.texts[band]:
            self._notice.say(f"{band} is as the model wrote it.")
        else:
            self._bands.rewrite({band: written})
            self._take_edits()
            self._draw()
            self._notice.say(f"{band} is as the model wrote it.", hint="Ctrl+Z takes that back.")

    def action_lock(self) -> None:
        """Lock or unlock a band: what is locked stays as it is in the next run."""
        band = self._bands.focused_band or self._last_band
        if band is None:
            self._notice.say("Go to a band first.", hint="Tab does.", tone="warning")
            return
        self.state.locked ^= {band}
        locked = band in self.state.locked
        self._notice.say(
            f"{band} is locked." if locked else f"{band} is not locked any more.",
            hint="The next run keeps it as it is." if locked else "",
        )
        self._draw()

    def action_fold(self) -> None:
        """Fold or unfold the band."""
        if band := self._bands.focused_band:
            self._bands.fold(band)

    # Runs and results.

    def action_regenerate(self) -> None:
        """Let the model write the band anew, from the prompt and the other bands."""
        self._take_edits()
        band = self._bands.focused_band or self._last_band
        if band is None:
            self._notice.say("Go to a band first.", hint="Tab does.", tone="warning")
        elif band in self.state.locked:
            self._notice.say(f"{band} is locked.", hint="Unlock it first.", tone="warning")
        elif self.state.running:
            self._notice.say("A run is under way.", hint="Esc stops it.", tone="warning")
        else:
            self._write((band,))

    def _write(self, bands: tuple[Band, ...]) -> None:
        """Write some bands anew and keep the others."""
        prompt = self._prompt.text if self._prompt.text.strip() else self.state.prompt
        if not prompt.strip():
            self._notice.say("The prompt is empty.", hint="Type one first.", tone="warning")
            return
        texts = self.state.draft.texts
        given = {b: texts[b] for b in Band if b not in bands and texts[b].strip()}
        self._notice.hush()
        self._run(prompt, self.state.results.next_seed(prompt), given)

    def action_vary(self) -> None:
        """Run again with another seed; the result in view is kept."""
        self._take_edits()
        prompt = self._prompt.text
        if not prompt.strip():
            self._notice.say("The prompt is empty.", hint="Type one first.", tone="warning")
            return
        self._notice.hush()
        self._run(prompt, self.state.results.next_seed(prompt), self.state.locked_texts())

    def action_step(self, by: int) -> None:
        """Go to an earlier or a later result."""
        self._take_edits()
        if not self.state.step(by):
            return
        self._draw()
        number, count = self.state.results.place
        other = self.state.prompt != self._prompt.text
        self._notice.say(f"Result {number} of {count}{', of another prompt' if other else ''}.")

    @work(group="engine", exit_on_error=False)
    async def _run(self, prompt: str, seed: int, given: dict[Band, str]) -> None:
        await self.session.run(prompt, seed=seed, given=given)

    def action_compare(self) -> None:
        """Show the prompt, or another result, beside the result in view."""
        from sinc_tui.tui.screens.compare import CompareScreen

        self._take_edits()
        self.app.push_screen(CompareScreen(self.state))


def _missing_words(missing: list[Band]) -> str:
    if len(missing) == 1:
        return f"{missing[0]} is missing."
    return f"{len(missing)} bands are missing."
