"""What a user may write wherever a model is named, as typed values.

A name of the catalogue; `hf:owner/repo/file.gguf[@revision]`, a file of the Hugging Face Hub; an
`https:` address of a GGUF (`http:` to this machine only); the path of a file.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sinc_tui.errors import SincError

_HUB = "hf:"
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_FORMS = (
    "Write a name (sinc-tui models list), hf:owner/repo/file.gguf, "
    "https://host/file.gguf, or a file's path."
)
_HUB_HOSTS = frozenset({"huggingface.co", "www.huggingface.co", "hf.co"})
_HUB_PATH = re.compile(
    r"/(?P<repository>[^/]+/[^/]+)/(?:resolve|blob|raw)/(?P<revision>[^/]+)/(?P<file>.+\.gguf)"
)
"""The path of a file's address or page at the Hub: it is a file of the Hub then."""
_SPLIT = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")


@dataclass(frozen=True, slots=True)
class NameReference:
    """A model of the catalogue."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class HubReference:
    """A file of the Hub; `revision` is a branch, a tag or a commit."""

    repository: str
    file: str
    revision: str = "main"

    def __str__(self) -> str:
        at = "" if self.revision == "main" else f"@{self.revision}"
        return f"{_HUB}{self.repository}/{self.file}{at}"


@dataclass(frozen=True, slots=True)
class WebReference:
    """A file at an address."""

    url: str

    @property
    def file(self) -> str:
        """The file's name, the last part of the address's path."""
        return urlsplit(self.url).path.rsplit("/", 1)[-1]

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class PathReference:
    """A file on this machine; the path is absolute, and need not exist."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


FileReference = HubReference | WebReference | PathReference
Reference = NameReference | FileReference


def parse(text: str, names: Container[str] = ()) -> Reference:
    """What `text` names, `names` being those of the catalogue; raises `SincError` for nothing of the kind.

    No file and no network is looked at, except that a bare word that names a file here is that file.
    """
    if text in names:
        return NameReference(text)
    if text.lower().startswith(_HUB):
        return _hub(text)
    if _ADDRESS.match(text):
        return _web(text)
    path = Path(text).expanduser()
    if not text.strip() or "\0" in text or not (_looks_like_a_path(text) or os.path.exists(path)):
        raise SincError(f"There is no model {text!r}.", hint=_FORMS)
    return PathReference(path.absolute())


def split_names(file: str) -> list[str]:
    """All files of a model, in order, of which one is named `...-0000N-of-0000M.gguf`; else `[file]`.

    Raises `SincError` for numbers that cannot be.
    """
    match = _SPLIT.fullmatch(file)
    if match is None:
        return [file]
    number, count = int(match["number"]), int(match["count"])
    if not 1 <= number <= count <= 999:
        raise SincError(
            f"{file} cannot be part {number} of {count}.", hint="Check the file's name."
        )
    return [f"{match['stem']}-{part:05}-of-{count:05}.gguf" for part in range(1, count + 1)]


def _looks_like_a_path(text: str) -> bool:
    return text.endswith(".gguf") or "/" in text or "\\" in text or text.startswith(("~", "."))


def _hub(text: str) -> HubReference:
    rest, _, revision = text[len(_HUB) :].partition("@")
    owner, _, rest = rest.removeprefix("//").partition("/")
    repository, _, file = rest.partition("/")
    clean = all(part not in ("", ".", "..") for part in [owner, repository, *file.split("/")])
    if not clean or not file.endswith(".gguf") or text.endswith("@"):
        raise SincError(
            f"{text} names no file of the Hub.",
            hint="Write hf:owner/repo/file.gguf, with @revision after it where it is not main.",
        )
    return HubReference(f"{owner}/{repository}", file, revision or "main")


def _web(text: str) -> HubReference | WebReference:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise SincError(f"{text} is no address.", hint=_FORMS) from None
    if parts.scheme not in ("https", "http") or not host:
        raise SincError(f"{text} is no address of the web.", hint=_FORMS)
    if parts.scheme == "http" and not is_loopback(host):
        raise SincError(
            f"{text} would be fetched unencrypted, so anybody on the way could change it.",
            hint="Write https: where the server has it; http: is for this machine alone.",
        )
    if parts.username or parts.password:
        raise SincError(
            f"The address at {host} holds a password, which would end up in files and logs.",
            hint="Leave it out; fetch the file with curl, and name its path.",
        )
    if not parts.path.endswith(".gguf"):
        raise SincError(f"{text} names no .gguf file.", hint=_FORMS)
    if host in _HUB_HOSTS and (match := _HUB_PATH.fullmatch(parts.path)):
        return HubReference(match["repository"], unquote(match["file"]), unquote(match["revision"]))
    return WebReference(text)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
