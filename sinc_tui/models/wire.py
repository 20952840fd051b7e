"""The connections of a download: answers whose bytes are taken as they come, cut from another thread.

These are urllib3's: a body goes from the socket into the bytes that are written to the disk. The parser below
the Hub's own client copies each byte three times more, and on a fast line the processor is what limits.
"""

from __future__ import annotations

import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache, partial
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, HTTPConnectionPool, PoolManager

_PIECE = 256 << 10
"""The most that one read takes: much less costs a call too often, much more leaves the processor's cache."""
_STRAY = re.compile(r"%(?![0-9A-Fa-f]{2})")
_KEPT = 8
"""Idle connections that are kept for a server."""


class Retry(Exception):
    """Something that may pass: `reason` for people, `after` in seconds where the server named a time."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.after = reason, after


class Wire:
    """Connections with limits in seconds; proxies and certificates as the environment says."""

    def __init__(self, connect_timeout: float, stall_timeout: float) -> None:
        self._connect_timeout, self._stall_timeout = connect_timeout, stall_timeout
        self._managers: dict[str, PoolManager] = {}
        self._sockets: list[socket.socket] = []
        self._cut = False

    def cut(self) -> None:
        """End every connection, whatever it waits for (but a handshake of TLS), and take no new one."""
        self._cut = True
        for connection in list(self._sockets):
            _shut(connection)

    def close(self) -> None:
        """Close the connections that wait for a further request."""
        for manager in list(self._managers.values()):
            manager.clear()

    @contextmanager
    def get(self, url: str, headers: Mapping[str, str]) -> Iterator[BaseHTTPResponse]:
        """The answer to a GET, of whatever status, its body not read yet; raises `Retry`, also inside."""
        if self._cut:
            raise Retry("the connection was cut")
        # One stray % would make urllib3 escape those of all escapes, too.
        url = _STRAY.sub("%25", url)
        with _failures_explained():
            response = self._manager(url).request(
                "GET", url, headers=headers, preload_content=False, redirect=False, retries=False
            )
            try:
                yield response
            finally:
                response.close()

    def _manager(self, url: str) -> PoolManager:
        proxy = _proxy_for(url)
        if proxy not in self._managers:
            self._managers[proxy] = self._new_manager(proxy)
        return self._managers[proxy]

    def _new_manager(self, proxy: str) -> PoolManager:
        import urllib3

        timeout = urllib3.Timeout(connect=self._connect_timeout, read=self._stall_timeout)
        trusted = _certificates()
        new = (
            partial(
                urllib3.ProxyManager,
                proxy,
                proxy_headers=_identification(proxy),
                proxy_ssl_context=trusted,
            )
            if proxy
            else urllib3.PoolManager
        )
        manager = new(timeout=timeout, maxsize=_KEPT, ssl_context=trusted)
        manager.pool_classes_by_scheme = {
            scheme: _watched(pool, self._opened)
            for scheme, pool in manager.pool_classes_by_scheme.items()
        }
        return manager

    def _opened(self, connection: socket.socket) -> None:
        self._sockets.append(connection)
        if self._cut:
            _shut(connection)


def pieces(response: BaseHTTPResponse) -> Iterator[bytes]:
    """The bytes of a body as they arrive, undecoded; to be used inside `Wire.get`."""
    return iter(partial(response.read1, _PIECE, decode_content=False), b"")


@contextmanager
def _failures_explained() -> Iterator[None]:
    """Turn what a network can do into `Retry`."""
    from urllib3 import exceptions

    try:
        yield
    except exceptions.ProxyError as error:
        cause = error.original_error
        reason = first_line(cause.__cause__ or cause)
        raise Retry(f"no connection by way of the proxy ({reason})") from None
    except exceptions.NewConnectionError as error:
        raise Retry(f"no connection ({first_line(error.__cause__ or error)})") from None
    except exceptions.ConnectTimeoutError:
        raise Retry("the server does not answer") from None
    except exceptions.TimeoutError:
        raise Retry("no data came for too long") from None
    except exceptions.ProtocolError:
        raise Retry("the connection was cut") from None
    except exceptions.HTTPError as error:
        raise Retry(f"the connection failed ({first_line(error)})") from None


def first_line(error: BaseException) -> str:
    """What an error says, shortly."""
    return (str(error).splitlines() or [type(error).__name__])[0][:160]


def _proxy_for(url: str) -> str:
    """The proxy that the environment (or the system) names for an address; empty for none."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    proxies = getproxies()
    direct = _in_networks(host, proxies.get("no", ""))
    if direct or proxy_bypass(host if port is None else f"{host}:{port}"):
        return ""
    proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    return proxy if "://" in proxy or not proxy else f"http://{proxy}"


def _in_networks(host: str, listed: str) -> bool:
    """Whether a numeric address is in one of the networks or addresses of a list with commas.

    urllib compares names only, the Hub's client networks too.
    """
    with suppress(ValueError):
        address = ip_address(host)
        for entry in listed.split(","):
            with suppress(ValueError):
                if address in ip_network(entry.strip().strip("[]"), strict=False):
                    return True
    return False


def _identification(proxy: str) -> dict[str, str]:
    """The header for the user and the password in a proxy's address."""
    parts = urlsplit(proxy)
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"proxy-authorization": f"Basic {b64encode(pair.encode()).decode()}"}


@cache
def _certificates() -> ssl.SSLContext:
    """The authorities that the Hub's client believes too; reading them takes 25 ms."""
    import httpx2

    return httpx2.create_ssl_context()


def _watched(
    pool: type[HTTPConnectionPool], opened: Callable[[socket.socket], None]
) -> type[HTTPConnectionPool]:
    """A kind of pool that tells of each socket that it connects, and again when that is encrypted."""

    class Connection(pool.ConnectionCls):  # type: ignore[name-defined, misc]
        def _new_conn(self) -> socket.socket:
            connected: socket.socket = super()._new_conn()
            opened(connected)
            return connected

        def connect(self) -> None:
            super().connect()
            opened(self.sock)

    class Pool(pool):  # type: ignore[valid-type, misc]
        ConnectionCls = Connection

    return Pool


def _shut(connection: socket.socket) -> None:
    """End a connection that another thread may be reading from, encrypted or not."""
    inner = getattr(connection, "socket", connection)  # of TLS within TLS
    with suppress(OSError):
        socket.socket.shutdown(inner, socket.SHUT_RDWR)
