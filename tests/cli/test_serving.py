"""`sinc-tui web` and `serve` as processes: address on stdout, refusals that say what to do."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from sinc_tui.extras import install_line
from tests.cli.processes import CLI, ROOT, environment, run
from tests.support.waiting import until


@pytest.mark.parametrize("settings", ["", "model = 'small'\n"])
def test_it_prints_the_address_alone_and_serves_it(tmp_path: Path, settings: str) -> None:
    """Also where the settings name a model that is not here: the page leads to the models."""
    folder = tmp_path / "config" / "sinc-tui"
    folder.mkdir(parents=True)
    (folder / "settings.toml").write_text(settings)
    process = subprocess.Popen(
        [*CLI, "web", "--port", "0", "--no-open"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=tmp_path, env=environment(tmp_path) | {"HF_HOME": str(tmp_path)}, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    address = process.stdout.readline()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{43}/\n", address)
    with urllib.request.urlopen(address.strip(), timeout=60) as response:
        assert b"<title>sinc-tui</title>" in response.read()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert err == "sinc-tui: Open this address in a browser; Ctrl-C ends.\n"


@pytest.mark.parametrize("command", ["web", "serve"])
def test_a_port_in_use(tmp_path: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ran = run([*CLI, command, "--port", str(port)], tmp_path)
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert f"Port {port} is in use".encode() in ran.stderr
    assert b"--port 0" in ran.stderr


@pytest.mark.parametrize("command", ["web", "serve"])
def test_an_address_that_others_reach(tmp_path: Path, command: str) -> None:
    ran = run([*CLI, command, "--port", "0", "--host", "0.0.0.0"], tmp_path)
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert b"0.0.0.0 is not an address of this machine alone" in ran.stderr


@pytest.mark.parametrize("command", ["web", "serve", "mcp"])
def test_a_model_that_is_not_here(tmp_path: Path, command: str) -> None:
    """Told at once, not by a page that ends."""
    ran = run([*CLI, command, "--model", "small"], tmp_path, HF_HOME=str(tmp_path))
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert b"sinc-tui models pull small" in ran.stderr


def test_what_is_wrong_with_the_settings_is_told(tmp_path: Path) -> None:
    settings = tmp_path / "config" / "sinc-tui" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("model = ", encoding="utf-8")
    ran = run([*CLI, "mcp"], tmp_path)
    assert (ran.returncode, ran.stdout) == (0, b"")
    assert ran.stderr.count(f"sinc-tui: {settings} is not TOML".encode()) == 1
    ran = run([*CLI, "serve", "--host", "0.0.0.0"], tmp_path)
    assert ran.stderr.count(f"sinc-tui: {settings} is not TOML".encode()) == 1


@pytest.mark.parametrize(("command", "missing"), [("web", "textual_serve"), ("serve", "aiohttp")])
def test_without_the_extra(tmp_path: Path, command: str, missing: str) -> None:
    program = (
        "import importlib.util, sys; find = importlib.util.find_spec; "
        f"importlib.util.find_spec = lambda name, *a: None if name == {missing!r} else find(name, *a); "
        f"from sinc_tui.cli.main import main; sys.exit(main([{command!r}]))"
    )
    ran = run([sys.executable, "-c", program], tmp_path)
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert install_line(command).encode() in ran.stderr


async def test_the_browser_is_opened_by_a_key_that_works_once(tmp_path: Path) -> None:
    """What stands in a command line is read by other users; the printed key must not stand there."""
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    changes = {"BROWSER": f"{browser} %s", "DISPLAY": ":99", "PYTHONPATH": str(ROOT)}
    gone = ("SSH_TTY", "SSH_CONNECTION", "SSH_CLIENT")
    around = {
        k: v for k, v in (os.environ | environment(tmp_path) | changes).items() if k not in gone
    }
    process = subprocess.Popen(
        [*CLI, "web", "--port", "0"], stdout=subprocess.PIPE, cwd=tmp_path, env=around, text=True
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        await until(opened.exists)
        shown = opened.read_text().strip()
        assert shown.rpartition("/")[0] != address.rpartition("/")[0]
        with urllib.request.urlopen(shown, timeout=60) as response:
            assert response.geturl() == address
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(shown, timeout=60)
    finally:
        process.terminate()
        process.communicate(timeout=60)
