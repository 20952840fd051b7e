"""The keys of the main screen, in the order of the footer. Every one has an id for remapping."""

from __future__ import annotations

from textual.binding import Binding, BindingType

_AFTER_FOCUS = {"stop", "to_prompt", "hush", "regenerate", "lock", "reset", "fold"}
"""Actions whose key must wait for a Tab before it, or that a widget may take first."""


def _key(
    key: str,
    action: str,
    words: str,
    tooltip: str,
    *,
    id: str,
    show: bool = True,
    display: str = "",
) -> Binding:
    return Binding(
        key,
        action,
        words,
        tooltip=tooltip,
        show=show,
        priority=action not in _AFTER_FOCUS,
        id=id,
        key_display=display or None,
    )


MAIN_KEYS: list[BindingType] = [
    _key("ctrl+r,f5", "run", "Run", "Write the six bands of the prompt", id="run", display="⏎"),
    _key("escape", "stop", "Stop", "Stop, and keep what is there", id="stop", display="esc"),
    _key("escape", "to_prompt", "Prompt", "Go back to the prompt", id="to_prompt", display="esc"),
    _key("escape", "hush", "Dismiss", "Take the message away", id="hush", show=False),
    _key("f2", "mend", "Mend", "Mend what the line above the bands says", id="mend"),
    _key("ctrl+g", "regenerate", "Rewrite", "Let the model rewrite this band", id="regenerate"),
    _key("ctrl+l", "lock", "Lock", "Lock this band, or unlock it: runs keep it", id="lock"),
    _key("f8", "reset", "Reset", "Put this band back to what the model wrote", id="reset"),
    _key("ctrl+t", "vary", "Vary", "Run again for another result; this one is kept", id="vary"),
    _key("f3", "step(-1)", "Back", "Go back to the result before this one", id="previous_result"),
    _key("f4", "step(1)", "Forth", "Go forth to the result after this one", id="next_result"),
    _key(
        "ctrl+y", "copy_again", "Copy", "Copy as last time; at first as JSON",
        id="copy_json",
    ),
    _key("ctrl+e", "copy_as", "Copy as…", "Copy in another format, or one band", id="copy_as"),
    _key("f9", "compare", "Compare", "Prompt or results side by side", id="compare"),
    _key(
        "ctrl+n", "new_prompt", "New prompt", "Clear prompt and bands; undo brings it back",
        id="new_prompt",
    ),
    _key("f7", "history", "History", "What ran before: search, reopen, pin, delete", id="history"),
    _key("ctrl+o", "open", "Open…", "Open a sinc document, or a text as prompt", id="open", show=False),
    _key(
        "ctrl+s", "save", "Save…", "Save as .sinc.json, Markdown, XML or text", id="save", show=False
    ),
    _key(
        "f12", "edit_outside", "Editor", "Edit prompt or band in your own editor ($EDITOR)",
        id="editor", show=False,
    ),
    _key(
        "f11", "models", "Models", "The models: what fits here, download, switch, measure",
        id="models", show=False,
    ),
    _key("f10", "settings", "Settings", "Theme, keys, history and more", id="settings", show=False),
    _key("f6", "fold", "Fold", "Fold this band, where bands stand in one column", id="fold", show=False),
    _key("f1", "help", "Help", "Show the keys", id="help"),
    _key("ctrl+q", "app.quit", "Quit", "Leave sinc-tui", id="quit"),
]  # fmt: skip

HELP = {
    "Prompt and results": (
        "run", "new_line", "stop", "vary", "previous_result", "next_result", "compare", "new_prompt",
    ),
    "In a band": ("to_prompt", "mend", "regenerate", "lock", "reset", "fold"),
    "Copy and files": ("copy_json", "copy_as", "save", "open", "editor", "history"),
    "App": ("models", "settings", "help", "quit"),
}  # fmt: skip
"""The sections of the help, with the ids of their keys. What is not named here is left out."""

EXTRA = {
    "Prompt and results": [("⏎", "Run"), ("tab", "Go to the bands")],
    "In a band": [
        ("tab", "Go to the next band; shift+tab goes back"),
        ("⏎", "New line"),
        ("^z", "Undo, in the prompt too"),
        ("shift+^z", "Redo"),
        ("shift+→", "Select; ^x cuts, ^c copies, ^v pastes"),
    ],
    "App": [("^p", "Every command by its name"), ("t", "The tour again, from this list")],
}
"""Keys that Textual or a widget binds."""
