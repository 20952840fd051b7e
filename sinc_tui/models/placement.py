"""Where a downloaded file lies: the Hub's own cache, so that other programs find it, or our data folder."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sinc_tui import paths
from sinc_tui.errors import SincError
from sinc_tui.models.catalog import web_place
from sinc_tui.models.references import HubReference, WebReference
from sinc_tui.models.remote import Remote

_SAFE = re.compile(r"[0-9A-Za-z_-][0-9A-Za-z._-]{0,199}")
_BRANCH = re.compile(rf"{_SAFE.pattern}(/{_SAFE.pattern})*")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
PART = ".sinc-tui.part"
"""What an unfinished file's name ends with."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Places of one file.

    Attributes:
        target: where its content goes; part: where it is while it is not whole.
        lock: held while it is written, by other users of the Hub's cache too.
        pointer: the link by which it is found in a snapshot of the Hub's cache.
        ref, commit: the file that tells which commit a branch or tag is, and that commit.
    """

    target: Path
    part: Path
    lock: Path
    pointer: Path | None = None
    ref: Path | None = None
    commit: str = ""

    def publish(self) -> Path:
        """Make the whole file findable; where it is to be opened. Raises `OSError`."""
        if self.ref is not None:
            self.ref.parent.mkdir(parents=True, exist_ok=True)
            self.ref.write_text(self.commit, encoding="utf-8")
        if self.pointer is None:
            return self.target
        if not (self.pointer.exists() and self.pointer.samefile(self.target)):
            self.pointer.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                self.pointer.unlink()
            try:
                os.symlink(os.path.relpath(self.target, self.pointer.parent), self.pointer)
            except (OSError, NotImplementedError):  # no links here: the snapshot holds the file
                os.replace(self.target, self.pointer)
        return self.pointer


def file_mark(file: str) -> str:
    """What tells the unfinished files of one repository apart."""
    return hashlib.sha256(file.encode()).hexdigest()[:8]


def place(reference: HubReference | WebReference, remote: Remote) -> Placement:
    """Where the file goes; raises `SincError` for an answer that no Hub gives.

    For a file of an address our data folder is made; raises `NoFolder`.
    """
    if isinstance(reference, WebReference):
        paths.data()  # made for its owner only, before anything lies in it
        target = web_place(reference)
        part, lock = (target.with_name(target.name + end) for end in (PART, ".lock"))
        return Placement(target, part, lock)
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    if not _COMMIT.fullmatch(remote.commit):
        raise SincError(
            f"The server names no commit of {reference.repository}.", hint="Check HF_ENDPOINT."
        )
    cache, name = (
        Path(constants.HF_HUB_CACHE),
        repo_folder_name(repo_id=reference.repository, repo_type="model"),
    )
    etag = remote.identity
    if not _SAFE.fullmatch(etag):
        etag = hashlib.sha256(etag.encode()).hexdigest()
    folder = cache / name
    branch = reference.revision if reference.revision != remote.commit else ""
    if branch and not _BRANCH.fullmatch(branch):
        raise SincError(f"{branch!r} is no revision.", hint="Name a branch, a tag or a commit.")
    return Placement(
        target=folder / "blobs" / etag,
        part=folder / "blobs" / f"{etag}.{file_mark(reference.file)}{PART}",
        lock=cache / ".locks" / name / f"{etag}.lock",
        pointer=folder / "snapshots" / remote.commit / reference.file,
        ref=folder / "refs" / branch if branch else None,
        commit=remote.commit,
    )
