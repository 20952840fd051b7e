"""The history: stored as it happens, found again, forgotten when told to, safe with two at once."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from sinc_tui import history_schema
from sinc_tui.errors import SincError
from sinc_tui.history import History, Run, as_dict
from sinc_tui.sinc.bands import Band

TEXTS = {band: f"{band.value} says Crème\nbrûlée" for band in Band}
RUN = Run(
    prompt="fix line_3 of 日本語の file.py",
    created=1.5,
    texts=TEXTS,
    done=frozenset(Band),
    written=TEXTS,
    model="tiny",
    seed=7,
    mode="parallel",
    ended="finished",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite3"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    history = History(path)
    yield history
    history.close()


@pytest.fixture(params=[True, False], ids=["fts5", "like"])
def either(request: pytest.FixtureRequest, path: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    """With the index, and as where SQLite has none."""
    if not request.param:
        monkeypatch.setattr(history_schema, "_can_index", lambda connection: False)
    return History(path)


def test_a_run_comes_back_as_it_was(history: History) -> None:
    number = history.save(RUN)
    assert history.get(number) == replace(RUN, id=number)
    assert history.get(number + 1) is None
    assert [run["prompt"] for run in map(as_dict, history.all())] == [RUN.prompt]


def test_a_run_is_stored_while_it_is_written(history: History) -> None:
    number = history.save(Run(prompt="x"))
    begun = history.get(number)
    assert begun is not None
    assert (begun.ended, begun.edited, begun.created > 1e9) == ("running", False, True)
    edited = {**TEXTS, Band.TASK: "Mine."}
    assert history.save(replace(RUN, id=number, texts=edited)) == number
    ended = history.get(number)
    assert ended is not None
    assert ended.edited
    assert ended.created == begun.created
    assert history.count() == 1


@pytest.mark.parametrize(
    "query",
    [
        "fi",
        "line",
        "CREME",
        "Crème bru",
        "file.py",
        "line_3 fix",
        "日本",
        "task says",
        "  ",
        '"fix',
    ],
)
def test_search_finds_the_beginnings_of_words(either: History, query: str) -> None:
    if query == "CREME" and not either._indexed:
        pytest.skip("LIKE knows no accents")
    if query == "Crème bru" and not either._indexed:
        query = "Crème brû"
    number = either.save(RUN)
    assert [run.id for run in either.find(query)] == [number]


@pytest.mark.parametrize("query", ["nothing", "fix nothing", "%", "日本人", "* NOT fix("])
def test_search_finds_nothing_else(either: History, query: str) -> None:
    either.save(RUN)
    assert either.find(query) == []


def test_search_follows_edits_and_deletions(either: History) -> None:
    number = either.save(RUN)
    either.save(replace(RUN, id=number, texts={**TEXTS, Band.TASK: "zebra"}))
    assert either.find("zebra")
    either.save(replace(RUN, id=number))
    assert not either.find("zebra")
    assert either.delete(number)
    assert not either.delete(number)
    assert either.find("fix") == []


def test_the_index_is_made_anew_after_a_sqlite_without_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    History(path).close()
    with monkeypatch.context() as patch:
        patch.setattr(history_schema, "_can_index", lambda connection: False)
        without = History(path)
        without.save(RUN)
        without.close()
    history = History(path)
    assert history._indexed
    assert history.find("crème")


def test_order_pins_and_purge(history: History) -> None:
    old, middle, new = (history.save(replace(RUN, created=time)) for time in (1.0, 2.0, 3.0))
    history.pin(old, True)
    history.save(replace(RUN, id=old))
    assert [run.id for run in history.find()] == [old, new, middle]
    assert [run.id for run in history.find(limit=2)] == [old, new]
    assert history.purge(before=2.5) == 1
    assert history.purge() == 1
    assert [run.id for run in history.find()] == [old]
    assert history.purge(pinned=True) == 1
    assert history.count() == 0


def test_what_was_deleted_does_not_come_back(history: History) -> None:
    number = history.save(RUN)
    history.delete(number)
    history.save(replace(RUN, id=number))
    assert history.count() == 0
    assert history.save(RUN) != number


def test_deleted_text_is_not_on_the_disk_any_more(history: History, path: Path) -> None:
    number = history.save(replace(RUN, prompt="xyzzyplugh"))
    history.save(RUN)
    history.delete(number)
    for file in path.parent.iterdir():
        assert b"xyzzyplugh" not in file.read_bytes(), file.name


def test_only_the_owner_may_read(history: History, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_database_of_version_1_is_brought_up_to_date(path: Path) -> None:
    old = sqlite3.connect(path)
    for step in history_schema.MIGRATIONS[0]:
        old.execute(step)
    old.execute("PRAGMA user_version = 1")
    old.execute(
        "INSERT INTO runs VALUES (5, 1.5, 'an old prompt', 'p', 'c', 'd', 'r', 'f', 't',"
        """ '["TASK"]', '{"TASK": "t"}', 'tiny', 0, 'sequential', 'finished')"""
    )
    old.commit()
    old.close()
    history = History(path)
    (run,) = history.find("old")
    assert (run.id, run.prompt, run.texts[Band.TASK], run.pinned) == (
        5,
        "an old prompt",
        "t",
        False,
    )
    history.pin(5, True)
    history.close()
    again = History(path)
    assert again.find("old")[0].pinned
    assert again._connection.execute("PRAGMA user_version").fetchone() == (2,)


def test_a_failed_migration_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    History(path).save(RUN)
    broken = (*history_schema.MIGRATIONS, ("ALTER TABLE runs ADD COLUMN more TEXT", "NONSENSE"))
    with monkeypatch.context() as patch:
        patch.setattr(history_schema, "MIGRATIONS", broken)
        with pytest.raises(SincError, match="cannot be opened"):
            History(path)
    assert History(path).find("fix")


def test_a_newer_database_is_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SincError, match=r"newer sinc-tui.*Update"):
        History(path)
    assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone() == (99,)


def test_two_at_once(path: Path) -> None:
    """Two connections, as two processes hold them, write at the same time: every run is there."""
    ready = threading.Barrier(2)

    def write(name: str) -> None:
        history = History(path)
        ready.wait(60)
        for number in range(50):
            history.save(replace(RUN, prompt=f"{name} {number}"))
        history.close()

    with ThreadPoolExecutor() as threads:
        list(threads.map(write, ("one", "two")))
    history = History(path)
    assert history.count() == 100
    assert len(history.find("one")) == len(history.find("two")) == 50


def test_a_new_database_is_opened_by_four_at_once(tmp_path: Path) -> None:
    """Each first start makes the file, its tables and its log; whoever is later waits for that."""
    ready = threading.Barrier(4)

    def start(path: Path) -> int:
        ready.wait(60)
        history = History(path)
        try:
            return history.save(RUN)
        finally:
            history.close()

    with ThreadPoolExecutor(4) as threads:
        for number in range(25):
            ids = threads.map(start, [tmp_path / f"{number}.sqlite3"] * 4)
            assert sorted(ids) == [1, 2, 3, 4]


def test_a_locked_database_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = History(path)
    history._connection.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(SincError, match=r"cannot be written: database is locked.*try again"):
        history.save(RUN)
    other.execute("ROLLBACK")
    assert history.save(RUN)


def test_a_full_disk_is_told_and_loses_nothing(history: History) -> None:
    number = history.save(RUN)
    pages = history._connection.execute("PRAGMA page_count").fetchone()[0]
    history._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(SincError, match=r"database or disk is full.*Make room"):
        history.save(replace(RUN, prompt="long " * 100_000))
    history._connection.execute("PRAGMA max_page_count = 1000000")
    assert [run.id for run in history.find()] == [number]
    assert history.save(replace(RUN, prompt="long " * 100_000))


def test_half_a_character_is_told(history: History) -> None:
    with pytest.raises(SincError, match=r"cannot be searched: .* Take out the half character"):
        history.find("\udce9")
    with pytest.raises(SincError, match="cannot be written"):
        history.save(replace(RUN, prompt="caf\udce9"))
    assert history.count() == 0


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"what is this? " * 100)
    with pytest.raises(SincError, match=r"not a database.*Move .* away"):
        History(path)
    assert path.read_bytes().startswith(b"what is this?")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o500)
    with pytest.raises(SincError, match="can be written"):
        History(folder / "history.sqlite3")


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(SincError, match=r"Check that .* can be written"):
        History(tmp_path / "none" / "history.sqlite3")


def test_the_command_line_loads_no_database() -> None:
    program = "import sys, sinc_tui.cli.main; assert 'sqlite3' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
