"""Getting a catalogue's model from the Hugging Face Hub, or a mirror of it.

huggingface_hub does the work, so its environment variables mean what its users expect: HF_ENDPOINT,
HF_TOKEN, HF_HUB_OFFLINE, HF_HOME. What arrives is held against the pinned sha256.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sinc_tui.errors import SincError
from sinc_tui.models.catalog import CatalogModel

Progress = Callable[[int, int], None]
"""Hears bytes that are here, and bytes in all."""


def pull(model: CatalogModel, progress: Progress = lambda done, total: None) -> Path:
    """Download the model's file into the Hub's cache, or find it there; its path.

    Raises `SincError` when it cannot be had, and when what arrived is not the pinned content: then
    it is deleted.
    """
    from huggingface_hub import constants, hf_hub_download

    _check_room(model, Path(constants.HF_HUB_CACHE))
    try:
        path = Path(
            hf_hub_download(
                model.repository,
                model.file,
                revision=model.commit,
                library_name="sinc-tui",
                tqdm_class=_bar(progress),
            )
        )
    except Exception as error:
        raise _explained(error, model) from error
    verify(model, path)
    return path


def verify(model: CatalogModel, path: Path) -> None:
    """Raise `SincError`, and delete the file from the cache, where its content is not the pinned one."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest == model.sha256:
        return
    path.resolve().unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    raise SincError(
        f"What is called {model.file} is not the file that was expected (sha256 {digest[:12]}..., "
        f"expected {model.sha256[:12]}...); it was deleted.",
        hint=f"Get it again: sinc-tui models pull {model.name}",
        retryable=True,
    )


def _check_room(model: CatalogModel, cache: Path) -> None:
    there = next((place for place in (cache, *cache.parents) if place.exists()), cache)
    free = shutil.disk_usage(there).free
    if free < model.size:
        raise SincError(
            f"{model.name} takes {model.size >> 20} MiB, and {there} has {free >> 20} MiB left.",
            hint="Free some space, or point HF_HOME at another disk.",
        )


def _bar(progress: Progress) -> type[Any]:
    """A silent tqdm that tells `progress`."""
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            super().__init__(*args, **kwargs | {"disable": True})
            self.done = int(kwargs.get("initial") or 0)

        def update(self, n: float | None = 1) -> bool | None:
            self.done += int(n or 0)
            progress(self.done, int(self.total or 0))
            return None

    return Bar


def _explained(error: Exception, model: CatalogModel) -> SincError:
    from huggingface_hub import errors

    page = f"https://huggingface.co/{model.repository}"
    match error:
        case errors.GatedRepoError():
            message = f"{model.repository} asks for an agreement first."
            hint = f"Accept it at {page}, then set HF_TOKEN to a token of your account."
        case errors.RepositoryNotFoundError() | errors.EntryNotFoundError() if not isinstance(
            error, errors.LocalEntryNotFoundError
        ):
            message = f"The Hub has no {model.file} in {model.repository} at its pinned commit."
            hint = "Check HF_ENDPOINT and HF_TOKEN."
        case errors.LocalEntryNotFoundError() | errors.OfflineModeIsEnabled():
            message = f"{model.name} is not on this machine, and the Hub cannot be reached."
            hint = "Check the network, HF_ENDPOINT and HF_HUB_OFFLINE; tiny works without any."
        case OSError() if error.errno is not None:
            message = f"{model.name} cannot be saved: {error.strerror}."
            hint = "Free some space, or point HF_HOME at another disk."
        case _:
            message = f"{model.name} could not be downloaded: {str(error).splitlines()[0][:200]}."
            hint = "Try again; what was fetched by then may be used."
    return SincError(message, hint=hint, retryable=True)
