"""`sinc-tui` without a command: the screen."""

from __future__ import annotations

from sinc_tui.cli.inputs import model_file


def open_app(model: str | None) -> int:
    """Open the app on a model file (None: the default model); its exit code."""
    from sinc_tui.tui.app import run_app

    return run_app(model_file(model))
