"""What keeps a server to this machine: where it listens, and whom it believes to be local.

A server on the loopback address still meets strangers: any page in the user's browser can send
requests to it. Such a request gives itself away by its Host (a name that was rebound to 127.0.0.1)
or by its Origin (the page that it comes from).
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket

from aiohttp import web
from aiohttp.http import HttpProcessingError
from yarl import URL

from sinc_tui.errors import SincError

ADDRESS = "127.0.0.1"
"""Where servers listen unless told otherwise."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; `port` 0 takes any free one. Raises `SincError`, which says what to do."""
    address = _loopback(host)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family)
    except OSError as error:
        raise _refusal(error, address, port) from None


def address_of(listener: socket.socket) -> str:
    """The beginning of every address of a server, without a last slash."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def check_local(request: web.BaseRequest) -> None:
    """Raise `HTTPForbidden` for a request that a foreign page may have sent."""
    if not _is_local(request.headers.get("Host", "")):
        raise web.HTTPForbidden(text="This server answers to 127.0.0.1 and localhost only.\n")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        raise web.HTTPForbidden(text="This server does not answer other pages.\n")


def keep_quiet_about_strangers() -> None:
    """Report nothing that is no HTTP, nor a body that its headers belie: the answer is 400, no fault."""
    logging.getLogger("aiohttp.server").addFilter(_is_ours)


def _is_ours(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | web.RequestPayloadError)


def _is_local(host: str) -> bool:
    """Whether a Host header names this machine by itself; its port may be that of a tunnel."""
    try:
        name = URL(f"http://{host}").host or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _loopback(host: str) -> str:
    try:
        address = ADDRESS if host == "localhost" else host
        if ipaddress.ip_address(address).is_loopback:
            return address
    except ValueError:
        pass
    raise SincError(
        f"{host} is not an address of this machine alone, so nothing listens there.",
        hint=f"Use {ADDRESS}, and from another machine a tunnel: ssh -L PORT:{ADDRESS}:PORT HOST.",
    )


def _refusal(error: OSError, address: str, port: int) -> SincError:
    if error.errno == errno.EADDRINUSE:
        return SincError(
            f"Port {port} is in use by another program, or by a sinc-tui that still runs.",
            hint="Choose another with --port, or --port 0 for any that is free.",
            retryable=True,
        )
    if error.errno == errno.EACCES:
        return SincError(
            f"Port {port} is not for ordinary users.", hint="Choose one above 1023 with --port."
        )
    return SincError(f"{address} port {port} cannot be listened on: {error.strerror}.")
