"""The child process that owns llama.cpp: commands on stdin, messages on stdout, chatter on stderr.

Run as `python -m sinc_tui.engine.worker [--behind]`. It ends when its stdin does, at once, whatever it is
doing. With `--behind` it lets others go first where it can.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from typing import BinaryIO, NoReturn

from sinc_tui.engine.protocol import (
    Cancel,
    Command,
    Decompose,
    Error,
    Load,
    Measure,
    Wire,
    decode_command,
    encode,
)

_NICE = 5
"""A third of the weight of the program that draws beside it, while both want the same core."""


def main() -> NoReturn:
    """Serve until stdin ends."""
    if "--behind" in sys.argv[1:] and hasattr(os, "nice"):
        os.nice(_NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the app's to handle
    out = _private_stdout()
    lock = threading.Lock()

    def send(message: Wire) -> None:
        with lock:
            out.write(encode(message))
            out.flush()

    from sinc_tui.engine.service import Service

    service = Service(send)
    commands: queue.Queue[Command] = queue.Queue()
    threading.Thread(target=_read, args=(commands, service.cancel), daemon=True).start()
    while True:
        command = commands.get()
        try:
            if isinstance(command, Load):
                service.load(command)
            elif isinstance(command, Decompose):
                service.decompose(command)
            elif isinstance(command, Measure):
                service.measure(command)
        except BrokenPipeError:
            _end()
        except Exception as error:
            run = None if isinstance(command, Load) else command.run
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            send(Error(run=run, message=f"The engine failed: {error!r}.", logged=True))


def _read(commands: queue.Queue[Command], cancel: object) -> None:
    """Hand commands on; a cancel and the end go through at once, past the run under way."""
    assert callable(cancel)
    for line in sys.stdin.buffer:
        command = decode_command(line)
        if isinstance(command, Cancel):
            cancel(command.run)
        else:
            commands.put(command)
    _end()


def _end() -> NoReturn:
    """Nothing is left to save, and llama.cpp's own teardown can hang or crash."""
    os._exit(0)


def _private_stdout() -> BinaryIO:
    """Keep the pipe to the app for messages alone: whatever prints to stdout goes to the log."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return out


if __name__ == "__main__":
    main()
