"""The screen in a browser: textual-serve on the loopback address, behind a secret in the address.

Each page gets an app of its own, a child process. All paths begin with the secret; what a request
without it gets is a refusal, whatever it asks for.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
import shlex
import sys
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from string import Template
from typing import Any

from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.server import Server, to_int

from sinc_tui.server.loopback import address_of, check_local, keep_quiet_about_strangers, listen

MOST_APPS = 8
"""Pages at a time; each of them loads a model."""

_PAGE = Path(__file__).with_name("page")
_FONT_SIZE = 16
"""Pixels, where the address does not say `?fontsize=`: 130 columns in a window of 1280 pixels."""
_LEAVE_SECONDS = 5.0
"""How long an app may take to end before it is killed. A new page waits for the app of one that was
closed just now, since that holds the draft of the prompt."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
        "img-src 'self' data:; connect-src 'self' ws://{host}; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def serve(
    command: Sequence[str],
    *,
    host: str,
    port: int,
    tell: Callable[[str], None],
    show: bool = True,
) -> None:
    """Serve the app that `command` starts, until Ctrl-C. Raises `SincError`.

    `tell` gets the address once somebody listens there; `show` opens it in the browser, too.
    """
    keep_quiet_about_strangers()
    listener = listen(host, port)
    start = address_of(listener)
    door = Door()
    tell(f"{start}/{door.token}/")
    app = web.Application(middlewares=[door.check])
    app.on_response_prepare.append(_add_headers)
    app.add_subapp(f"/{door.token}", AppServer(command).application())
    if show:
        app.on_startup.append(lambda _app: _open(f"{start}/{door.one_time()}/"))
    with contextlib.redirect_stdout(sys.stderr):  # where textual-serve puts an app's complaints
        web.run_app(app, sock=listener, print=None, access_log=None, shutdown_timeout=1.0)


class Door:
    """Lets in who knows the token."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(32)
        self._once = ""

    def one_time(self) -> str:
        """A secret that leads to the token once.

        It may stand in a command line, which other users of the machine can read.
        """
        self._once = secrets.token_urlsafe(32)
        return self._once

    @property
    def check(self) -> Any:
        """The middleware before everything else."""

        @web.middleware
        async def check(request: web.Request, handler: Any) -> web.StreamResponse:
            check_local(request)
            given = request.path.split("/")[1].encode("utf-8", "replace")
            if self._once and hmac.compare_digest(given, self._once.encode()):
                self._once = ""
                raise web.HTTPFound(f"/{self.token}/")
            if not hmac.compare_digest(given, self.token.encode()):
                raise web.HTTPForbidden(
                    text="Open the whole address that `sinc-tui web` printed: it holds the key.\n"
                )
            if request.path.count("/") == 1:
                raise web.HTTPFound(f"/{self.token}/")
            response: web.StreamResponse = await handler(request)
            return response

        return check


class AppServer(Server):
    """textual-serve's server with a page of our own, which asks nobody else for anything."""

    def __init__(self, command: Sequence[str]) -> None:
        super().__init__(f"exec {shlex.join(command)}", title="sinc-tui")
        self._apps: set[AppService] = set()
        self._leaving: set[asyncio.Task[None]] = set()

    def application(self) -> web.Application:
        """All routes, relative to where this is mounted."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/", self.handle_index),
                web.get("/ws", self.handle_websocket),
                web.get("/download/{key}", self.handle_download),
                web.static("/static", self.statics_path),
                web.static("/page", _PAGE),
            ]
        )
        app.on_shutdown.append(self._leave_all)
        return app

    async def handle_index(self, request: web.Request) -> web.Response:
        """The page."""
        if len(self._apps) >= MOST_APPS:
            raise web.HTTPServiceUnavailable(
                text=f"{MOST_APPS} pages are open already. Close one, then reload this one.\n"
            )
        page = Template((_PAGE / "index.html").read_text(encoding="utf-8"))
        size = min(max(to_int(request.query.get("fontsize", ""), _FONT_SIZE), 6), 64)
        text = page.substitute(websocket=f"ws://{request.host}{request.path}ws", font_size=size)
        return web.Response(text=text, content_type="text/html")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """An app for as long as its page is there; the page is told when the app ends."""
        if len(self._apps) >= MOST_APPS:
            raise web.HTTPServiceUnavailable(text="Too many pages are open.\n")
        websocket = web.WebSocketResponse(heartbeat=15)
        await websocket.prepare(request)
        app = _App(
            self.command,
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=websocket.close,  # type: ignore[arg-type]
            download_manager=self.download_manager,
        )
        self._apps.add(app)
        try:
            if self._leaving:
                await asyncio.wait(self._leaving)
            width, height = (to_int(request.query.get(name, ""), 0) for name in ("width", "height"))
            await app.start(width or 80, height or 24)
            await self._process_messages(websocket, app)
        finally:
            self._apps.discard(app)
            leaving = asyncio.create_task(app.stop())
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
            await asyncio.shield(leaving)
        return websocket

    async def _leave_all(self, _app: web.Application) -> None:
        await asyncio.gather(*self._leaving, *(app.stop() for app in self._apps))


class _App(AppService):
    """An app that leaves neither a page nor a process behind."""

    async def run(self) -> None:
        """Close the page's connection when the app ends, by a crash too."""
        await super().run()
        if self._process is not None:
            await self._process.wait()
        await self.remote_close()

    async def stop(self) -> None:
        """Ask the app to end, and kill one that does not."""
        try:
            await asyncio.wait_for(super().stop(), _LEAVE_SECONDS)
        except TimeoutError:
            if self._process is not None and self._process.returncode is None:
                self._process.kill()


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers[name] = value.format(host=request.host)


async def _open(address: str) -> None:
    asyncio.get_running_loop().run_in_executor(None, webbrowser.open, address)
