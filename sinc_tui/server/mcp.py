"""The Model Context Protocol on standard input and output: JSON-RPC, one message a line.

Three tools need of the protocol only the handshake, the list, the call and its cancellation, so it
is spoken here; the official package would bring a web server, an HTTP client and cryptography along.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import threading
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, BinaryIO, NoReturn

from sinc_tui import __version__
from sinc_tui.errors import SincError
from sinc_tui.server.handlers import CHOICES, Answer, Handlers, as_text
from sinc_tui.server.mcp_tools import INSTRUCTIONS, TOOLS

VERSIONS = ("2025-11-25", "2025-06-18", "2024-11-05")
"""Of the protocol, the newest first; 2025-03-26 wants batches, which the others do not have."""

MOST_BYTES = 4_000_000
"""Bytes of a message; a longer one is answered with an error."""

_PARSE, _INVALID, _NO_METHOD, _PARAMS, _INTERNAL = -32700, -32600, -32601, -32602, -32603
_TAKES = {tool["name"]: list(tool["inputSchema"]["properties"]) for tool in TOOLS}

Message = dict[str, Any]


class ProtocolError(Exception):
    """The message breaks the protocol; `code` is JSON-RPC's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def serve(handlers: Handlers, write: Callable[[str], None]) -> None:
    """Answer until standard input ends, and what was asked until then, however long that takes.

    `write` gets each answer as a line; a `SincError` or `SystemExit` that it raises ends everything
    at once, and is raised from here.
    """
    asyncio.run(_serve(handlers, write))


async def _serve(handlers: Handlers, write: Callable[[str], None]) -> None:
    loading = asyncio.create_task(handlers.warm_up())
    failed: asyncio.Future[SincError | SystemExit] = asyncio.get_running_loop().create_future()

    def tell(message: Message) -> None:
        # A SystemExit out of a task would end the loop, with asyncio's own tasks half done.
        try:
            write(_line(message))
        except (SincError, SystemExit) as error:
            if not failed.done():
                failed.set_result(error)

    server = Server(handlers, tell)
    taking = asyncio.create_task(_take_all(server))
    ends: list[asyncio.Future[Any]] = [failed, taking]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            raise failed.result()
        taking.result()
    finally:
        loading.cancel()
        taking.cancel()
        await server.close()
        await asyncio.gather(loading, taking, return_exceptions=True)
        await handlers.close()


async def _take_all(server: Server) -> None:
    """Answer all that comes on standard input."""
    # Not sys.stdin: the interpreter locks that when it ends, and a thread that reads holds it.
    lines = _lines(os.fdopen(0, "rb", closefd=False))
    while (line := await lines.get()) is not None:
        server.take(line)
    await server.finish()


class Server:
    """Answers messages, several at a time; `write` gets each answer."""

    def __init__(self, handlers: Handlers, write: Callable[[Message], None]) -> None:
        self._write = write
        self._calls: dict[Any, asyncio.Task[None]] = {}
        self._tools: dict[str, Callable[[Answer], Awaitable[Answer]]] = {
            "sinc_scatter": _scatter(handlers),
            "sinc_snr": _plain(lambda given: handlers.snr(_document(given))),
            "sinc_validate": _plain(
                lambda given: handlers.validate(_document(given), given.get("rules", "sinc-tui"))
            ),
            "sinc_build": _plain(handlers.build),
        }

    def take(self, line: bytes) -> None:
        """Begin to answer a message."""
        try:
            message = _read(line)
        except ProtocolError as error:
            self._refuse(None, error)
            return
        if "method" not in message:
            return  # an answer, and nothing was asked
        if "id" not in message:
            self._notified(message)
            return
        identity = message["id"]
        task = asyncio.create_task(self._answer(identity, message))
        self._calls[identity] = task
        task.add_done_callback(lambda done: self._forget(identity, done))

    async def finish(self) -> None:
        """Let what is under way end: a client that closed its side may still read."""
        if calls := list(self._calls.values()):
            await asyncio.wait(calls)

    async def close(self) -> None:
        """Stop what is under way."""
        calls = list(self._calls.values())
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    def _notified(self, message: Message) -> None:
        params = message.get("params")
        if message["method"] == "notifications/cancelled" and isinstance(params, dict):
            call = self._calls.get(_hashable(params.get("requestId")))
            if call is not None:
                call.cancel()

    def _forget(self, identity: Any, done: asyncio.Task[None]) -> None:
        if self._calls.get(identity) is done:
            del self._calls[identity]

    async def _answer(self, identity: Any, message: Message) -> None:
        try:
            result = await self._result(message["method"], message.get("params") or {})
        except ProtocolError as error:
            self._refuse(identity, error)
        except Exception as error:
            self._refuse(identity, ProtocolError(_INTERNAL, f"{type(error).__name__}: {error}"))
        else:
            self._write({"jsonrpc": "2.0", "id": identity, "result": result})

    def _refuse(self, identity: Any, error: ProtocolError) -> None:
        reason = {"code": error.code, "message": str(error)}
        self._write({"jsonrpc": "2.0", "id": identity, "error": reason})

    async def _result(self, method: object, params: object) -> Message:
        if not isinstance(params, dict):
            raise ProtocolError(_PARAMS, "The parameters must be an object.")
        match method:
            case "initialize":
                return _hello(params.get("protocolVersion"))
            case "ping":
                return {}
            case "tools/list":
                return {"tools": TOOLS}
            case "tools/call":
                return await self._call(params)
        raise ProtocolError(_NO_METHOD, f"There is no method {method!r}.")

    async def _call(self, params: Message) -> Message:
        name, given = params.get("name"), params.get("arguments") or {}
        if not isinstance(name, str) or name not in self._tools:
            raise ProtocolError(_PARAMS, f"There is no tool {name!r}.")
        if not isinstance(given, dict):
            raise ProtocolError(_PARAMS, "The arguments must be an object.")
        try:
            _check_names(name, given)
            answer = await self._tools[name](given)
        except SincError as error:
            return {"content": [{"type": "text", "text": str(error)}], "isError": True}
        text = json.dumps(answer, ensure_ascii=False, indent=2)
        return {
            "content": [{"type": "text", "text": text}],
            "structuredContent": answer,
            "isError": False,
        }


def _scatter(handlers: Handlers) -> Callable[[Answer], Awaitable[Answer]]:
    async def scatter(given: Answer) -> Answer:
        prompt = given.get("prompt")
        if not isinstance(prompt, str):
            raise SincError("`prompt` must be text.")
        choices = {name: given[name] for name in CHOICES if name in given}
        return await handlers.scatter(prompt, choices)

    return scatter


def _plain(answer: Callable[[Answer], Answer]) -> Callable[[Answer], Awaitable[Answer]]:
    async def tool(given: Answer) -> Answer:
        return answer(given)

    return tool


def _check_names(tool: str, given: Answer) -> None:
    if unknown := given.keys() - set(_TAKES[tool]):
        raise SincError(
            f"There is no argument {', '.join(sorted(unknown))}.",
            hint=f"{tool} takes {', '.join(_TAKES[tool])}.",
        )


def _document(given: Answer) -> str:
    if "sinc_json" not in given:
        raise SincError("`sinc_json` is missing.", hint="Give the document, as object or as text.")
    return as_text(given["sinc_json"])


def _hello(asked: object) -> Message:
    return {
        "protocolVersion": _version(asked),
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "sinc-tui", "title": "sinc-tui", "version": __version__},
        "instructions": INSTRUCTIONS,
    }


def _version(asked: object) -> str:
    """The newest that is not newer than what the client asks for: clients know the older ones too."""
    older = (version for version in VERSIONS if isinstance(asked, str) and version <= asked)
    return next(older, VERSIONS[0])


def _read(line: bytes) -> Message:
    if len(line) > MOST_BYTES:
        raise ProtocolError(_INVALID, f"A message may have {MOST_BYTES:,} bytes.")
    try:
        message = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(_PARSE, f"This is no JSON: {error}.") from None
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise ProtocolError(_INVALID, "This is no message of JSON-RPC 2.0. Send one object a line.")
    if "id" in message and _hashable(message["id"]) is None:
        raise ProtocolError(_INVALID, "An id must be text or a number.")
    return message


def _hashable(identity: object) -> str | int | float | None:
    if isinstance(identity, float):
        return identity if math.isfinite(identity) else None  # 1e999 is read as infinity
    ok = isinstance(identity, str | int) and not isinstance(identity, bool)
    return identity if ok else None  # type: ignore[return-value]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _lines(stream: BinaryIO) -> asyncio.Queue[bytes | None]:
    """The lines of a stream, then None; read by a thread, since a file cannot be waited for."""
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        with suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            for line in _split(stream):
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, daemon=True, name="stdin").start()
    return lines


def _split(stream: BinaryIO) -> Iterable[bytes]:
    """Lines that are not blank; of one that is too long just so much that this can be seen."""
    while line := stream.readline(MOST_BYTES + 1):
        rest = line
        while not rest.endswith(b"\n") and len(rest) > MOST_BYTES:
            rest = stream.readline(MOST_BYTES + 1)
        if line.strip():
            yield line


def _line(message: Message) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
