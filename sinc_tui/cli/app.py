"""`sinc-tui` without a command: the screen."""

from __future__ import annotations

from sinc_tui.cli.inputs import model_file


def open_app(model: str | None) -> int:
    """Open the app on a model file (None: the default model); its exit code.

    A model that has a name and is not on this machine does not keep the app from opening.
    """
    from sinc_tui.errors import NoModel
    from sinc_tui.tui.app import run_app

    try:
        found = model_file(model)
    except NoModel as missing:
        return run_app(chosen=model or "", missing=missing)
    return run_app(found, chosen=model or "")
