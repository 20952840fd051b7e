"""The app on a page: ends with its server, and has keys that browsers leave to pages."""

from __future__ import annotations

from collections.abc import Mapping

from textual import events, messages
from textual.driver import Driver
from textual.drivers.web_driver import WebDriver

from sinc_tui.tui.app import SincApp

KEYS = {
    "new_prompt": "alt+n,ctrl+n",
    "vary": "alt+t,ctrl+t",
    "quit": "alt+q,ctrl+q",
}
"""Keys by the id of a binding: browsers keep Ctrl+N and Ctrl+T, some Ctrl+Q, for themselves."""


class BrowserDriver(WebDriver):
    """Textual's driver, which would go on for ever when the server that it writes to is gone."""

    def start_application_mode(self) -> None:
        """Begin with the focus, as the page does.

        Textual begins without; a page that is quicker than the app would have its word about the
        focus undone, and what is typed would be lost.
        """
        super().start_application_mode()
        self._app.call_later(self._app.post_message, events.AppFocus())

    def run_input_thread(self) -> None:
        """Read keys until the app ends; when the input ends before it does, end the app."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            self._app.post_message(messages.ExitApp())


class BrowserApp(SincApp):
    """The same app."""

    def get_driver_class(self) -> type[Driver]:
        """The driver that talks to the page through the server."""
        return BrowserDriver

    def on_mount(self) -> None:
        """These keys hold without settings, too."""
        self.set_keymap({})

    def set_keymap(self, keymap: Mapping[str, str]) -> None:
        """What the user chose goes before."""
        super().set_keymap({**KEYS, **keymap})
