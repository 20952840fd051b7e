"""MCP over the pipes of a real child process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sinc_tui.models.default import ModelFile
from sinc_tui.rewriter import Rewriter
from sinc_tui.server.handlers import Handlers
from sinc_tui.server.mcp import MOST_BYTES, VERSIONS, Server
from sinc_tui.sinc.rulesets import RULESETS, problems
from tests.cli.processes import CLI, SCRIPTED, environment
from tests.support.scripted_app import WORKER
from tests.support.scripted_worker import TEXTS

SLOW_SPAWN = [sys.executable, str(Path(__file__).with_name("slow_spawn_main.py"))]
BANDS = {band.lower(): text for band, text in TEXTS.items()}


class Client:
    """Talks to a server, one line at a time."""

    def __init__(self, command: Sequence[str], home: Path) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=home, env=environment(home),
        )  # fmt: skip
        assert self.process.stdin
        assert self.process.stdout
        self._in, self._out = self.process.stdin, self.process.stdout
        self._last = 0

    def send(self, line: bytes) -> None:
        self._in.write(line + b"\n")
        self._in.flush()

    def say(self, method: str, identity: object = None, **params: Any) -> None:
        """A request, or without an identity a notification."""
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        self.send(json.dumps(message | ({} if identity is None else {"id": identity})).encode())

    def hear(self) -> dict[str, Any]:
        """The next message."""
        message = json.loads(self._out.readline())
        assert message["jsonrpc"] == "2.0"
        return message

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to a request, when nothing else is under way."""
        self._last += 1
        self.say(method, self._last, **params)
        answer = self.hear()
        assert answer["id"] == self._last
        return answer

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """What a tool answers."""
        result = self.ask("tools/call", name=name, arguments=arguments)["result"]
        assert not result["isError"], result
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
        return result["structuredContent"]

    def trouble(self, name: str, **arguments: Any) -> str:
        """What a tool complains about."""
        result = self.ask("tools/call", name=name, arguments=arguments)["result"]
        assert result["isError"]
        return result["content"][0]["text"]

    def abandon(self) -> None:
        """Hear no more of what it says."""
        self._out.close()

    def end(self) -> tuple[int, bytes, bytes]:
        """Close its input; exit code and what it still said."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


Start = Callable[..., Client]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start servers: on a script of the scripted engine, or with a command line."""
    with ExitStack() as stack:

        def begun(script: str = "normal", command: Sequence[str] = ()) -> Client:
            client = Client([*(command or [*SCRIPTED, script]), "mcp"], tmp_path)
            stack.callback(client.process.kill)
            return client

        yield begun


def test_handshake(start: Start) -> None:
    client = start()
    others = {"1999-01-01": VERSIONS[0], "2999-01-01": VERSIONS[0], "2025-03-26": "2024-11-05"}
    for asked, agreed in (dict(zip(VERSIONS, VERSIONS, strict=True)) | others).items():
        hello = client.ask("initialize", protocolVersion=asked)["result"]
        assert hello["protocolVersion"] == agreed
        assert hello["capabilities"] == {"tools": {}}
    assert client.ask("initialize")["result"]["protocolVersion"] == VERSIONS[0]
    client.say("notifications/initialized")
    assert client.ask("ping")["result"] == {}
    assert client.end() == (0, b"", b"")


def test_tools(start: Start) -> None:
    client = start()
    tools = {tool["name"]: tool for tool in client.ask("tools/list")["result"]["tools"]}
    assert list(tools) == ["sinc_scatter", "sinc_snr", "sinc_validate", "sinc_build"]
    for tool in tools.values():
        assert set(tool["inputSchema"]["required"]) <= set(tool["inputSchema"]["properties"])
    document = client.call("sinc_scatter", prompt="fix line 3", seed=7, decode="parallel")
    assert [fragment["x"] for fragment in document["fragments"]] == list(TEXTS.values())
    assert document["_elapsed_ms"] >= 0
    for given in (document, json.dumps(document)):
        figure = client.call("sinc_snr", sinc_json=given)
        assert figure["snr"] == document["_snr"]["snr"]
    built = client.call("sinc_build", **BANDS)
    assert built["fragments"] == document["fragments"]
    del built["_snr"]
    assert client.call("sinc_validate", sinc_json=built)["valid"]
    assert client.call("sinc_validate", sinc_json="[]", rules="article")["errors"]


def test_tools_complain_in_words(start: Start) -> None:
    client = start()
    assert "empty" in client.trouble("sinc_scatter", prompt=" ")
    assert "must be text" in client.trouble("sinc_scatter")
    assert "seed is wrong" in client.trouble("sinc_scatter", prompt="x", seed="x")
    assert "sinc_json" in client.trouble("sinc_snr")
    assert "not valid JSON" in client.trouble("sinc_snr", sinc_json="{")
    assert "no rules" in client.trouble("sinc_validate", sinc_json={}, rules=["x"])
    assert "no argument bogus" in client.trouble("sinc_snr", sinc_json={}, bogus=1)
    assert "no argument top, x." in client.trouble("sinc_scatter", prompt="x", x=1, top=1)
    assert "TASK has 2 sentences" in client.trouble("sinc_build", **BANDS | {"task": "A b. C d."})
    assert "Run again" in start("crash").trouble("sinc_scatter", prompt="x")
    assert "Choose another model" in start("load-error").trouble("sinc_scatter", prompt="x")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"fix line 3", -32700),
        (b'{"jsonrpc": "2.0", "id": 1', -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b'{"id": 1, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": [], "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": NaN, "method": "ping"}', -32700),
        (b'{"jsonrpc": "2.0", "id": -Infinity, "method": "ping"}', -32700),
        (b'{"jsonrpc": "2.0", "id": 1e999, "method": "ping"}', -32600),
        (b"x" * (MOST_BYTES + 1), -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "resources/list"}', -32601),
        (b'{"jsonrpc": "2.0", "id": 1, "method": ["ping"]}', -32601),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]}', -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "x"}}', -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", '
         b'"params": {"name": "sinc_snr", "arguments": "x"}}', -32602),
    ],
    ids=lambda value: str(value[:40] if isinstance(value, bytes) else value),
)  # fmt: skip
def test_what_breaks_the_protocol_is_answered_and_survived(
    start: Start, line: bytes, code: int
) -> None:
    client = start()
    client.send(line)
    assert client.hear()["error"]["code"] == code
    assert client.ask("ping")["result"] == {}


def test_what_needs_no_answer_gets_none(start: Start) -> None:
    client = start()
    client.send(b"")
    client.send(b'{"jsonrpc": "2.0", "id": 5, "result": {}}')
    client.say("notifications/unknown")
    client.say("notifications/cancelled", requestId=["never"])
    assert client.ask("ping")["result"] == {}


def test_what_was_asked_is_answered_after_the_input_ends(start: Start) -> None:
    """A file in a pipe: the last answer comes when the input is over."""
    client = start("normal")
    client.say("initialize", 1)
    client.say("tools/call", 2, name="sinc_scatter", arguments={"prompt": "fix line 3"})
    client.say("tools/list", 3)
    out, _ = client.process.communicate(timeout=30)
    assert sorted(json.loads(line)["id"] for line in out.splitlines()) == [1, 2, 3]
    assert client.process.returncode == 0


async def test_a_run_may_take_an_hour_after_the_input_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    worker = [sys.executable, str(WORKER), "--hold", str(hold)]
    handlers = Handlers(Rewriter(ModelFile(Path("x.gguf"), "scripted"), worker=worker))
    answers: list[dict[str, Any]] = []
    server = Server(handlers, answers.append)
    call = {"name": "sinc_scatter", "arguments": {"prompt": "x"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    server.take(json.dumps(message).encode())
    ending = asyncio.create_task(server.finish())
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    later = loop.time() + 3600
    with monkeypatch.context() as patch:
        patch.setattr(loop, "time", lambda: later)  # whatever waits for a time is over
        for _ in range(3):
            await asyncio.sleep(0)
    ended_early = ending.done()
    hold.unlink()
    await ending
    await server.close()
    await handlers.close()
    assert not ended_early
    assert [answer["id"] for answer in answers] == [1]


@pytest.mark.parametrize("busy", [False, True])
def test_ctrl_c_ends_it_quietly(start: Start, busy: bool) -> None:
    client = start("stuck")
    if busy:
        client.say("tools/call", "x", name="sinc_scatter", arguments={"prompt": "x"})
    assert client.ask("ping")["result"] == {}
    client.process.send_signal(signal.SIGINT)
    client.process.wait(timeout=60)  # while its input is open
    assert client.end() == (130, b"", b"\n")


def test_a_reader_that_is_gone_ends_it_quietly(start: Start) -> None:
    """With a run under way that would never end, and while its input is open."""
    client = start("stuck")
    client.say("tools/call", 1, name="sinc_scatter", arguments={"prompt": "x"})
    client.abandon()
    client.say("ping", 2)
    client.process.wait(timeout=60)
    assert client.process.stderr
    assert (client.process.returncode, client.process.stderr.read()) == (141, b"")


PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
SCATTER = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
           "params": {"name": "sinc_scatter", "arguments": {"prompt": "x"}}}  # fmt: skip
FAILING = pytest.mark.parametrize(
    ("main", "message"),
    [(SLOW_SPAWN, PING), (SCRIPTED, SCATTER)],
    ids=["while the engine is spawned", "when it has run"],
)


def _deaf(main: Sequence[str], message: object, out: Any, home: Path) -> tuple[int, bytes]:
    """Exit code and complaints of a server that cannot write, while its input is open."""
    with subprocess.Popen(
        [*main, "normal", "mcp"], stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE,
        cwd=home, env=environment(home),
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stderr
        try:
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
            return process.wait(timeout=60), process.stderr.read()
        finally:
            process.kill()


@FAILING
def test_a_closed_pipe_ends_it_at_any_time(
    tmp_path: Path, main: Sequence[str], message: object
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        assert _deaf(main, message, closed, tmp_path) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@FAILING
def test_a_full_disk_is_an_error_at_any_time(
    tmp_path: Path, main: Sequence[str], message: object
) -> None:
    with open("/dev/full", "wb") as full:
        code, complaint = _deaf(main, message, full, tmp_path)
    assert code == 1
    assert complaint.startswith(b"sinc-tui: Standard output cannot be written")
    assert complaint.count(b"\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error_after_the_input_ends(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(
            [*SLOW_SPAWN, "normal", "mcp"], stdout=full, stderr=subprocess.PIPE,
            input=json.dumps(PING).encode(),
            cwd=tmp_path, env=environment(tmp_path), check=False, timeout=60,
        )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr.startswith(b"sinc-tui: Standard output cannot be written")
    assert ran.stderr.count(b"\n") == 1


def test_without_a_standard_input(tmp_path: Path) -> None:
    ran = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *SCRIPTED, "normal", "mcp"], capture_output=True,
        cwd=tmp_path, env=environment(tmp_path), check=False, timeout=60,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert ran.stderr == b"sinc-tui: There is no standard input to read.\n"


def test_a_call_is_cancelled_and_others_go_on_meanwhile(start: Start) -> None:
    """A run that is stuck: without the cancellation the second call would never be answered."""
    client = start("stuck")
    arguments = {"prompt": "x"}
    client.say("tools/call", "first", name="sinc_scatter", arguments=arguments)
    assert client.ask("ping")["result"] == {}
    client.say("notifications/cancelled", requestId="first")
    client.say("tools/call", "second", name="sinc_scatter", arguments=arguments)
    assert client.call("sinc_snr", sinc_json="{}")["fragments"] == "0/6"
    client.say("notifications/cancelled", requestId="second")
    assert client.end() == (0, b"", b"")


def test_the_real_model(start: Start, tiny_model: object) -> None:
    client = start(command=CLI)
    client.ask("initialize", protocolVersion=VERSIONS[0])
    document = client.call("sinc_scatter", prompt="fix line 3 of app.py", decode="parallel")
    assert document.pop("_snr")["fragments"] == "6/6"
    assert document.pop("_elapsed_ms") > 0
    text = json.dumps(document, ensure_ascii=False)
    assert {rules: problems(text, rules) for rules in RULESETS} == {rules: [] for rules in RULESETS}
    assert client.end() == (0, b"", b"")
