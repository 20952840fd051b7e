"""HTTP for programs of this machine, in the shape that sinc-llm's clients know.

POST /scatter   a raw prompt as plain text -> a document with `_snr` and `_elapsed_ms`;
                `?seed=`, `?temperature=` and `?decode=` choose as on the command line
POST /snr       a document -> its figure, and what is wrong with it
POST /validate  a document -> whether it is valid; `?rules=` chooses whose rules
GET /health     how the server is
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiohttp import web

from sinc_tui.errors import SincError
from sinc_tui.server.handlers import (
    MOST_CHARACTERS,
    Answer,
    Handlers,
    RequestError,
    problem,
)
from sinc_tui.server.loopback import address_of, check_local, keep_quiet_about_strangers, listen

MOST_BYTES = 4 * MOST_CHARACTERS
"""Bytes of a request's body: what the longest prompt takes at most."""

_ENCODINGS = ("identity", "gzip", "deflate", "br", "zstd")
"""Of a body, that aiohttp decodes; the last two where a package for them is installed."""

_BELIED = RequestError(
    "The body is damaged, or not what its headers say.",
    hint="Check Content-Encoding and Transfer-Encoding, or send it as it is.",
)
_HINTS = {
    404: "There are POST /scatter, POST /snr, POST /validate and GET /health.",
    405: "There are POST /scatter, POST /snr, POST /validate and GET /health.",
    413: f"Send at most {MOST_BYTES:,} bytes.",
}


def serve(handlers: Handlers, *, host: str, port: int, tell: Callable[[str], None]) -> None:
    """Answer until Ctrl-C. Raises `SincError`. `tell` gets the address once somebody listens there."""
    keep_quiet_about_strangers()
    listener = listen(host, port)
    tell(address_of(listener))
    web.run_app(
        application(handlers),
        sock=listener,
        print=None,
        access_log=None,
        shutdown_timeout=1.0,
        handler_cancellation=True,  # who has gone away need not be answered
    )


def application(handlers: Handlers) -> web.Application:
    """All routes."""
    routes = _Routes(handlers)
    app = web.Application(middlewares=[_answer_in_json], client_max_size=MOST_BYTES)
    app.add_routes(
        [
            web.post("/scatter", routes.scatter),
            web.post("/snr", routes.snr),
            web.post("/validate", routes.validate),
            web.get("/health", routes.health),
        ]
    )
    app.cleanup_ctx.append(routes.engine)
    return app


class _Routes:
    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers

    async def engine(self, _app: web.Application) -> Any:
        """Load the model behind the server, and end the engine with it."""
        loading = asyncio.create_task(self._handlers.warm_up())
        yield
        loading.cancel()
        with suppress(asyncio.CancelledError):
            await loading
        await self._handlers.close()

    async def scatter(self, request: web.Request) -> web.Response:
        prompt = await _text(request)
        return _json(await self._handlers.scatter(prompt, dict(request.query)))

    async def snr(self, request: web.Request) -> web.Response:
        return _json(self._handlers.snr(await _text(request)))

    async def validate(self, request: web.Request) -> web.Response:
        rules = request.query.get("rules", "sinc-tui")
        return _json(self._handlers.validate(await _text(request), rules))

    async def health(self, _request: web.Request) -> web.Response:
        return _json(self._handlers.health())


async def _text(request: web.Request) -> str:
    encoding = request.headers.get("Content-Encoding") or "identity"
    if encoding.lower() not in _ENCODINGS:
        raise RequestError(
            f"The encoding {encoding!r} is not known.", hint="Send the body as it is."
        )
    raw = await request.read()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(
            f"The body is not UTF-8 (byte {error.start}).", hint="Send it as UTF-8."
        ) from None


@web.middleware
async def _answer_in_json(request: web.Request, handler: Any) -> web.StreamResponse:
    """Errors as JSON too: 400 for a wrong question, 503 where asking later may help."""
    try:
        check_local(request)
        response: web.StreamResponse = await handler(request)
        return response
    except web.HTTPException as error:
        text = (error.text or error.reason).strip()
        answer = {"error": text, "hint": _HINTS.get(error.status, ""), "retryable": False}
        return _json(answer, error.status)
    except RequestError as error:
        return _json(problem(error), 400)
    except web.RequestPayloadError:
        refusal = _json(problem(_BELIED), 400)
        refusal.force_close()  # where the next request begins, nobody knows
        return refusal
    except SincError as error:
        return _json(problem(error), 503)


def _json(answer: Answer, status: int = 200) -> web.Response:
    text = json.dumps(answer, ensure_ascii=False, indent=2)
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return web.Response(
        body=f"{text}\n".encode("utf-8", "backslashreplace"),
        status=status,
        content_type="application/json",
        charset="utf-8",
        headers=headers,
    )
