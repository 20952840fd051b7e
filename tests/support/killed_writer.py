"""Writes history, settings, a draft and a file without end: `python killed_writer.py FOLDER`.

Names on standard output what is committed, one line for each round, once it is.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from sinc_tui import settings
from sinc_tui.drafts import Drafts
from sinc_tui.files import save_file
from sinc_tui.history import History, Run
from sinc_tui.sinc.bands import Band

FILLING = "word " * 2000
"""Enough text for a write to be caught in the middle."""


def main(folder: Path) -> None:
    """Go on until somebody kills this process."""
    history = History(folder / "history.sqlite3")
    drafts = Drafts(folder / "drafts")
    for number in count(1):
        run_id = history.save(Run(prompt=f"run {number}"))
        history.save(
            Run(prompt=f"run {number}", id=run_id, texts=dict.fromkeys(Band, f"{number} {FILLING}"))
        )
        settings.save(folder / "settings.toml", {"theme": f"t{number}", "keymap": {"k": FILLING}})
        drafts.keep(f"{number} {FILLING}")
        save_file(folder / "out.txt", f"{number} {FILLING}")
        print(number, run_id, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
