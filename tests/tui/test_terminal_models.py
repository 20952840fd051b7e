"""The models screen in a real terminal, against a server that speaks the Hub's protocol."""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
import pytest

from sinc_tui.models import gguf_io
from tests.support.hub_server import COMMIT, Fault, Hub, Request, serving
from tests.support.scripted_app import WORKER
from tests.support.tmux import Terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

SCRIPTED = [sys.executable, str(WORKER.with_name("scripted_app.py"))]
REAL = [sys.executable, "-m", "sinc_tui.cli.main"]
NAME = "owner/mini/mini.gguf"
SIZE = 24 << 20


class Desk:
    """A terminal, the server beside it, and the folders of the app."""

    def __init__(self, folder: Path, hub: Hub, terminal: Terminal) -> None:
        self.folder, self.hub, self.terminal = folder, hub, terminal
        self.held = False
        hub.fault = self._fault
        self.environment = {
            "TERM": "tmux-256color",
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(folder / "hf"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_STATE_HOME": str(folder / "state"),
            "PYTHONPATH": ":".join(filter(None, sys.path)),
        }

    def open(self, command: list[str]) -> None:
        """The app, and the cursor on the model that the server has."""
        self.terminal.start(command, self.environment)
        self.terminal.wait_for("ready", seconds=120)
        self.terminal.keys("F11")
        self.terminal.wait_for("tiny .*in use", "mini", "It is loaded", seconds=120)
        self.terminal.keys("End")
        self.terminal.wait_for("Untrained for this job")

    def begin_anew(self) -> None:
        """Another terminal for the next start of the app."""
        self.terminal.close()
        folder = self.folder / "second"
        folder.mkdir()
        self.terminal = Terminal(folder, 120, 35)

    def close(self) -> None:
        """Esc, and the main screen; without the wait, what is typed next would be Alt and a letter."""
        self.terminal.keys("Escape")
        self.terminal.wait_until(lambda: "─ Models ─" not in self.terminal.screen(), "main screen")

    def sees(self, words: str) -> str:
        """The screen when the model's row says so."""
        return self.terminal.wait_for(rf"mini +{words}", seconds=120)

    def parts(self) -> list[Path]:
        return list((self.folder / "hf").rglob("*.part"))

    def _fault(self, request: Request) -> Fault | None:
        """While it is held, no answer brings more than a mebibyte."""
        held = self.held and request.side == "cdn" and request.method == "GET"
        return Fault(stall=1 << 20) if held else None


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A catalogue with one model more, whose file the server has."""
    content = write_model(tmp_path / "mini.gguf").read_bytes()
    config = tmp_path / "config" / "sinc-tui"
    config.mkdir(parents=True)
    (config / "models.toml").write_text(
        f"""[mini]
about = "A model of this test."
repository = "owner/mini"
commit = "{COMMIT}"
file = "mini.gguf"
size = {len(content)}
sha256 = "{hashlib.sha256(content).hexdigest()}"
licence = "MIT"
memory = 64
"""
    )
    terminal = Terminal(tmp_path, 120, 35)
    with serving(Hub(files={NAME: content})) as hub:
        desk = Desk(tmp_path, hub, terminal)
        yield desk
        desk.terminal.close()


def write_model(path: Path) -> Path:
    """A whole GGUF whose head is that of a model, and which no engine can run."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("mini")
    writer.add_token_list(["a", "b"])
    writer.add_tensor("token_embd.weight", np.zeros((SIZE // 4 // 64, 64), np.float32))
    gguf_io.write(writer)
    return path


def test_download_pause_go_on_switch(desk: Desk) -> None:
    """With an engine that runs anything."""
    terminal = desk.terminal
    desk.open(SCRIPTED)
    terminal.keys("m")
    terminal.wait_for("Only the model in use can be measured")
    desk.sees("25 MB to download +✓ fits +~")
    desk.held = True
    terminal.keys("d")
    desk.sees(r"↓ \d+%")
    terminal.keys("p")
    desk.sees(r"■ paused at \d+%")
    assert desk.parts()
    desk.close()
    terminal.type("my prompt")
    terminal.keys("F11")
    terminal.wait_for("Untrained for this job", r"mini +■ paused at \d+%")
    desk.held = False
    desk.hub.released.set()
    terminal.keys("d")
    desk.sees("✓ here")
    assert not desk.parts()
    terminal.keys("Enter")
    desk.sees("● in use +✓ fits +137 tok/s")
    desk.close()
    screen = terminal.wait_for("my prompt", r"mini · untrained")
    assert "137" not in screen
    saved = (desk.folder / "config/sinc-tui/settings.toml").read_text()
    assert tomllib.loads(saved) == {"model": "mini"}


def test_quitting_in_the_middle_keeps_what_has_arrived(desk: Desk) -> None:
    terminal = desk.terminal
    desk.held = True
    desk.open(SCRIPTED)
    terminal.keys("d")
    desk.sees(r"↓ [1-9]\d?%")
    desk.close()
    terminal.wait_for(r"↓ mini \d+%")
    terminal.keys("C-q")
    terminal.wait_until(terminal.dead, "end of the app")
    assert desk.parts()
    sent = desk.hub.sent
    assert sent > 0
    desk.held = False
    desk.hub.released.set()
    desk.begin_anew()
    desk.open(SCRIPTED)
    desk.sees(r"■ paused at [1-9]\d?%")
    desk.terminal.keys("d")
    desk.sees("✓ here")
    size = desk.hub.size(NAME)
    assert desk.hub.sent - sent < size, "what had arrived is not fetched again"


def test_a_file_that_no_engine_loads(desk: Desk) -> None:
    """With the real engine: the error says so, and the embedded model is back."""
    terminal = desk.terminal
    desk.open(REAL)
    terminal.keys("d")
    desk.sees("✓ here")
    terminal.keys("Enter")
    terminal.wait_for("mini.gguf could not be loaded", "engine.log", seconds=120)
    terminal.wait_for("tiny +● in use", seconds=120)
    assert not (desk.folder / "config/sinc-tui/settings.toml").exists()
    terminal.keys("x")
    terminal.wait_for(r"Delete mini \(25 MB\)\? x again deletes it")
    terminal.keys("x")
    desk.sees("25 MB to download")
    desk.close()
    terminal.type("hi")
    terminal.keys("Enter")
    screen = terminal.wait_for("finished", seconds=120)
    assert re.search(r"tiny · CPU · \d+ tok/s", screen)


def test_a_server_that_refuses(desk: Desk) -> None:
    terminal = desk.terminal
    desk.hub.gated.add("owner/mini")
    desk.open(SCRIPTED)
    terminal.keys("d")
    desk.sees("✗ failed")
    terminal.wait_for("owner/mini", "HF_TOKEN|accept|agree")
