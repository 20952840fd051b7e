"""Asks for a file: a line to type the path into, and what there is below it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from sinc_tui.tui.literal import visible
from sinc_tui.tui.screens.dialog import Dialog
from sinc_tui.tui.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 500
"""Entries of a folder that are listed."""


class PathScreen(Dialog[Path]):
    """Opening wants a file that is there; saving asks before it replaces one.

    `check` may refuse a path by raising `SincError`; the dialog then stays and says why.
    """

    CSS_PATH = "path.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", tooltip="Take over the first entry", id="complete"),
        Binding("down", "go(1)", "Next", show=False, id="path_next"),
        Binding("up", "go(-1)", "Previous", show=False, id="path_previous"),
    ]

    def __init__(
        self, title: str, path: str, check: Callable[[Path], None], *, saving: bool
    ) -> None:
        super().__init__()
        self._title, self._path, self._check, self._saving = title, path, check, saving
        self._agreed: Path | None = None

    def compose(self) -> ComposeResult:
        """The line, a message, the entries."""
        with Vertical(id="path") as box:
            box.border_title = self._title
            does = "saves" if self._saving else "opens"
            box.border_subtitle = f"⏎ {does} · Tab completes · ↑↓ choose · Esc closes"
            yield Input(
                self._path, placeholder="Path of a file", id="path-line", select_on_focus=False
            )
            yield Notice(id="path-notice")
            yield OptionList(id="entries", markup=False)

    def on_mount(self) -> None:
        """The entries are reached with the arrows from the line."""
        self.query_one(OptionList).can_focus = False
        self._list()

    def on_input_changed(self, _message: Input.Changed) -> None:
        """Another path: list what it may become; nothing is agreed on any more."""
        self._agreed = None
        self.query_one(Notice).hush()
        self._list()

    def on_input_submitted(self, _message: Input.Submitted) -> None:
        """Take the entry that was chosen with the arrows, or else what was typed."""
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            self._take(options.highlighted)
        self._choose(self._typed())

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """A click takes an entry."""
        self._take(message.option_index)
        self._choose(self._typed())

    def action_complete(self) -> None:
        """Take over the entry that is chosen, or the first."""
        options = self.query_one(OptionList)
        if options.option_count:
            self._take(options.highlighted or 0)

    def action_go(self, by: int) -> None:
        """Choose among the entries."""
        options = self.query_one(OptionList)
        (options.action_cursor_down if by > 0 else options.action_cursor_up)()

    def _choose(self, path: Path) -> None:
        from sinc_tui.errors import SincError

        notice = self.query_one(Notice)
        if os.path.isdir(path):  # which a name that is too long is not
            line = self.query_one(Input)
            line.value = os.path.join(str(line.value), "") if line.value else "./"
            line.cursor_position = len(line.value)
            return
        try:
            self._check(path)
        except SincError as error:
            notice.say(error.message, hint=error.hint, tone="error")
            return
        if self._saving and os.path.lexists(path) and self._agreed != path:
            self._agreed = path
            notice.say(
                f"{path.name} is there already.", hint="⏎ again replaces it.", tone="warning"
            )
            return
        self.dismiss(path)

    def _typed(self) -> Path:
        return Path(self.query_one(Input).value).expanduser()

    def _take(self, index: int) -> None:
        name = self.query_one(OptionList).get_option_at_index(index).id or ""
        line = self.query_one(Input)
        folder = os.path.dirname(line.value)
        value = os.path.join(folder, name)
        if value != line.value:
            with self.prevent(Input.Changed):
                line.value = value
            self._agreed = None
            self.query_one(Notice).hush()
            self._list()
        line.cursor_position = len(line.value)

    def _list(self) -> None:
        value = self.query_one(Input).value
        folder, start = os.path.split(os.path.expanduser(value))
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            Option(Content(visible(name)), id=name) for name in _entries(folder or ".", start)
        )
        options.highlighted = None


def _entries(folder: str, start: str) -> list[str]:
    """Names in a folder that begin like this, folders with a slash; hidden ones when asked for."""
    try:
        with os.scandir(folder) as entries:
            found = [
                (not entry.is_dir(), entry.name.lower(), entry.name + "/" * entry.is_dir())
                for entry in entries
                if entry.name.lower().startswith(start.lower())
                and (start.startswith(".") or not entry.name.startswith("."))
            ]
    except OSError:
        return []
    return [name for _, _, name in sorted(found)[:_MOST]]
