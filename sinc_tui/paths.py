"""Where things lie on this machine: shipped assets, cache, state, settings."""

from __future__ import annotations

from pathlib import Path

import platformdirs

_APP = "sinc-tui"
_PACKAGE = Path(__file__).resolve().parent


def assets() -> Path:
    """The shipped assets: inside the package when installed, beside it in a checkout."""
    inside = _PACKAGE / "assets"
    return inside if inside.is_dir() else _PACKAGE.parent / "assets"


def cache() -> Path:
    """What can be made again (merged models, vocabulary masks); made when missing."""
    return _made(platformdirs.user_cache_path(_APP))


def state() -> Path:
    """Logs and the clipboard's last-resort file; made when missing."""
    return _made(platformdirs.user_state_path(_APP))


def engine_log() -> Path:
    """Where the engine's child process writes what llama.cpp says."""
    return state() / "engine.log"


def _made(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path
