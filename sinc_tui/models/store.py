"""What models are on this machine: list, verify, remove. No network."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sinc_tui.models.catalog import CatalogModel


class State(StrEnum):
    """Where a model is."""

    HERE = "here"
    PARTLY = "partly"
    """Some of it was downloaded; a download goes on from there."""
    DAMAGED = "damaged"
    """The quick look found something wrong; see `problem`."""
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model and what of it is on this machine; bytes.

    Attributes:
        path: its first file where it is here (or damaged).
        on_disk: its files; partial: unfinished downloads; merged: with the adapter, in the cache.
        shared: whether other programs may use its files too (the Hub's cache, a path of the user's).
        problem: what is wrong with it, for people; else empty.
    """

    model: CatalogModel
    state: State
    path: Path | None
    on_disk: int
    partial: int
    merged: int
    shared: bool
    problem: str = ""

    @property
    def removable(self) -> int:
        """Bytes that `remove` would free."""
        raise NotImplementedError


def stored(model: CatalogModel) -> StoredModel:
    """Look at one model: presence, size, head of its files; milliseconds."""
    raise NotImplementedError


def list_stored() -> list[StoredModel]:
    """All models of the catalogues, in their order."""
    raise NotImplementedError


def verify(model: CatalogModel, *, content: bool = True) -> list[str]:
    """Check the model's files; with `content` by their sha256 too, which reads all of them.

    Returns notes (a file that nothing is known to compare with). Raises `SincError` that names the
    damaged file and the command that repairs it; nothing is deleted.
    """
    raise NotImplementedError


def remove(model: CatalogModel) -> int:
    """Delete its downloaded, unfinished and merged files; the bytes that were freed.

    A file that the user named by its path stays. Raises `SincError` where something cannot be deleted.
    """
    raise NotImplementedError
