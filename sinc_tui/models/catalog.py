"""The models that have a name: pinned files of the Hugging Face Hub, and the embedded one."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sinc_tui import paths
from sinc_tui.errors import SincError
from sinc_tui.models.default import ModelFile, Student, shipped_student

EMBEDDED = "tiny"
"""The model that needs no download."""


class CatalogModel(BaseModel):
    """One model of the Hub, pinned to a commit and a content.

    Attributes:
        about: a line for people.
        size: bytes; memory: MiB that a run takes, about.
        adapter: file among the assets that makes a student of it; None: it is not trained for this.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    about: str
    repository: str
    commit: str
    file: str
    size: int
    sha256: str
    licence: str
    memory: int
    adapter: str | None = None

    @property
    def trained(self) -> bool:
        """Whether its adapter is here."""
        return self.adapter is not None and (paths.assets() / self.adapter).is_file()


def catalog() -> dict[str, CatalogModel]:
    """The downloadable models by name, those of the user's own catalogue last.

    Raises `SincError` where the user's is wrong.
    """
    return _read(paths.assets() / "catalog.toml") | _read(paths.user_catalog())


def _read(path: Path) -> dict[str, CatalogModel]:
    try:
        text = path.read_text(encoding="utf-8")
        entries = tomllib.loads(text)
        return {name: CatalogModel(name=name, **entry) for name, entry in entries.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise SincError(
            f"{path} is no catalogue of models: {reason}.",
            hint="Write its entries as in the README's example, or move the file away.",
        ) from None


def named(name: str) -> ModelFile:
    """The model of that name, ready to be opened by a rewriter.

    Raises `SincError` for a name that is not known, and for a model that was not downloaded.
    """
    if name == EMBEDDED:
        student = shipped_student()
        return ModelFile(student.merged, EMBEDDED, student)
    model = known(name)
    base = located(model)
    if base is None:
        raise SincError(
            f"The model {name} is not on this machine.", hint=f"Get it: sinc-tui models pull {name}"
        )
    if model.adapter is None or not model.trained:
        return ModelFile(base, name)
    merged = paths.cache() / "models" / f"{name}.gguf"
    merged.parent.mkdir(exist_ok=True)
    return ModelFile(merged, name, Student(base, paths.assets() / model.adapter, merged))


def known(name: str) -> CatalogModel:
    """The catalogue's entry; raises `SincError` where there is none."""
    try:
        return catalog()[name]
    except KeyError:
        names = ", ".join([EMBEDDED, *catalog()])
        raise SincError(f"There is no model {name}.", hint=f"There are: {names}.") from None


def located(model: CatalogModel) -> Path | None:
    """Its file in the Hub's cache on this machine, whichever program put it there; no network."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(model.repository, model.file, revision=model.commit)
    return Path(found) if isinstance(found, str) else None
