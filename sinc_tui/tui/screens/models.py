"""The models: which are here, which fit, how fast they are; get, pause, switch, measure, remove."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import ClassVar, TypeVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from sinc_tui.errors import SincError
from sinc_tui.sinc.controls import one_line
from sinc_tui.sizes import on_disk
from sinc_tui.tui import model_rows
from sinc_tui.tui.downloads import Stage, Transfer
from sinc_tui.tui.literal import visible
from sinc_tui.tui.model_room import ModelRoom, way_to
from sinc_tui.tui.screens.dialog import Dialog
from sinc_tui.tui.shelf import Entry, Presence
from sinc_tui.tui.widgets.notice import Notice

T = TypeVar("T")

_TICK = 0.25
"""Seconds between two looks at downloads and at what loads."""
_KEYS = "⏎ use · d download · p pause · m measure · v verify · x remove · a add · Esc closes"
_FEW_KEYS = "⏎ use · d download · p pause · F1 all keys · Esc closes"
_CHOOSE = "Choose one with ↑↓: d downloads it, ⏎ uses it. Prompts never leave this machine."


class ModelsScreen(Dialog[None]):
    """A list, and below it the sentences about the model under the cursor."""

    CSS_PATH = "models.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "use", "Use", tooltip="Use this model from now on", id="model_use"),
        Binding("d", "download", "Download", tooltip="Download it, or go on", id="model_download"),
        Binding("p", "pause", "Pause", tooltip="Pause its download", id="model_pause"),
        Binding("m", "measure", "Measure", tooltip="Measure the loaded one", id="model_measure"),
        Binding("v", "verify", "Verify", tooltip="Check its files by content", id="model_verify"),
        Binding(
            "x,delete", "remove", "Remove", tooltip="Delete what is here of it", id="model_remove"
        ),
        Binding("a", "add", "Add", tooltip="Add a file, a Hub file or an address", id="model_add"),
        Binding("f11", "close", "Close", show=False, id="models_close"),
    ]

    def __init__(self, room: ModelRoom, *, leading: bool = False) -> None:
        """`leading`: the screen has opened by itself, and says why above the list."""
        super().__init__()
        self._room, self._leading = room, leading
        self._shown: dict[str, Content] = {}
        self._doomed = ""
        self._measured = self._listed = False

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        with Vertical(id="models") as box:
            box.border_title = "Models"
            yield Static(id="models-intro", markup=False)
            yield Static(id="models-head", markup=False)
            yield OptionList(id="model-rows", markup=False)
            with VerticalScroll(id="model-detail", can_focus=False):
                yield Static(markup=False)
            yield Notice(id="models-notice")

    def on_mount(self) -> None:
        """What was seen last time, then what there is now."""
        self.query_one("#models-intro").display = self._leading
        self._draw()
        self.look()
        self.set_interval(_TICK, self._tick)

    def on_resize(self) -> None:
        """More or fewer columns fit."""
        self.call_after_refresh(self._draw)

    @work(group="look", exclusive=True, exit_on_error=False)
    async def look(self) -> None:
        """List the models, then look at the machine."""
        await self._tried(self._room.look())
        self._introduce()
        start, self._listed = "" if self._listed else self._start(), True
        self._draw(at=start)
        await self._tried(self._room.look_around())
        self._draw()

    def _tick(self) -> None:
        """Follow downloads and loading; measure the loaded model once when that was never done."""
        self._draw()
        room = self._room
        entry = next(filter(room.in_use, room.entries), None)
        busy = room.running or room.busy.get(room.chosen)
        if self._measured or entry is None or room.place is None or busy:
            return
        self._measured = True
        expected = room.expected(entry)
        if expected is None or not expected.measured:
            self._measure()

    # Keys.

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Enter or a click."""
        message.stop()
        self.action_use()

    def on_option_list_option_highlighted(self, _message: OptionList.OptionHighlighted) -> None:
        """Another model: nothing is to be removed any more."""
        self._room.cursor = self._under_cursor()
        if self._doomed and self._doomed != self._under_cursor():
            self._doomed = ""
            self._notice.hush()
        self._draw_details()

    def action_use(self) -> None:
        """Load the model behind the screen."""
        entry = self._entry()
        if entry is None:
            return
        if self._room.in_use(entry):
            self._notice.say(f"{entry.name} is in use.")
        elif entry.presence is not Presence.HERE:
            hint = way_to(entry, self._room.downloads[entry.name])
            self._notice.say(f"{entry.name} is not ready to be used.", hint=hint, tone="warning")
        elif self._room.loading:
            self._notice.say("A model is loading.", hint="Switch when it is there.", tone="warning")
        else:
            self._use(entry)

    @work(group="model", exit_on_error=False)
    async def _use(self, entry: Entry) -> None:
        self._notice.say(f"Loading {entry.name}.", hint="Esc goes back to the prompt meanwhile.")
        self._measured = False
        if await self._tried(self._room.use(entry)):
            self._notice.say(f"{entry.name} is in use.", hint="Esc goes back to the prompt.")
        self._draw()

    def action_download(self) -> None:
        """Begin, or go on with a download that was paused or broke off."""
        entry = self._entry()
        if entry is None:
            return
        if entry.presence is Presence.HERE:
            self._notice.say(f"{entry.name} is here already.")
        elif entry.hint or (entry.package and entry.presence is not Presence.DAMAGED):
            self._notice.say(
                f"{entry.name} cannot be downloaded.", hint=way_to(entry), tone="warning"
            )
        else:
            self._notice.hush()
            self._room.download(entry)
        self._draw()

    def action_pause(self) -> None:
        """Stop the download and keep what has arrived."""
        name = self._under_cursor()
        if name and not self._room.downloads.pause(name):
            self._notice.say("There is no download to pause.", tone="warning")
        self._draw()

    def action_measure(self) -> None:
        """See how fast the model in memory is."""
        entry = self._entry()
        if entry is None:
            return
        if self._room.running:
            self._notice.say("A run is under way.", hint="Measure when it is done.", tone="warning")
        elif not self._room.in_use(entry):
            here = entry.presence is Presence.HERE
            hint = "⏎ loads this one." if here else way_to(entry, self._room.downloads[entry.name])
            self._notice.say("Only the model in use can be measured.", hint=hint, tone="warning")
        else:
            self._measure()

    @work(group="model", exit_on_error=False)
    async def _measure(self) -> None:
        try:
            speed = await self._room.measure()
        except SincError as error:
            self._notice.say(error.message, hint=error.hint, tone="error")
        else:
            self._measured = speed is not None  # something came first: later
        self._draw()

    @work(group="files", exit_on_error=False)
    async def action_verify(self) -> None:
        """Read the files and compare them with what is known of them."""
        entry = self._entry()
        if entry is None or entry.name in self._room.busy:
            return
        if entry.presence not in (Presence.HERE, Presence.DAMAGED):
            self._notice.say(f"{entry.name} is not here.", hint=way_to(entry), tone="warning")
            return
        self._notice.hush()
        notes = await self._tried(self._room.verify(entry))
        if notes is not None:
            self._notice.say(f"{entry.name} is as it should be.", hint=" ".join(notes))
        self._draw()

    @work(group="files", exit_on_error=False)
    async def action_remove(self) -> None:
        """Delete, when the key is pressed twice."""
        entry = self._entry()
        if entry is None or entry.name in self._room.busy:
            return
        if reason := self._kept(entry):
            self._notice.say(reason[0], hint=reason[1], tone="warning")
            return
        if self._doomed != entry.name:
            self._doomed = entry.name
            size = on_disk(entry.removable or entry.partial)
            self._notice.say(
                f"Delete {entry.name} ({size})?", hint="x again deletes it.", tone="warning"
            )
            return
        self._doomed = ""
        freed = await self._tried(self._room.remove(entry))
        if freed is not None:
            self._notice.say(f"{entry.name} was removed; {on_disk(freed)} are free again.")
        self._draw()

    def action_add(self) -> None:
        """Ask for a file or an address."""
        from sinc_tui.tui.screens.add_model import AddModelScreen

        self.app.push_screen(AddModelScreen(self._room), self._added)

    # Drawing.

    def told(self, transfer: Transfer) -> None:
        """A download changed: list anew what it left."""
        if transfer.stage in (Stage.DONE, Stage.PAUSED, Stage.FAILED):
            self.look()
        if transfer.stage is Stage.DONE:
            hint = " ".join([*transfer.notes, "⏎ uses it."])
            self._notice.say(f"{transfer.name} is here.", hint=hint)
        self._draw()

    def _draw(self, at: str = "") -> None:
        """Rows that changed, and what is below them; the cursor goes to the model `at`."""
        options, room = self.query_one(OptionList), self._room
        width = (options.size.width or self.app.size.width - 4) - 2
        columns = model_rows.Columns.of(room.entries, width)
        rows = {entry.name: model_rows.row(room, entry, columns) for entry in room.entries}
        if list(rows) != list(self._shown):
            self._list(rows, at or room.cursor)
        elif at:
            options.highlighted = list(rows).index(at)
        for name, content in rows.items():
            if content != self._shown.get(name):
                options.replace_option_prompt(name, content)
        self._shown = rows
        self.query_one("#models-head", Static).update(model_rows.head(columns))
        box = self.query_one("#models")
        box.border_subtitle = _KEYS if box.size.width > len(_KEYS) + 4 else _FEW_KEYS
        self._draw_details()

    def _introduce(self) -> None:
        """Say why the screen has opened by itself, as long as that is so."""
        chosen, entries = self._room.chosen, self._room.entries
        here = [entry.name for entry in entries if entry.presence is Presence.HERE]
        why = f"The model {visible(one_line(chosen))} is not here."
        intro = self.query_one("#models-intro", Static)
        intro.display = self._leading and bool(entries) and chosen not in here
        intro.update(f"{why if here else 'There is no model yet to run your prompts.'} {_CHOOSE}")

    def _start(self) -> str:
        """Where the cursor goes when there is no model in use: to one that is here, or to download."""
        room = self._room
        if room.loaded or room.loading or room.cursor != room.chosen:
            return ""
        others = (entry for entry in room.entries if entry.name != room.chosen)
        here = (entry.name for entry in others if entry.presence is Presence.HERE)
        wanted = (entry.name for entry in room.entries if not entry.package)
        return next(here, "") or next(wanted, "")

    def _list(self, rows: dict[str, Content], at: str) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(content, id=name) for name, content in rows.items())
        if rows:
            options.highlighted = list(rows).index(at) if at in rows else 0

    def _draw_details(self) -> None:
        entry = self._entry()
        lines = model_rows.details(self._room, entry) if entry else [Content("…")]
        self.query_one("#model-detail Static", Static).update(Content("\n").join(lines))

    @property
    def _notice(self) -> Notice:
        return self.query_one("#models-notice", Notice)

    def _under_cursor(self) -> str:
        option = self.query_one(OptionList).highlighted_option
        return (option.id or "") if option else ""

    def _entry(self) -> Entry | None:
        name = self._under_cursor()
        return next((entry for entry in self._room.entries if entry.name == name), None)

    def _kept(self, entry: Entry) -> tuple[str, str] | None:
        """Why a model cannot be removed, and what to do instead."""
        if self._room.in_use(entry):
            return f"{entry.name} is in use.", "Use another one first."
        if entry.package:
            return f"{entry.name} belongs to an installed package.", "pip uninstall removes that."
        under_way = self._room.downloads[entry.name] in self._room.downloads.running
        if not entry.removable and not entry.partial and not under_way:
            return f"There is nothing of {entry.name} to remove.", entry.hint
        return None

    def _added(self, name: str | None) -> None:
        if name:
            self._draw(at=name)
            self._notice.say(f"{name} is in the list.")

    async def _tried(self, work: Awaitable[T]) -> T | None:
        """What comes of it; None when there is an error, which is then shown."""
        try:
            return await work
        except SincError as error:
            self._notice.say(error.message, hint=error.hint, tone="error")
            return None
