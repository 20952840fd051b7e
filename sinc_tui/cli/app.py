"""`sinc-tui` without a command: the screen."""

from __future__ import annotations

from sinc_tui.cli.inputs import chosen_name, model_file, model_in_settings


def open_app(model: str | None) -> int:
    """Open the app on a model (None: that of the settings, else the default one); its exit code.

    A model that is not on this machine does not keep the app from opening, nor does a name in the settings
    that names none: it shows what there is.
    """
    from sinc_tui.errors import NoModel, SincError
    from sinc_tui.tui.app import run_app

    chosen = ""
    try:
        chosen = chosen_name(model)
        found = model_file(model)
    except SincError as error:
        if model and not chosen:
            raise
        chosen = chosen or model_in_settings() or ""
        return run_app(chosen=chosen, missing=NoModel(error.message, hint=error.hint))
    return run_app(found, chosen=chosen)
