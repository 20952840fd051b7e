"""The driver's reading of a terminal's bytes, cut as it pleases the terminal."""

from __future__ import annotations

import os
from threading import Event

from textual import events
from textual.message import Message

from sinc_tui.tui.driver import SafeDriver


class ScriptedDriver(SafeDriver):
    """Reads one piece after the other, and then ends."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces, self._debug = pieces, False
        self.exit_event, self.messages = Event(), list[Message]()
        self.fileno, end = os.pipe()
        os.write(end, b"there is something to read")

    def _read(self) -> bytes:
        piece = self._pieces.pop(0)
        if not self._pieces:
            self.exit_event.set()
        return piece

    def process_message(self, message: Message) -> None:
        self.messages.append(message)


def test_a_character_in_two_pieces() -> None:
    driver = ScriptedDriver([b"a\xc3", b"\xa9", b"\xe6", b"\x97", b"\xa5", b"b"])
    driver.run_input_thread()
    keys = [message for message in driver.messages if isinstance(message, events.Key)]
    assert [key.character for key in keys] == list("aé日b")
