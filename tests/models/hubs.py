"""A Hub of this machine for tests of one process, and a small model on it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from sinc_tui.models.catalog import CatalogModel
from sinc_tui.models.download import Download, Downloaded, DownloadOptions
from tests.support.hub_server import COMMIT

CHUNK = 64 << 10
CONTENT = b"GGUF\x03\0\0\0" + bytes(range(256)) * 3000
REPOSITORY = "someone/models"
NAME = f"{REPOSITORY}/mine.gguf"
FAST = DownloadOptions(
    connections=3, chunk=CHUNK, connect_timeout=2.0, stall_timeout=0.3, attempts=3,
    backoff=0.01, longest_backoff=0.05, longest_wait=5.0, interval=0.01,
)  # fmt: skip


def model(content: bytes = CONTENT, **changes: Any) -> CatalogModel:
    """The model, pinned to a content."""
    values = {
        "name": "mine", "about": "A test's.", "repository": REPOSITORY, "commit": COMMIT,
        "file": "mine.gguf", "size": len(content), "sha256": hashlib.sha256(content).hexdigest(),
        "licence": "MIT", "memory": 1,
    }  # fmt: skip
    return CatalogModel.model_validate(values | changes)


def unpinned(**changes: Any) -> CatalogModel:
    """The same by its name alone."""
    return CatalogModel.model_validate(
        {"name": "mine", "repository": REPOSITORY, "file": "mine.gguf"} | changes
    )


def pull(wanted: CatalogModel, options: DownloadOptions = FAST) -> Downloaded:
    """Download it."""
    return Download(wanted, options=options).run()


def parts(folder: Path) -> list[Path]:
    """What unfinished downloads left."""
    return [path for path in folder.rglob("*") if ".part" in path.name]
