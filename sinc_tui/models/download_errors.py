"""What can go wrong with a download, in words that say what to do."""

from __future__ import annotations

import errno
import os
import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path

from sinc_tui.engine.gguf_check import check_gguf
from sinc_tui.errors import SincError
from sinc_tui.models.catalog import CatalogFile
from sinc_tui.models.partial import Partial
from sinc_tui.models.remote import Remote
from sinc_tui.models.wire import Retry

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_ROOM = "Free some space, or point HF_HOME (for https: models XDG_DATA_HOME) at another disk"


def resume_hint(name: str) -> str:
    """How to go on with a download."""
    return f"Go on from there: sinc-tui models pull {shlex.quote(name)}"


def amount(size: int) -> str:
    """Bytes for people."""
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"


def kept(done: int, total: int | None = None) -> str:
    """A sentence on what is here; empty for nothing."""
    if not done:
        return ""
    of = f" of {amount(total)}" if total else ""
    return f" {amount(done)}{of} are kept."


def check_room(name: str, needs: Iterable[tuple[Path, int]]) -> None:
    """Raise `SincError` where the disk has less room than the missing bytes of all files take."""
    for_disk: dict[Path, int] = {}
    for path, size in needs:
        there = next(place for place in path.parents if place.exists())
        for_disk[there] = for_disk.get(there, 0) + size
    for there, size in for_disk.items():
        free = shutil.disk_usage(there).free
        if free < size:
            raise SincError(
                f"{name} takes {amount(size)} more, and {there} has {amount(free)} left.",
                hint=f"{_ROOM}.",
                retryable=True,
            )


def check_promise(name: str, file: CatalogFile, remote: Remote) -> None:
    """Raise `SincError` where the server says beforehand that it has another content than the pinned one."""
    other_size = None not in (file.size, remote.size) and file.size != remote.size
    other_hash = None not in (file.sha256, remote.sha256) and file.sha256 != remote.sha256
    if other_size or other_hash:
        raise SincError(
            f"The server's {file.file} is not the file that {name} is pinned to; nothing was fetched.",
            hint="The mirror is wrong or the file was replaced: check HF_ENDPOINT; "
            "for an entry of your own, check its size and sha256.",
        )


def wrong_content(name: str, file: str, found: str, wanted: str) -> SincError:
    """The error for a whole file with another hash."""
    return SincError(
        f"What arrived as {file} is not the file that was expected (sha256 {found[:12]}..., "
        f"expected {wanted[:12]}...); it was deleted.",
        hint=f"Get it again: sinc-tui models pull {shlex.quote(name)}; if this repeats, check HF_ENDPOINT "
        "and proxies.",
        retryable=True,
    )


def check_is_model(partial: Partial, name: str) -> None:
    """Raise `SincError`, and delete the download, where something else than a model arrived."""
    try:
        check_gguf(partial.path)
    except SincError as error:
        partial.delete()
        reason = error.message.replace(str(partial.path), "what arrived")
        raise SincError(
            f"{name}: {reason[:1].lower()}{reason[1:]} It was deleted.",
            hint="Check the address; a login or error page may have come in the file's place.",
        ) from None


def resumable(error: SincError, name: str, done: int, total: int | None) -> SincError:
    """An error of a transfer, with what is here and how to go on."""
    message = f"{name}: {error.message[:1].lower()}{error.message[1:]}{kept(done, total)}"
    again = f"Try again: sinc-tui models pull {shlex.quote(name)}"
    hint = error.hint or (resume_hint(name) if done else again)
    return SincError(message, hint=hint, retryable=error.retryable)


def unreachable(name: str, trouble: Retry) -> SincError:
    """The error for a server that did not answer in spite of several tries."""
    after = f" It asks to wait {trouble.after:.0f} s." if trouble.after else ""
    return SincError(
        f"{name} cannot be fetched: {trouble.reason}.{after}",
        hint="Check the network, a proxy and HF_ENDPOINT, and try again later; "
        "tiny works without any network.",
        retryable=True,
    )


def of_disk(error: OSError, name: str) -> SincError:
    """The error for a file that cannot be written."""
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return SincError(
            f"{name} cannot be saved: {reason}. What has arrived is kept.",
            hint=f"{_ROOM}; then {resume_hint(name)[:1].lower()}{resume_hint(name)[1:]}",
            retryable=True,
        )
    where = f" ({os.fsdecode(error.filename)})" if error.filename else ""
    return SincError(
        f"{name} cannot be saved: {reason}{where}.",
        hint="Check the folder's permissions, or point HF_HOME at another one.",
    )
