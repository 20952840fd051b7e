"""Where things lie on this machine: shipped assets, cache, state, settings.

What makes a folder raises `NoFolder` where that cannot be done.
"""

from __future__ import annotations

from pathlib import Path

import platformdirs

from sinc_tui.errors import NoFolder

_APP = "sinc-tui"
_PACKAGE = Path(__file__).resolve().parent


def assets() -> Path:
    """The shipped assets: inside the package when installed, beside it in a checkout."""
    inside = _PACKAGE / "assets"
    return inside if inside.is_dir() else _PACKAGE.parent / "assets"


def cache() -> Path:
    """What can be made again (merged models, vocabulary masks); made when missing."""
    return made(platformdirs.user_cache_path(_APP))


def state() -> Path:
    """Logs and the clipboard's last-resort file; made when missing."""
    return made(platformdirs.user_state_path(_APP))


def data() -> Path:
    """What the user would miss: the history; made when missing, for its owner only."""
    return made(platformdirs.user_data_path(_APP), private=True)


def history_file() -> Path:
    """The database of all runs."""
    return data() / "history.sqlite3"


def settings_file() -> Path:
    """The settings; the file need not exist, nor its folder."""
    return platformdirs.user_config_path(_APP) / "settings.toml"


def user_catalog() -> Path:
    """The user's own additions to the catalogue of models; the file need not exist."""
    return platformdirs.user_config_path(_APP) / "models.toml"


def merged_models() -> Path:
    """The folder of models with their adapters merged in; it need not exist."""
    return platformdirs.user_cache_path(_APP) / "models"


def web_models() -> Path:
    """The folder of models that were downloaded from an https: address; it need not exist."""
    return platformdirs.user_data_path(_APP) / "models"


def speeds() -> Path:
    """How fast models were on this machine; the file need not exist, nor its folder."""
    return platformdirs.user_cache_path(_APP) / "speeds.json"


def drafts() -> Path:
    """The folder of unfinished prompts; it need not exist."""
    return platformdirs.user_state_path(_APP) / "drafts"


def tour_seen() -> Path:
    """The file that is there once the tour was shown."""
    return state() / "tour-seen"


def engine_log() -> Path:
    """Where the engine's child process writes what llama.cpp says."""
    return state() / "engine.log"


def made(path: Path, *, private: bool = False) -> Path:
    """A folder, made when missing; raises `NoFolder`."""
    try:
        path.mkdir(mode=0o700 if private else 0o777, parents=True, exist_ok=True)
    except OSError as error:
        raise NoFolder(Path(error.filename or path), error.strerror or str(error)) from None
    return path
