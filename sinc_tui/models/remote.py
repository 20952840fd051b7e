"""What a server says about a file, before any byte of it is fetched.

Files of the Hub are asked for through huggingface_hub, so that HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and
HF_HOME mean what its users expect. The token goes to the Hub's own address and to no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from sinc_tui.errors import SincError
from sinc_tui.models.references import HubReference, WebReference, is_loopback
from sinc_tui.models.wire import Retry, Wire, first_line

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

RemoteReference = HubReference | WebReference
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_AGENT = "sinc-tui"
_CIRCLE = "the server redirects in a circle"


class Changed(Exception):
    """The server's file is no longer the one that the download began with."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A file on a server.

    Attributes:
        url: its lasting address; location: where its bytes are now, which may expire.
        size: in bytes, None when the server does not tell.
        sha256: of the content, as the Hub knows it.
        identity: what the server calls this content (an ETag, or the time of its last change).
        commit: of the Hub's repository.
        ranges: whether parts of it can be had, as far as is known.
        headers: for requests to `url`'s own host.
    """

    url: str
    location: str
    size: int | None
    sha256: str | None = None
    identity: str = ""
    commit: str = ""
    ranges: bool = True
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def headers_for(self, url: str) -> dict[str, str]:
        """What to send to an address: the token only to the host that it is for."""
        same = _origin(url) == _origin(self.url)
        own = {name.lower(): value for name, value in self.headers.items()}
        if not same:
            own.pop("authorization", None)
        return {"user-agent": _AGENT} | own | {"accept-encoding": "identity"}


def look_up(reference: RemoteReference, wire: Wire, timeout: float) -> Remote:
    """Ask the server; raises `Retry`, or a `SincError` for what will not change by itself."""
    from huggingface_hub import constants

    if constants.is_offline_mode():
        raise SincError(
            f"{reference} is not on this machine, and HF_HUB_OFFLINE forbids to fetch it.",
            hint="Unset HF_HUB_OFFLINE; tiny works without any network.",
        )
    if isinstance(reference, WebReference):
        return _look_up_web(reference, wire)
    return _look_up_hub(reference, timeout)


@contextmanager
def opened(
    wire: Wire, remote: Remote, url: str, first: int, last: int | None
) -> Iterator[tuple[BaseHTTPResponse, str]]:
    """The answer to a request for bytes `first` to `last` (None: to the end), and the address that gave it.

    Redirects are followed. Raises `Retry`.
    """
    wanted = f"bytes={first}-{'' if last is None else last}"
    for _ in range(_MOST_REDIRECTS + 1):
        with wire.get(url, remote.headers_for(url) | {"Range": wanted}) as response:
            if response.status not in _REDIRECTS:
                yield response, url
                return
            url = _redirected(url, response.headers.get("Location", ""))
    raise Retry(_CIRCLE)


def check_status(status: int, headers: Mapping[str, str]) -> None:
    """Raise `Retry` for an answer that may be another one later: too many requests, a server's error."""
    if status in (408, 425, 429) or status >= 500:
        what = "the server is asked too often" if status == 429 else f"the server fails ({status})"
        raise Retry(what, retry_after(headers.get("Retry-After", "")))


def retry_after(value: str) -> float | None:
    """Seconds that a Retry-After header asks for; None where it says nothing."""
    if value.strip().isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    now = datetime.now(UTC)
    return max(0.0, ((when if when.tzinfo else when.replace(tzinfo=UTC)) - now).total_seconds())


def plain_etag(value: str | None) -> str:
    """An ETag without its quotes and its weakness; empty for none."""
    return (value or "").removeprefix("W/").strip().strip('"')


def total_of(content_range: str) -> int | None:
    """The whole size in a Content-Range header, None where it does not tell."""
    total = content_range.rpartition("/")[2]
    return int(total) if total.isdecimal() else None


def start_of(content_range: str) -> int | None:
    """The first byte in a Content-Range header."""
    match = re.match(r"bytes\s+(\d+)-", content_range)
    return int(match[1]) if match else None


def refusal(status: int, url: str) -> SincError:
    """The error for an answer that no repetition changes."""
    host = urlsplit(url).netloc
    match status:
        case 401 | 403:
            return SincError(
                f"{host} does not let you have the file ({status}).",
                hint="Check the address, and whether the file is open to everybody.",
            )
        case 404 | 410:
            return SincError(f"{host} has no such file ({status}).", hint="Check the address.")
        case _:
            return SincError(
                f"{host} answers with {status} instead of the file.",
                hint="Check the address, or try again later.",
                retryable=True,
            )


def _look_up_hub(reference: HubReference, timeout: float) -> Remote:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    url = hf_hub_url(reference.repository, reference.file, revision=reference.revision)
    try:
        with _failures_explained():
            found = get_hf_file_metadata(url, timeout=timeout, library_name=_AGENT)
    except HfHubHTTPError as error:
        check_status(error.response.status_code, error.response.headers)
        raise _hub_refusal(error, reference) from None
    except Exception as error:
        if isinstance(error, (Retry, SincError)):
            raise
        raise Retry(f"the Hub's answer is not to be understood ({first_line(error)})") from None
    etag = plain_etag(found.etag)
    if not found.commit_hash or not etag:
        raise SincError(
            f"{urlsplit(url).netloc} does not answer as a Hugging Face Hub does.",
            hint="Check HF_ENDPOINT, and whether a proxy or a login page is in between.",
        )
    location = urljoin(url, found.location)
    return Remote(
        url, location, found.size,
        sha256=etag if _SHA256.fullmatch(etag) else None, identity=etag, commit=found.commit_hash,
        headers=build_hf_headers(library_name=_AGENT),
    )  # fmt: skip


@contextmanager
def _failures_explained() -> Iterator[None]:
    """Turn what the Hub's client meets on a network into `Retry`."""
    import httpx2

    try:
        yield
    except httpx2.ConnectTimeout:
        raise Retry("the server does not answer") from None
    except httpx2.TimeoutException:
        raise Retry("no data came for too long") from None
    except httpx2.RemoteProtocolError:
        raise Retry("the connection was cut") from None
    except httpx2.ConnectError as error:
        raise Retry(f"no connection ({first_line(error)})") from None
    except httpx2.TooManyRedirects:
        raise Retry(_CIRCLE) from None
    except httpx2.TransportError as error:
        raise Retry(f"the connection failed ({first_line(error)})") from None


def _hub_refusal(error: Exception, reference: HubReference) -> SincError:
    from huggingface_hub import constants, errors

    page = f"{constants.ENDPOINT}/{reference.repository}"
    where = f"{reference.repository} at {reference.revision}"
    match error:
        case errors.GatedRepoError():
            return SincError(
                f"{reference.repository} asks for an agreement first.",
                hint=f"Accept it at {page}, then set HF_TOKEN to a token of your account "
                "(or run: hf auth login).",
            )
        case errors.RepositoryNotFoundError():
            return SincError(
                f"The Hub has no {reference.repository}, or does not show it to you.",
                hint=f"Check the name at {page}; for a private one set HF_TOKEN.",
            )
        case errors.RevisionNotFoundError():
            return SincError(f"The Hub has no {where}.", hint=f"Look at {page}/commits/main.")
        case errors.EntryNotFoundError():
            return SincError(
                f"The Hub has no {reference.file} in {where}.", hint=f"Look at {page}/tree/main."
            )
    status = error.response.status_code if isinstance(error, errors.HfHubHTTPError) else 0
    if status in (401, 403):
        return SincError(
            f"The Hub does not let you have {reference.file} ({status}).",
            hint=f"Check HF_TOKEN, and whether {page} asks for something.",
        )
    return refusal(status, page)


def _look_up_web(reference: WebReference, wire: Wire) -> Remote:
    """One byte is asked for, since many servers answer that and not HEAD."""
    remote = Remote(reference.url, reference.url, None)
    with opened(wire, remote, reference.url, 0, 0) as (response, location):
        status, headers = response.status, response.headers
        check_status(status, headers)
        if status not in (200, 206):
            raise refusal(status, reference.url)
        parts = status == 206
        size = headers.get("Content-Length", "")
        if "html" in headers.get("Content-Type", ""):
            raise SincError(
                f"{reference.url} is a web page, not a model.",
                hint="Take the address of the file's download, or fetch it in the browser.",
            )
        return Remote(
            reference.url,
            location,
            total_of(headers.get("Content-Range", "") if parts else f"/{size}"),
            identity=plain_etag(headers.get("ETag")) or headers.get("Last-Modified", ""),
            ranges=parts,
        )


def _redirected(url: str, location: str) -> str:
    """Where a redirect leads; raises `SincError` where it leaves encryption behind."""
    with suppress(UnicodeError):
        location = location.encode(
            "latin-1"
        ).decode()  # how headers are read, and how some are written
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
        _ = parts.port
    except ValueError:
        raise Retry("the server redirects to what is no address") from None
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not location or not (safe or urlsplit(url).scheme == parts.scheme == "http"):
        raise SincError(
            f"{urlsplit(url).netloc} redirects to an address that is not encrypted.",
            hint="Do not trust this server; take the file from elsewhere.",
        )
    return target


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return (
        parts.scheme,
        parts.hostname or "",
        parts.port or {"https": 443, "http": 80}.get(parts.scheme),
    )
