"""How to install what an extra of this package brings along, into the environment that it runs in."""

from __future__ import annotations

import json
import shlex
import sys
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from sinc_tui import __version__


def pip_install(*arguments: str) -> str:
    """A line that installs into the environment that this program runs in."""
    return shlex.join([sys.executable, "-m", "pip", "install", *arguments])


def install_line(extra: str) -> str:
    """A line that installs an extra, from where this package was installed from."""
    folder, editable = _clone()
    if not folder:
        return pip_install(f"sinc-tui[{extra}]")
    return pip_install(*(["-e"] if editable else []), f"{folder}[{extra}]")


def repair_line() -> str:
    """A line that brings back a file which this package is missing."""
    folder, editable = _clone()
    if editable:
        return shlex.join(["git", "-C", folder, "checkout", "--", "assets"])
    return pip_install("--force-reinstall", "--no-deps", folder or f"sinc-tui=={__version__}")


def _clone() -> tuple[str, bool]:
    """The folder that pip installed this package from, and whether it is used where it lies (PEP 610);
    no folder for a package index or a wheel."""
    from importlib.metadata import Distribution, PackageNotFoundError

    with suppress(PackageNotFoundError, ValueError):
        text = Distribution.from_name("sinc-tui").read_text("direct_url.json")
        source: dict[str, Any] = json.loads(text or "{}")
        if "dir_info" in source:
            folder = url2pathname(urlsplit(source["url"]).path)
            return folder, bool(source["dir_info"].get("editable"))
    return "", False
