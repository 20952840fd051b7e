"""What the main screen's keys do with the history, with files and with the user's editor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sinc_tui.tui.screens.keeping import Keeping

if TYPE_CHECKING:
    from sinc_tui.history import Run
    from sinc_tui.sinc.bands import Band
    from sinc_tui.sinc.document import SincDocument
    from sinc_tui.tui.results import Result


class KeepActions(Keeping):
    """Nothing here takes away what is on the screen: earlier results and undo bring it back."""

    _folder = ""
    """The folder of the last file, with its slash."""

    def action_history(self) -> None:
        """Look through what ran before."""
        from sinc_tui.tui.screens.history import HistoryScreen

        self._take_edits()
        self._keep_typed()
        self.app.push_screen(HistoryScreen(self.recorder), self._reopen)

    def action_settings(self) -> None:
        """Change the settings; each change holds at once."""
        from sinc_tui.tui.screens.settings import SettingsScreen

        model = self.state.info.name if self.state.info else ""
        screen = SettingsScreen(self.BINDINGS, model, self.catalog_mode())
        self.app.push_screen(screen, self._after_settings)

    def _after_settings(self, wanted: str | None) -> None:
        """The model is chosen on a screen of its own."""
        if wanted:
            self.action_models()

    def action_models(self) -> None:
        """Look at the models."""
        raise NotImplementedError

    def _reopen(self, run: Run | None) -> None:
        if run is None or self._busy():
            return
        from sinc_tui.sinc.draft import Draft
        from sinc_tui.tui.results import Result

        ended = "stopped" if run.ended == "running" else run.ended
        result = Result(
            run.prompt,
            run.seed,
            Draft(dict(run.texts), set(run.done)),
            dict(run.written),
            ended=ended,
        )
        self.recorder.adopt(result, run)
        self._show_result(result)
        self._put_prompt(run.prompt)
        self._notice.say("Reopened.", hint="Edits are kept in the same place of the history.")

    def action_open(self) -> None:
        """Open a document into the bands, or a text into the prompt."""
        from sinc_tui.tui import disk
        from sinc_tui.tui.screens.path import PathScreen

        if self._busy():
            return
        opened: list[disk.Opened] = []

        def check(path: Path) -> None:
            opened[:] = [disk.open_file(path, most=self._prompt.most)]

        def show(path: Path | None) -> None:
            if path is not None:
                self._show_opened(path, opened[0].document, opened[0].prompt, opened[0].notes)

        self.app.push_screen(PathScreen("Open", self._folder, check, saving=False), show)

    def _show_opened(
        self, path: Path, document: SincDocument | None, prompt: str, notes: list[str]
    ) -> None:
        self._remember(path)
        if document is None:
            self._put_prompt(prompt)
            self._prompt.focus()
        else:
            from sinc_tui.sinc.draft import Draft
            from sinc_tui.tui.results import Result

            bands = document.bands
            self._show_result(Result("", 0, Draft.finished(bands), dict(bands), ended="finished"))
        self._notice.say(
            f"{path.name} is open.", hint=" ".join(notes), tone="warning" if notes else "info"
        )

    def action_save(self) -> None:
        """Save the document in view, in the format of the name's ending."""
        from sinc_tui.files import save_file
        from sinc_tui.tui import disk
        from sinc_tui.tui.screens.path import PathScreen

        self._take_edits()
        document = self.state.document
        if document is None or self.state.running:
            self._notice.say(
                "There is no valid document to save.",
                hint="Enter runs the prompt."
                if self.state.empty
                else "Ctrl+E copies what there is.",
                tone="warning",
            )
            return

        def check(path: Path) -> None:
            disk.exported(path, document)

        def save(path: Path | None) -> None:
            from sinc_tui.errors import SincError

            if path is None:
                return
            self._remember(path)
            try:
                save_file(path, disk.exported(path, document))
            except SincError as error:
                self._notice.say(error.message, hint=error.hint, tone="error")
            else:
                self._notice.say(f"Saved as {path}.")

        name = self._folder + disk.suggestion(self.state.prompt)
        self.app.push_screen(PathScreen("Save", name, check, saving=True), save)

    def action_edit_outside(self) -> None:
        """Edit the band with the focus, else the prompt, in the user's editor; undo takes it back."""
        from textual.app import SuspendNotSupported

        from sinc_tui.errors import SincError

        self._take_edits()
        band = self._bands.focused_band
        if band is not None and self._busy():
            return
        before = self.state.draft.texts[band] if band else self._prompt.text
        try:
            after = self._edited(before, band.value.lower() if band else "prompt")
        except SuspendNotSupported:
            self._notice.say("An editor cannot be started on this terminal.", tone="error")
        except SincError as error:
            self._notice.say(error.message, hint=error.hint, tone="error")
        except Exception as error:
            self._notice.say_bug(error)
        else:
            if after != before:
                self._put_edited(band, after)

    def _edited(self, text: str, name: str) -> str:
        """What comes of a text in the user's editor; raises what `editor.edit` does.

        Textual takes the terminal back only where nothing is raised while it is suspended.
        """
        from sinc_tui.tui import editor

        editor.command()
        trouble: Exception | None = None
        with self.app.suspend():
            try:
                text = editor.edit(text, name)
            except Exception as error:
                trouble = error
        if trouble is not None:
            raise trouble
        return text

    def _put_edited(self, band: Band | None, text: str) -> None:
        if band is None:
            self._put_prompt(text)
            return
        self._bands.rewrite({band: text})
        self._take_edits()
        self._draw()

    def _put_prompt(self, text: str) -> None:
        """Replace the prompt as one step, which undo takes back."""
        editor = self._prompt
        if text != editor.text:
            editor.history.checkpoint()
            editor.replace(text, editor.document.start, editor.document.end)
            editor.history.checkpoint()

    def _show_result(self, result: Result) -> None:
        self._take_edits()
        result.judge()
        self.state.locked.clear()
        self.state.open(result)
        self._draw()

    def _remember(self, path: Path) -> None:
        self._folder = "" if path.parent == Path() else f"{path.parent}/"

    def _busy(self) -> bool:
        """Whether a run is under way; says so."""
        if self.state.running:
            self._notice.say("A run is under way.", hint="Esc stops it first.", tone="warning")
        return self.state.running
