"""The settings as one list: arrows and Enter change a value, which holds and is saved at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from sinc_tui import paths, settings
from sinc_tui.errors import SincError
from sinc_tui.settings import CHOICES, DecodeMode, Settings
from sinc_tui.tui.screens.dialog import Dialog
from sinc_tui.tui.theme import MUTED
from sinc_tui.tui.widgets.notice import Notice
from sinc_tui.tui.widgets.prompt_editor import PromptEditor

_ROWS = {
    "theme": "Theme",
    "compact": "Compact",
    "reduced_motion": "Reduced motion",
    "history": "Keep a history",
    "copy_format": "Copy format",
    "seed": "Seed",
    "decode": "Bands are written",
    "verbatim": "Verbatim DATA",
    "number_guard": "Number guard",
    "fact_keeper": "Fact keeper",
    "model": "Model",
}
_HINTS = {
    "theme": "sinc-plain has no colour, the ansi ones take the terminal's.",
    "compact": "No margins and no empty lines.",
    "reduced_motion": "Nothing glides or blinks.",
    "history": "What runs while this is off is never kept.",
    "copy_format": "What the copy key copies until you choose another.",
    "seed": "fixed: the same prompt gives the same result; random: another each time.",
    "decode": "One after the other, or side by side, which is faster.",
    "verbatim": "DATA quotes the prompt: what you did not type cannot be written there.",
    "number_guard": "Numbers, file names, addresses are the prompt's, words its own or English.",
    "fact_keeper": "Facts that the model leaves out are put in as you typed them.",
    "model": "A GGUF file; it is loaded at the next start.",
}
"""What each setting does, shown while it is chosen."""
_KEY = "key:"
MODELS = "models"
"""The result that asks for the models screen."""
_HELP = "⏎ changes · ←→ step · Del default · Esc closes"


class _List(OptionList):
    """Gives the next key to the screen while that waits for one."""

    async def _on_key(self, event: events.Key) -> None:
        screen = self.screen
        if isinstance(screen, SettingsScreen) and screen.waiting:
            event.stop()
            event.prevent_default()
            screen.take_key(event.key)


class SettingsScreen(Dialog[str]):
    """One row for each setting and for each key. Its result is the screen that the reader wants next.

    Attributes:
        waiting: the id of the binding whose new key is asked for; empty otherwise.
    """

    CSS_PATH = "settings.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "step(1)", "Next", tooltip="The next value", id="value_next"),
        Binding("left", "step(-1)", "Previous", tooltip="The value before", id="value_previous"),
        Binding("delete,backspace", "reset", "Default", tooltip="The default", id="value_reset"),
        Binding("f10", "close", "Close", show=False, id="settings_close"),
    ]

    def __init__(
        self, keys: Iterable[BindingType], model: str, usual: DecodeMode = "sequential"
    ) -> None:
        """`keys` can be mapped anew; `model` is the name of the loaded one, and `usual` how it writes
        where nothing else is set."""
        super().__init__()
        self.waiting = ""
        self._keys = {b.id: b for b in keys if isinstance(b, Binding) and b.id}
        self._model, self._usual = model, usual
        self._settings = settings.load(paths.settings_file()).settings

    def compose(self) -> ComposeResult:
        """The list, and a message below."""
        with Vertical(id="settings") as box:
            box.border_title = "Settings"
            box.border_subtitle = _HELP
            yield _List(*self._options(), id="rows", markup=False)
            yield Static(id="settings-hint", markup=False)
            yield Notice(id="settings-notice")

    def on_option_list_option_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        """Say what the chosen row is for."""
        name = message.option_id or ""
        key = self._keys.get(name.removeprefix(_KEY)) if name.startswith(_KEY) else None
        hint = key.tooltip if key else _HINTS.get(name, "")
        self.query_one("#settings-hint", Static).update(Content.styled(hint, MUTED))

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Enter or a click: the next value, a file, or a key."""
        name = message.option_id or ""
        if name.startswith(_KEY):
            self.waiting = name.removeprefix(_KEY)
            self._say("Press the new key.", "Esc keeps the old one.")
            self._draw()
        elif name == "model":
            if self.is_current:  # Enter may have come twice
                self.dismiss(MODELS)
        else:
            self._step(name, 1)

    def action_step(self, by: int) -> None:
        """Go on to another value."""
        name = self._chosen()
        if name and name != "model" and not name.startswith(_KEY):
            self._step(name, by)

    def action_reset(self) -> None:
        """Back to the default."""
        name = self._chosen()
        if name.startswith(_KEY):
            keymap = dict(self._settings.keymap)
            keymap.pop(name.removeprefix(_KEY), None)
            self._change("keymap", keymap)
        elif name:
            self._change(name, getattr(Settings(), name))

    def take_key(self, key: str) -> None:
        """The key that was pressed while one was waited for."""
        binding, self.waiting = self.waiting, ""
        self.query_one(Notice).hush()
        if key == "escape":
            self._draw()
        elif use := self._use(key, binding):
            self._say(f"{self._shown(key)} is {use}.", "Choose another.")
            self._draw()
        else:
            self._change("keymap", {**self._settings.keymap, binding: key})

    def _use(self, key: str, wanted: str) -> str:
        """What a key is that the binding `wanted` cannot have; empty for any other."""
        for binding in self._keys.values():
            if binding.id != wanted and self._has(binding, key):
                return f"the key of {binding.description}"
        if key == self.app.COMMAND_PALETTE_BINDING:
            return "the key of the palette"
        if len(key) == 1 or key in ("enter", "tab", "space", "backspace", "delete"):
            return "needed for typing"
        editing = (one for one in PromptEditor.BINDINGS if isinstance(one, Binding))
        return "needed for editing" if any(self._has(one, key) for one in editing) else ""

    def _has(self, binding: Binding, key: str) -> bool:
        return key in self._settings.keymap.get(binding.id or "", binding.key).split(",")

    def _step(self, name: str, by: int) -> None:
        value = getattr(self._settings, name)
        if name == "decode":
            if not self._model:
                self._say("The model is still loading.", "Try again in a moment.")
                return
            other = "sequential" if self._value(name) == "parallel" else "parallel"
            self._change(name, {**value, self._model: other})
        elif isinstance(value, bool):
            self._change(name, not value)
        else:
            choices = CHOICES.get(name) or sorted(self.app.available_themes)
            at = list(choices).index(value) if value in choices else 0
            self._change(name, choices[(at + by) % len(choices)])

    def _change(self, name: str, value: Any) -> None:
        """Save, then bring it into force; what cannot be saved does not hold."""
        from sinc_tui.tui.configuring import apply

        try:
            settings.save(paths.settings_file(), {name: value})
        except SincError as error:
            self._say(error.message, error.hint, error=True)
            return
        self.query_one(Notice).hush()
        self._settings = self._settings.model_copy(update={name: value})
        apply(self.app, self._settings, changed=(name,))
        self._draw()

    def _say(self, message: str, hint: str = "", *, error: bool = False) -> None:
        self.query_one(Notice).say(message, hint=hint, tone="error" if error else "warning")

    def _chosen(self) -> str:
        option = self.query_one(OptionList).highlighted_option
        return option.id or "" if option else ""

    def _draw(self) -> None:
        options = self.query_one(OptionList)
        for option in self._options():
            if option is not None and option.id:
                options.replace_option_prompt(option.id, option.prompt)

    def _options(self) -> list[Option | None]:
        rows: list[Option | None] = [
            Option(_row(label, self._value(name)), id=name) for name, label in _ROWS.items()
        ]
        rows.append(None)
        for name, binding in self._keys.items():
            keys = self._settings.keymap.get(name, binding.key).split(",")
            shown = " ".join(map(self._shown, keys))
            value = "press a key" if name == self.waiting else shown
            rows.append(Option(_row(f"Key: {binding.description}", value), id=_KEY + name))
        return rows

    def _shown(self, key: str) -> str:
        return self.app.get_key_display(Binding(key, ""))

    def _value(self, name: str) -> str:
        value = getattr(self._settings, name)
        if name == "decode":
            return self._settings.decode_for(self._model, self._usual)
        if name == "model":
            return value or "the default one"
        return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _row(label: str, value: str) -> Content:
    return Content.assemble(f"{label:<24}", (value, "bold"))
