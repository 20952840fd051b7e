"""An engine's child process without a model: speaks the wire protocol, writes what it is told to.

    python scripted_worker.py [--script NAME] [--delay SECONDS] [--pid-file PATH] [--texts JSON]
                              [--hold PATH] [--hold-load PATH]

Scripts: `normal`; `gpu-crash` dies while it loads, unless it was told to leave the GPU alone; `crash`
kills itself in the middle of CONSTRAINTS; `load-error` answers the load with an error, `run-error` the
run; `stuck` writes two bands and then nothing until it is cancelled; `hostile` writes texts that would
act on a terminal or on markup. While the file of `--hold` is there, every script
waits in the middle of CONSTRAINTS, and before it says how fast it is; while that of `--hold-load` is
there, in the middle of loading.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from sinc_tui.engine import protocol
from sinc_tui.sinc.bands import Band

TEXTS = {
    Band.PERSONA: "You are a careful programmer who fixes single lines of code.",
    Band.CONTEXT: "The user wants line 3 fixed. Not given: the file, the language, the error.",
    Band.DATA: "fix line 3.",
    Band.CONSTRAINTS: (
        "Ask for the file and the error message when they are missing. Change line 3 and nothing "
        "else. Keep the style and the names of the code around it. Say in one line what was wrong. "
        "Do not invent code that the user did not show. If line 3 is right, name the line that is "
        "not."
    ),
    Band.FORMAT: "The corrected line in a code block, then one sentence on the cause.",
    Band.TASK: "Fix line 3 of the code.",
}

HOSTILE = TEXTS | {
    Band.PERSONA: "You are [bold red]not markup[/] and [link=https://example.org]no link[/link].",
    Band.CONTEXT: "Escape \x1b[31mred\x1b[0m, bell \x07, bidi \u202egnihton, \x1b]0;owned\x07.",
    Band.DATA: "日本語 👩‍👩‍👧 e\u0301 שלום zero\u200bwidth [/] [@click=app.quit]quit[/]",
}

SPEED = 137.0
"""Tokens a second that it says of itself."""


class Worker:
    """Reads commands from stdin and answers on stdout, one run at a time."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._cancelled: set[int] = set()
        self._writing = threading.Lock()
        self._texts = _texts(options)

    def serve(self) -> None:
        """Answer until stdin ends."""
        for line in sys.stdin.buffer:
            command = protocol.decode_command(line)
            if isinstance(command, protocol.Load):
                self._load(command)
            elif isinstance(command, protocol.Cancel):
                self._cancelled.add(command.run)
            elif isinstance(command, protocol.Measure):
                threading.Thread(target=self._measure, args=[command], daemon=True).start()
            else:
                threading.Thread(target=self._decompose, args=[command], daemon=True).start()

    def _load(self, command: protocol.Load) -> None:
        layers = 5 if command.options.n_gpu_layers is None else command.options.n_gpu_layers
        if self._options.script == "gpu-crash":
            self._say(protocol.Planned(settings="as it comes", n_gpu_layers=layers))
        for fraction in (0.0, 0.4, 1.0):
            self._say(protocol.Progress(fraction=fraction))
            time.sleep(self._options.delay)
        while self._options.hold_load and self._options.hold_load.exists():
            time.sleep(0.01)
        if self._options.script == "gpu-crash" and layers:
            os.abort()
        if self._options.script == "load-error":
            self._say(
                protocol.Error(
                    run=None, message="This file is no GGUF.", hint="Choose another model."
                )
            )
            return
        info = protocol.ModelInfo(
            name=command.name,
            trained=False,
            backend="CPU",
            n_ctx=2048,
            n_threads=2,
            n_gpu_layers=0,
            layout="scripted",
        )
        self._say(protocol.Ready(info=info))

    def _measure(self, command: protocol.Measure) -> None:
        self._hold(command)
        if command.run in self._cancelled:
            return self._say(protocol.Stopped(run=command.run))
        if self._options.script == "run-error":
            return self._say(protocol.Error(run=command.run, message="It cannot be measured."))
        return self._say(protocol.Measured(run=command.run, tokens_per_second=SPEED))

    def _decompose(self, command: protocol.Decompose) -> None:
        begun = time.monotonic()
        if self._options.script == "run-error":
            return self._say(
                protocol.Error(
                    run=command.run, message="The prompt is too long.", hint="Shorten it."
                )
            )
        for band, text in self._texts.items():
            if band in command.given:
                continue
            for number, piece in enumerate(_pieces(text)):
                if number == 9 and band is Band.CONSTRAINTS:
                    self._hold(command)
                if command.run in self._cancelled:
                    return self._say(protocol.Stopped(run=command.run))
                self._interrupt(command, band)
                self._say(protocol.Delta(run=command.run, band=band, text=piece))
                time.sleep(self._options.delay)
            self._say(protocol.BandEnd(run=command.run, band=band, text=text))
        return self._say(protocol.Done(run=command.run, stats=self._stats(command, begun)))

    def _interrupt(self, command: protocol.Decompose, band: Band) -> None:
        """What the script has in store at this point."""
        if self._options.script == "crash" and band is Band.CONSTRAINTS:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._options.script == "stuck" and band is Band.DATA:
            while command.run not in self._cancelled:
                time.sleep(0.01)

    def _hold(self, command: protocol.Decompose | protocol.Measure) -> None:
        hold = self._options.hold
        while hold and hold.exists() and command.run not in self._cancelled:
            time.sleep(0.01)

    def _stats(self, command: protocol.Decompose, begun: float) -> protocol.RunStats:
        free = sum(len(list(_pieces(text))) for text in self._texts.values())
        return protocol.RunStats(
            prompt_tokens=len(command.prompt.split()),
            free_tokens=free,
            seconds=time.monotonic() - begun,
            seconds_to_first=0.0,
            seed=command.sampler.seed,
        )

    def _say(self, message: protocol.Wire) -> None:
        with self._writing:
            sys.stdout.buffer.write(protocol.encode(message))
            sys.stdout.buffer.flush()


def _pieces(text: str) -> Iterator[str]:
    """The text in bits about as long as a token."""
    return (text[at : at + 4] for at in range(0, len(text), 4))


def _texts(options: argparse.Namespace) -> dict[Band, str]:
    if options.texts:
        read = json.loads(options.texts.read_text())
        return {band: read[band.value] for band in Band}
    return HOSTILE if options.script == "hostile" else TEXTS


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--script", default="normal")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds after each piece")
    parser.add_argument("--pid-file", type=Path)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--hold", type=Path)
    parser.add_argument("--hold-load", type=Path)
    options = parser.parse_args()
    print("NOISE: the worker speaks on stderr", file=sys.stderr, flush=True)
    if options.pid_file:
        options.pid_file.write_text(str(os.getpid()))
    Worker(options).serve()


if __name__ == "__main__":
    main()
