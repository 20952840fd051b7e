"""The app's end of the pipe: a child that dies, talks rubbish, or does not want to go."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from sinc_tui.engine import client as client_module
from sinc_tui.engine.client import EngineClient, EngineDied
from sinc_tui.engine.protocol import Cancel, Decompose, Stopped
from sinc_tui.errors import SincError

IMPORTS = "import os, signal, sys, time\n"
ECHO = """
for line in sys.stdin.buffer:
    run = line.decode().split(':')[-1].strip(' }\\n')
    print('{"type": "stopped", "run": ' + run + '}', flush=True)
"""


async def child(program: str, tmp_path: Path) -> EngineClient:
    return await EngineClient.start(tmp_path / "log", [sys.executable, "-c", IMPORTS + program])


async def death(program: str, tmp_path: Path) -> str:
    """What is said of a child that ends by itself."""
    client = await child(program, tmp_path)
    with pytest.raises(EngineDied) as caught:
        await client.receive()
    await client.close()
    assert not client.alive
    assert str(tmp_path / "log") in caught.value.hint
    assert caught.value.retryable
    return caught.value.message


async def test_talk(tmp_path: Path) -> None:
    client = await child(ECHO, tmp_path)
    for run in (1, 2):
        await client.send(Cancel(run=run))
        assert await client.receive() == Stopped(run=run)
    assert client.alive
    await client.close()
    await client.close()
    assert not client.alive


@pytest.mark.parametrize(
    ("program", "cause"),
    [
        ("sys.exit(3)", "it ended with code 3"),
        ("", "it ended with code 0"),
        (
            "sys.stdout.write('half a line'); sys.stdout.flush(); os._exit(4)",
            "it ended with code 4",
        ),
        ("os.close(1); time.sleep(0.2); os._exit(5)", "it ended with code 5"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "it was ended by SIGSEGV"),
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            "it was ended by SIGKILL, perhaps for lack of memory",
        ),
    ],
)
async def test_death(program: str, cause: str, tmp_path: Path) -> None:
    """The true cause, also where the pipe closes before the child is gone."""
    assert await death(program, tmp_path) == f"The engine stopped: {cause}."


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="this system cannot look without reaping")
async def test_an_end_is_seen_before_asyncio_hears_of_it(tmp_path: Path) -> None:
    client = await EngineClient.start(tmp_path / "log", [sys.executable, "-c", "input()"])
    assert client.alive
    os.kill(client.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while client.alive and time.monotonic() < deadline:
        pass  # no turn for the event loop
    assert not client.alive
    await client.close()


async def test_dumb_and_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_DYING", 0.1)
    assert "SIGKILL" in await death("os.close(1); time.sleep(600)", tmp_path)


@pytest.mark.parametrize(
    "program",
    [
        "print('Hello, I am a library that prints.')",
        'print(\'{"type": "stopped"}\')',
        "print()",
        "sys.stdout.buffer.write(b'\\xff\\xfe\\n')",
        "sys.stdout.write('x' * (1 << 23)); sys.stdout.flush(); time.sleep(600)",
    ],
)
async def test_rubbish(program: str, tmp_path: Path) -> None:
    client = await child(program, tmp_path)
    with pytest.raises(SincError, match="The engine said something unreadable: ") as caught:
        await client.receive()
    assert len(caught.value.message) < 400
    assert str(tmp_path / "log") in caught.value.hint
    client.kill()
    await client.close()


async def test_nobody_hears(tmp_path: Path) -> None:
    client = await child("os.close(0); os._exit(6)", tmp_path)

    async def talk() -> None:
        while True:
            await client.send(Decompose(run=1, prompt="x" * 100_000))

    with pytest.raises(EngineDied, match="code 6"):
        await talk()
    await client.close()


async def test_text_that_is_no_unicode(tmp_path: Path) -> None:
    client = await child(ECHO, tmp_path)
    with pytest.raises(SincError, match="not valid Unicode"):
        await client.send(Decompose(run=1, prompt="half \ud83d of a pair"))
    await client.send(Cancel(run=7))
    assert await client.receive() == Stopped(run=7), "nothing of it was sent"
    await client.close()


async def test_a_child_that_does_not_go_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "_PATIENCE", 0.1)
    client = await child("time.sleep(600)", tmp_path)
    began = time.monotonic()
    await client.close()
    assert time.monotonic() - began < 30
    with pytest.raises(ProcessLookupError):
        os.kill(client.pid, 0)


async def test_the_log_is_added_to_until_it_is_long(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for _ in range(2):
        await death("print('said', file=sys.stderr)", tmp_path)
    assert log.read_text() == "said\nsaid\n"
    log.write_bytes(b"x" * (2 << 20))
    await death("print('said', file=sys.stderr)", tmp_path)
    assert log.read_text() == "said\n"
