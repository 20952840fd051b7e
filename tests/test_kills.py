"""A process that writes is killed with -9: what it committed is there, and nothing is half-written.

`SINC_TUI_KILLS=20` makes it shorter while one works on it.
"""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

from sinc_tui import settings
from sinc_tui.drafts import Drafts
from sinc_tui.history import History
from sinc_tui.sinc.bands import Band
from tests.support import killed_writer
from tests.support.killed_writer import FILLING

KILLS = int(os.environ.get("SINC_TUI_KILLS", "100"))
WRITER = Path(killed_writer.__file__)


def kill_in_mid_write(folder: Path, rounds: int, delay: float) -> list[int]:
    """Let the writer commit so many rounds, kill it `delay` seconds later; the ids of its runs."""
    process = subprocess.Popen(
        [sys.executable, str(WRITER), str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(rounds)]
    try:
        process.wait(timeout=delay)
    except subprocess.TimeoutExpired:
        process.kill()
    lines += process.communicate()[0].splitlines()
    assert process.returncode == -9
    return [int(line.split()[1]) for line in lines if len(line.split()) == 2]


def check(folder: Path, committed: list[int]) -> None:
    """All of the committed is there; what was under way is there whole or not at all."""
    history = History(folder / "history.sqlite3")
    assert history._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    history._connection.execute("INSERT INTO found (found) VALUES ('integrity-check')")
    runs = {run.id: run for run in history.all()}
    for run_id in committed:
        assert runs[run_id].texts[Band.TASK].endswith(FILLING)
    for run in runs.values():
        number = run.prompt.removeprefix("run ")
        assert set(run.texts.values()) in ({""}, {f"{number} {FILLING}"})
    history.close()
    loaded = settings.load(folder / "settings.toml")
    assert loaded.problems == []
    assert loaded.settings.keymap == {"k": FILLING}
    for text in (Drafts(folder / "drafts").rescue(), (folder / "out.txt").read_text()):
        number, _, filling = text.partition(" ")
        assert int(number) >= 1
        assert filling == FILLING


def test_kills_lose_nothing_that_was_committed(tmp_path: Path) -> None:
    chance = random.Random(6)
    committed: list[int] = []
    for _ in range(KILLS):
        news = kill_in_mid_write(tmp_path, chance.randint(1, 3), chance.uniform(0.0, 0.03))
        assert news
        committed += news
        check(tmp_path, committed)


def test_a_run_killed_between_its_tables_is_rolled_back(tmp_path: Path) -> None:
    """A transaction that was begun and not ended is gone with its process."""
    History(tmp_path / "history.sqlite3").close()
    program = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN IMMEDIATE')\n"
        "c.execute('CREATE TABLE half (x)')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    path = tmp_path / "history.sqlite3"
    assert subprocess.run([sys.executable, "-c", program, str(path)], check=False).returncode == -9
    names = sqlite3.connect(path).execute("SELECT name FROM sqlite_master").fetchall()
    assert ("half",) not in names
    assert History(path).count() == 0
