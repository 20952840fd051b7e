"""Who is let in to the app on a page, over real sockets; nothing here needs a browser."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from sinc_tui.errors import SincError
from sinc_tui.server.loopback import address_of, listen
from tests.server.conftest import Served
from tests.support.waiting import until

Serve = Callable[..., Served]

processes = pytest.mark.skipif(
    sys.platform != "linux", reason="the server's processes are looked up in /proc"
)
PATHS = ["", "ws", "static/js/textual.js", "page/page.js", "download/1"]


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def status(client: aiohttp.ClientSession, address: str, **headers: str) -> int:
    async with client.get(address, headers=headers, allow_redirects=False) as response:
        return response.status


async def test_the_printed_address_serves_page_and_files(
    serve: Serve, client: aiohttp.ClientSession
) -> None:
    served = serve()
    async with client.get(served.address) as response:
        page = await response.text()
        assert response.status == 200
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "https:" not in page, "the page asks nobody else for anything"
    for path in PATHS[2:4]:
        assert await status(client, served.address + path) == 200
    assert await status(client, served.address.rstrip("/")) == 302


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("key", ["", "x/", "é/", "%ff/", "{half}/"])
async def test_without_the_key_nothing_is_served(
    serve: Serve, client: aiohttp.ClientSession, path: str, key: str
) -> None:
    served = serve()
    half = served.address.rstrip("/").rpartition("/")[2][:20]
    assert await status(client, f"{served.origin}/{key.format(half=half)}{path}") == 403
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.ws_connect(f"{served.origin}/{key.format(half=half)}ws")
    assert refused.value.status == 403


async def test_another_page_or_name_is_refused_even_with_the_key(
    serve: Serve, client: aiohttp.ClientSession
) -> None:
    served = serve()
    port = urlsplit(served.address).port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", "localhost:9"):
        assert await status(client, served.address, Host=host) == 200, host
    for host in (
        f"evil.example:{port}",
        "127.0.0.1.evil.example",
        "192.168.0.2",
        "",
        "a b",
        "[",
        "@",
    ):
        assert await status(client, served.address, Host=host) == 403, host
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{(port or 0) + 1}", "file://"):
        assert await status(client, served.address, Origin=origin) == 403
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(served.address + "ws", headers={"Origin": origin})
        assert refused.value.status == 403


@processes
async def test_the_websocket_runs_an_app_that_ends_with_it(
    serve: Serve, client: aiohttp.ClientSession
) -> None:
    served = serve()
    headers = {"Origin": served.origin}
    async with client.ws_connect(
        f"{served.address}ws?width=120&height=35", headers=headers
    ) as page:
        seen = b""
        while b"CONSTRAINTS" not in seen:
            seen += await page.receive_bytes(timeout=60)
        apps = children(served.process.pid)
        assert len(apps) == 1
    await until(lambda: not children(served.process.pid))
    await until(lambda: not Path(f"/proc/{apps[0]}").exists())


@processes
async def test_an_app_that_crashes_ends_its_page(
    serve: Serve, client: aiohttp.ClientSession
) -> None:
    served = serve()
    async with client.ws_connect(served.address + "ws") as page:
        await page.receive_bytes(timeout=60)
        subprocess.run(["kill", "-9", children(served.process.pid)[0]], check=True)
        while (await page.receive(timeout=60)).type is aiohttp.WSMsgType.BINARY:
            pass
        assert page.closed


@processes
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_apps_end_with_the_server(
    serve: Serve, client: aiohttp.ClientSession, number: int
) -> None:
    served = serve()
    async with client.ws_connect(served.address + "ws") as page:
        await page.receive_bytes(timeout=60)
        (app,) = children(served.process.pid)
        code, complaints = served.end(number)
        assert (code, complaints) == (0 if number != signal.SIGKILL else -signal.SIGKILL, "")
    await until(lambda: not Path(f"/proc/{app}").exists())


def test_what_is_no_http_is_refused_without_a_word(serve: Serve) -> None:
    served = serve()
    url = urlsplit(served.address)
    for _ in range(2):
        with socket.create_connection((url.hostname, url.port), timeout=60) as stranger:
            stranger.sendall(b"GET / NONSENSE\r\n\r\n")
            assert b" 400 " in stranger.recv(100)
    assert served.end() == (0, "")


async def test_too_many_pages(serve: Serve, client: aiohttp.ClientSession) -> None:
    from sinc_tui.server.web import MOST_APPS

    served = serve()
    pages = [await client.ws_connect(served.address + "ws") for _ in range(MOST_APPS)]
    async with client.get(served.address) as response:
        assert response.status == 503
        assert "Close one" in await response.text()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.ws_connect(served.address + "ws")
    assert refused.value.status == 503
    await pages[0].close()
    assert await status(client, served.address) == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_only_this_machine_is_listened_to(host: str) -> None:
    with pytest.raises(SincError, match="is not an address of this machine alone") as refused:
        listen(host, 0)
    assert "ssh -L" in refused.value.hint


def test_listening() -> None:
    with listen("localhost", 0) as listener:
        address = address_of(listener)
        assert address.startswith("http://127.0.0.1:")
        port = listener.getsockname()[1]
        with pytest.raises(SincError, match=f"Port {port} is in use") as refused:
            listen("127.0.0.1", port)
        assert "--port" in refused.value.hint
    if socket.has_ipv6:
        with listen("::1", 0) as listener:
            assert address_of(listener).startswith("http://[::1]:")


async def test_the_key_for_the_browser_works_once(client: aiohttp.ClientSession) -> None:
    from aiohttp import web
    from aiohttp.test_utils import TestServer

    from sinc_tui.server.web import Door

    door = Door()
    once = door.one_time()
    server = TestServer(web.Application(middlewares=[door.check]))
    async with server:
        address = str(server.make_url(f"/{once}/"))
        async with client.get(address, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (302, f"/{door.token}/")
        assert await status(client, address) == 403


def children(pid: int) -> list[str]:
    """Process ids of a server's apps."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [child for child in found if Path(f"/proc/{child}").exists()]
