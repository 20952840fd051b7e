"""The models that have a name, shipped or the user's own, and the same form for any other."""

from __future__ import annotations

import hashlib
import re
import shlex
import stat
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urljoin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sinc_tui import paths
from sinc_tui.errors import NoModel, SincError
from sinc_tui.models.default import ModelFile, Student, embedded_base, shipped_student
from sinc_tui.models.references import (
    FileReference,
    HubReference,
    NameReference,
    PathReference,
    WebReference,
    parse,
    split_names,
)
from sinc_tui.settings import DecodeMode

EMBEDDED = "tiny"
"""The model that needs no download."""


class CatalogFile(BaseModel):
    """One file of a model.

    Attributes:
        file: its path in the model's repository; without one, an address or a path.
        size: bytes; sha256: of its content. None: not pinned.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    size: int | None = Field(None, gt=0)
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")


class CatalogModel(BaseModel):
    """One model: where its files are, and how it is run.

    Attributes:
        about: a line for people.
        repository, commit: of the Hub (the commit may be a branch or tag where nothing is pinned).
        package: the Python package that brings the file along.
        files: in order; several where the GGUF is split.
        context: tokens that it was trained on.
        adapter: makes a student of it: a file among the assets, or a path. None: not trained for this.
        decode: how its bands are written unless the settings say otherwise.
        memory: MiB that a run takes, about.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    about: str = ""
    repository: str | None = None
    commit: str = "main"
    package: str | None = None
    files: tuple[CatalogFile, ...] = Field(min_length=1)
    licence: str = ""
    context: int | None = None
    adapter: str | None = None
    decode: DecodeMode = "sequential"
    memory: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_file(cls, values: Any) -> Any:
        """`file`, `size` and `sha256` beside the other keys are the short form of one file."""
        if not isinstance(values, dict) or "file" not in values:
            return values
        one = {key: values[key] for key in ("file", "size", "sha256") if key in values}
        return {k: v for k, v in values.items() if k not in one} | {"files": [one]}

    @property
    def size(self) -> int | None:
        """Bytes of all files; None where one is not known."""
        sizes = [file.size for file in self.files]
        return sum(size for size in sizes if size) if all(sizes) else None

    @property
    def pinned(self) -> bool:
        """Whether every file's content is."""
        return all(file.sha256 for file in self.files)

    @property
    def adapter_path(self) -> Path | None:
        """Its adapter's file."""
        if self.adapter is None:
            return None
        return paths.assets() / Path(self.adapter).expanduser()

    @property
    def trained(self) -> bool:
        """Whether its adapter is here."""
        return self.adapter_path is not None and self.adapter_path.is_file()

    def reference(self, file: CatalogFile) -> FileReference:
        """Where a file of it is to be had; raises `SincError` for a place that is none."""
        if self.package is not None:
            return PathReference(embedded_base())
        if self.repository is not None:
            return HubReference(self.repository, file.file, self.commit)
        reference = parse(file.file)
        assert not isinstance(reference, NameReference)
        return reference


def catalog() -> dict[str, CatalogModel]:
    """The models by name, those of the user's own catalogue last.

    Raises `SincError` where the user's is wrong.
    """
    return _read(paths.assets() / "catalog.toml") | _read(paths.user_catalog())


def known(name: str) -> CatalogModel:
    """The catalogue's entry; raises `SincError` where there is none."""
    entries = catalog()
    if name in entries:
        return entries[name]
    raise SincError(f"There is no model {name}.", hint=f"There are: {', '.join(entries)}.")


def model_for(text: str) -> CatalogModel:
    """The model that a user named in whatever way; raises `SincError` for what names none."""
    entries = catalog()
    reference = parse(text, entries)
    if isinstance(reference, NameReference):
        return entries[reference.name]
    return described(reference)


def described(reference: FileReference, name: str = "") -> CatalogModel:
    """A model that no catalogue knows; one file of a split GGUF stands for all of them."""
    match reference:
        case HubReference(repository, file, revision):
            folder = PurePosixPath(file).parent
            files = [str(folder / part) for part in split_names(PurePosixPath(file).name)]
            entry = {"repository": repository, "commit": revision}
        case WebReference(url):
            files = [urljoin(url, part) for part in split_names(reference.file)]
            entry = {}
        case PathReference(path):
            files = [str(path.with_name(part)) for part in split_names(path.name)]
            entry = {}
    return CatalogModel.model_validate(
        {"name": name or str(reference), "files": [{"file": file} for file in files]} | entry
    )


def named(text: str) -> ModelFile:
    """The model that a user named in whatever way, ready to be opened by a rewriter.

    Raises `SincError` for what names none, and `NoModel` for a model that is not on this machine.
    """
    model = model_for(text)
    if model.name == EMBEDDED:
        student = shipped_student()
        return ModelFile(student.merged, EMBEDDED, student)
    if (error := gone(model)) is not None:
        raise error
    base = located(model)
    if base is None:
        raise NoModel(
            f"The model {model.name} is not on this machine.",
            hint=f"Get it: sinc-tui models pull {shlex.quote(model.name)}",
        )
    name = model.name if text == model.name and text in catalog() else base.stem
    adapter = model.adapter_path
    if adapter is None or not adapter.is_file():
        return ModelFile(base, name)
    merged = merged_file(model)
    paths.made(merged.parent)
    return ModelFile(merged, name, Student(base, adapter, merged))


def merged_file(model: CatalogModel) -> Path:
    """Where the model with its adapter merged in is kept; it need not exist."""
    return paths.merged_models() / f"{model.name}.gguf"


def located(model: CatalogModel) -> Path | None:
    """Its first file on this machine when all are here, whichever program put them there; no network.

    A path that the user wrote is believed: see `gone`.
    """
    places = [file_place(model.reference(file)) for file in model.files]
    if any(place is None for place in places):
        return None
    return places[0]


def gone(model: CatalogModel) -> NoModel | None:
    """What to say of a model that is named by its path where no file is; raises `SincError`."""
    for file in model.files:
        reference = model.reference(file)
        if isinstance(reference, PathReference) and _is_no_file(reference.path):
            hint = "Check the path."
            if model.name in catalog():
                again = f"sinc-tui models rm --forget {shlex.quote(model.name)}"
                hint = f"Put it there again, or take it out: {again}"
            return NoModel(f"There is no file {reference}.", hint=hint)
    return None


def file_place(reference: FileReference) -> Path | None:
    """A file's place on this machine: the Hub's cache, our folder, its own path; None: it is not here."""
    match reference:
        case PathReference(path):
            return path
        case WebReference():
            place = web_place(reference)
            return place if place.is_file() else None
        case HubReference(repository, file, revision):
            from huggingface_hub import try_to_load_from_cache

            found = try_to_load_from_cache(repository, file, revision=revision)
            return Path(found) if isinstance(found, str) else None


def web_place(reference: WebReference) -> Path:
    """Where the file of an address is kept; parts of a split model side by side. It need not exist."""
    folder = reference.url.split("?")[0].rsplit("/", 1)[0]
    digest = hashlib.sha256(folder.encode()).hexdigest()[:12]
    return paths.web_models() / digest / reference.file


def _is_no_file(path: Path) -> bool:
    """Whether nothing is there, or a folder; what cannot be looked at may be a file."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False


def _read(path: Path) -> dict[str, CatalogModel]:
    try:
        entries = tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _wrong(path, f"it cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise _wrong(path, f"it is not UTF-8 (byte {error.start})") from None
    except tomllib.TOMLDecodeError as error:
        raise _wrong(path, f"it is not TOML ({error})") from None
    return {name: _entry(path, name, entry) for name, entry in entries.items()}


def _entry(path: Path, name: str, entry: Any) -> CatalogModel:
    if not isinstance(entry, dict):
        raise _wrong(path, f"{name} is {entry!r} and not an entry, which begins with [{name}]")
    if "name" in entry:
        raise _wrong(path, f"the entry {name} has a key name, which no entry has")
    try:
        return CatalogModel(name=name, **entry)
    except ValidationError as error:
        found = error.errors()[0]
    place = [str(part) for part in found["loc"]]
    if "file" in entry and place[:2] == ["files", "0"]:
        del place[:2]  # the short form of one file
    key = ".".join(place)
    match found["type"]:
        case "missing":
            raise _wrong(
                path, f"the entry {name} lacks the key {'file' if key == 'files' else key}"
            )
        case "extra_forbidden":
            raise _wrong(path, f"the entry {name} has a key {key}, which no entry has")
        case "model_type":
            raise _wrong(path, f"in the entry {name}, {key} is {found['input']!r} and not a table")
    what = re.sub("^(Input|String|Tuple) ", "", found["msg"]).replace("tuple", "list")
    raise _wrong(path, f"in the entry {name}, {key} {what}, and is {found['input']!r}")


def _wrong(path: Path, reason: str) -> SincError:
    return SincError(
        f"{path} is no catalogue of models: {reason}.",
        hint=f"Write its entries like those of {paths.assets() / 'catalog.toml'}, or move the file away.",
    )
