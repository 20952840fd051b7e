"""The driver of a Unix terminal, with what is pasted and what is wide made safe."""

from __future__ import annotations

import os
import selectors
import signal
from codecs import getincrementaldecoder

from textual.drivers.linux_driver import LinuxDriver

from sinc_tui.tui.pasting import PasteParser
from sinc_tui.tui.widths import resynchronized

_PATIENCE = 0.1
"""Seconds between two looks at whether the app ends, or an Esc stands alone."""


class SafeDriver(LinuxDriver):
    """Textual's driver with another parser, and with a cursor that is set anew behind emoji.

    Bytes that are no UTF-8, which Textual's own ends at, come as replacement characters.
    """

    def run_input_thread(self) -> None:
        """Wait for input and hand it on, until the app ends."""
        parser = PasteParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_PATIENCE):
                    data = self._read()
                    if not data:
                        os.kill(os.getpid(), signal.SIGHUP)
                        return
                    if text := decode(data):  # a parser takes nothing for the end
                        for message in parser.feed(text):
                            self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)

    def _read(self) -> bytes:
        """What was typed; nothing when the terminal is gone.

        The system tells only programs that the terminal controls of its end, by a signal.
        """
        try:
            return os.read(self.fileno, 4096)
        except OSError:
            return b""

    def write(self, data: str) -> None:
        """Write to the terminal."""
        super().write(resynchronized(data))
