"""HTTP over real sockets, to a server in a process of its own."""

from __future__ import annotations

import asyncio
import json
import signal
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sinc_tui.server.handlers import MOST_WAITING
from sinc_tui.server.http import MOST_BYTES
from sinc_tui.sinc.rulesets import RULESETS, problems
from tests.cli.processes import CLI
from tests.server.conftest import Served
from tests.support.scripted_worker import TEXTS

Serve = Callable[..., Served]


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=300)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield session


async def ask(
    client: aiohttp.ClientSession, address: str, body: str | bytes | None = None, **headers: str
) -> tuple[int, dict[str, Any]]:
    """Status and answer of a GET, or with a body of a POST as plain text."""
    method = "GET" if body is None else "POST"
    headers = {"Content-Type": "text/plain"} | headers
    async with client.request(method, address, data=body, headers=headers) as response:
        assert response.content_type == "application/json"
        return response.status, await response.json()


async def healthy(client: aiohttp.ClientSession, served: Served) -> None:
    """Return when the model is loaded."""
    while (await ask(client, f"{served.address}/health"))[1]["status"] != "healthy":
        await asyncio.sleep(0.02)


async def test_scatter_snr_validate(serve_http: Serve, client: aiohttp.ClientSession) -> None:
    served = serve_http()
    status, document = await ask(client, f"{served.address}/scatter", "fix line 3 – naïve")
    assert status == 200
    assert [fragment["x"] for fragment in document["fragments"]] == list(TEXTS.values())
    status, figure = await ask(client, f"{served.address}/snr", json.dumps(document))
    assert status == 200
    assert {key: figure[key] for key in document["_snr"]} == document["_snr"]
    assert not figure["valid"], "the figure and the time are extra keys"
    for key in ("_snr", "_elapsed_ms"):
        del document[key]
    for rules in RULESETS:
        answer = await ask(client, f"{served.address}/validate?rules={rules}", json.dumps(document))
        assert answer == (200, {"valid": True, "errors": [], "rules": rules})
    status, health = await ask(client, f"{served.address}/health")
    assert (status, health["status"], health["model"]) == (200, "healthy", "scripted")


async def test_wrong_questions(serve_http: Serve, client: aiohttp.ClientSession) -> None:
    address = serve_http().address
    asked = {
        "empty": (400, f"{address}/scatter", b" "),
        "not UTF-8 (byte 1)": (400, f"{address}/scatter", b"x\xff"),
        "no option top": (400, f"{address}/scatter?top=1", b"x"),
        "seed is wrong": (400, f"{address}/scatter?seed=x", b"x"),
        "not valid JSON": (400, f"{address}/snr", b"fix it"),
        "no rules": (400, f"{address}/validate?rules=x", b"{}"),
        "characters": (400, f"{address}/scatter", b"x" * 100_001),
        "size": (413, f"{address}/scatter", b"x" * (MOST_BYTES + 1)),
        "Not Found": (404, f"{address}/nothing", b"x"),
        "Method Not Allowed": (405, f"{address}/health", b"x"),
    }
    for words, (expected, where, body) in asked.items():
        status, answer = await ask(client, where, body)
        assert (status, set(answer)) == (expected, {"error", "hint", "retryable"}), words
        assert words in answer["error"]
        assert not answer["retryable"]
    half = await ask(client, f"{address}/validate", rb'{"\ud800": 1}')
    assert half[0] == 200
    assert not half[1]["valid"]


@pytest.mark.parametrize("path", ["scatter", "snr", "validate"])
async def test_bodies_that_their_headers_belie(
    serve_http: Serve, client: aiohttp.ClientSession, path: str
) -> None:
    served = serve_http()
    packed = zlib.compress(b"fix line 3" * 50, wbits=31)
    asked = {
        "damaged": [("gzip", b"abc"), ("gzip", packed[:20] + b"x" * 20), ("deflate", b"x" * 99)],
        "encoding 'x-unknown' is not": [("x-unknown", b"abc")],
        "encoding 'gzip, gzip' is not": [("gzip, gzip", packed)],
    }
    for words, bodies in asked.items():
        for encoding, body in bodies:
            headers = {"Content-Encoding": encoding}
            status, answer = await ask(client, f"{served.address}/{path}", body, **headers)
            assert (status, set(answer)) == (400, {"error", "hint", "retryable"}), encoding
            assert words in answer["error"]
            assert answer["hint"]
    assert served.end() == (0, "sinc-tui: Answering; Ctrl-C ends.\n")


async def test_a_body_may_be_packed(serve_http: Serve, client: aiohttp.ClientSession) -> None:
    packed = zlib.compress(b"fix line 3", wbits=31)
    headers = {"Content-Encoding": "GZIP"}
    status, document = await ask(client, f"{serve_http().address}/scatter", packed, **headers)
    assert status == 200
    assert [fragment["x"] for fragment in document["fragments"]] == list(TEXTS.values())


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01garbage\r\n\r\n",
        b"GET / NONSENSE\r\n\r\n",
        b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"x" * 20_000),
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nno header\r\n\r\n",
        b"POST /snr HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /snr HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc",
    ],
    ids=["tls", "version", "long", "header", "chunk", "brotli"],
)  # fmt: skip
async def test_what_is_no_http_is_refused_without_a_word(
    serve_http: Serve, request_: bytes
) -> None:
    served = serve_http()
    host, _, port = served.address.removeprefix("http://").rpartition(":")
    for _ in range(2):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request_)
        async with asyncio.timeout(60):
            assert b" 400 " in await reader.readline()
        writer.close()
    assert served.end() == (0, "sinc-tui: Answering; Ctrl-C ends.\n")


async def test_pages_of_other_sites_are_refused(
    serve_http: Serve, client: aiohttp.ClientSession
) -> None:
    address = serve_http().address
    assert (await ask(client, f"{address}/scatter", "x", Origin="http://evil.example"))[0] == 403
    assert (await ask(client, f"{address}/scatter", "x", Host="evil.example"))[0] == 403
    async with client.options(f"{address}/scatter") as response:
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_failures_of_the_engine(serve_http: Serve, client: aiohttp.ClientSession) -> None:
    for script, expected, retryable in (
        ("run-error", 400, False),
        ("crash", 503, True),
        ("load-error", 503, False),
    ):
        served = serve_http(script)
        for _ in range(2):
            status, answer = await ask(client, f"{served.address}/scatter", "x")
            assert (status, answer["retryable"]) == (expected, retryable), script
            assert answer["hint"]


async def test_clients_that_go_away_free_the_line(
    serve_http: Serve, client: aiohttp.ClientSession
) -> None:
    """As many as the line holds ask and hang up; only a line that empties takes the next."""
    served = serve_http("stuck")

    await healthy(client, served)

    async def waiting() -> int:
        return int((await ask(client, f"{served.address}/health"))[1]["waiting"])

    asking = [
        asyncio.create_task(ask(client, f"{served.address}/scatter", f"prompt {number}"))
        for number in range(MOST_WAITING + 1)
    ]
    while await waiting() < MOST_WAITING:
        await asyncio.sleep(0.02)
    status, answer = await ask(client, f"{served.address}/scatter", "one too many")
    assert (status, answer["retryable"]) == (503, True)
    for one in asking:
        one.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    while await waiting():
        await asyncio.sleep(0.02)
    assert (await ask(client, f"{served.address}/health"))[1]["status"] == "healthy"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_ends_in_mid_run_and_its_engine_too(
    serve_http: Serve, client: aiohttp.ClientSession, number: int
) -> None:
    served = serve_http("stuck")
    asking = asyncio.create_task(ask(client, f"{served.address}/scatter", "x"))
    await healthy(client, served)
    code, complaints = await asyncio.to_thread(served.end, number)
    assert (code, complaints) == (0, "sinc-tui: Answering; Ctrl-C ends.\n")
    await asyncio.gather(asking, return_exceptions=True)


async def test_the_real_model(
    serve_http: Serve, client: aiohttp.ClientSession, tiny_model: object, tmp_path: Path
) -> None:
    """The default model behind the real command, asked as sinc-llm's clients ask."""
    served = serve_http(command=[*CLI])
    status, document = await ask(
        client, f"{served.address}/scatter?decode=parallel", "fix line 3 of app.py"
    )
    assert status == 200
    assert document.pop("_snr")["fragments"] == "6/6"
    assert document.pop("_elapsed_ms") > 0
    text = json.dumps(document, ensure_ascii=False)
    assert {rules: problems(text, rules) for rules in RULESETS} == {rules: [] for rules in RULESETS}
    assert "app.py" in text
