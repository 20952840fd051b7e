"""Finding out what a file is, so that an entry of the catalogue holds exactly that content."""

from __future__ import annotations

import hashlib
from contextlib import closing
from functools import partial
from pathlib import Path

from sinc_tui.engine.gguf_check import check_gguf
from sinc_tui.errors import SincError
from sinc_tui.models.asking import Asker
from sinc_tui.models.catalog import CatalogFile, CatalogModel, described
from sinc_tui.models.references import FileReference, PathReference
from sinc_tui.models.remote import Remote, look_up
from sinc_tui.models.transfer import DownloadOptions
from sinc_tui.models.wire import Wire


def pinned(
    reference: FileReference, name: str, options: DownloadOptions = DownloadOptions()
) -> CatalogModel:
    """A model with the size and hash of every file as far as they can be known without a download.

    The Hub tells them with the commit, an https: server the size alone; a file of this machine is read.
    Raises `SincError`.
    """
    model = described(reference, name)
    if isinstance(reference, PathReference):
        check_gguf(reference.path)
        return model.model_copy(update={"files": tuple(map(_measured, model.files))})
    asker = Asker(name, options)
    found: list[Remote] = []
    with closing(Wire(options.connect_timeout, options.stall_timeout)) as wire:
        for file in model.files:
            place = model.reference(file)
            assert not isinstance(place, PathReference)
            found.append(asker.ask(partial(look_up, place, wire, options.connect_timeout)))
    if len({remote.commit for remote in found}) > 1:
        raise SincError(
            f"The parts of {name} changed meanwhile.", hint="Try again.", retryable=True
        )
    files = [
        file.model_copy(update={"size": remote.size, "sha256": remote.sha256})
        for file, remote in zip(model.files, found, strict=True)
    ]
    commit = found[0].commit or model.commit
    return model.model_copy(update={"files": tuple(files), "commit": commit})


def _measured(file: CatalogFile) -> CatalogFile:
    path = Path(file.file)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return file.model_copy(update={"size": path.stat().st_size, "sha256": digest})
