"""The tables of the history, version by version, and the index for searching.

The version is SQLite's `user_version`. The index is no part of it, since not every SQLite has FTS5:
it is made where it can be, and made anew where a SQLite without it wrote meanwhile.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress

from sinc_tui.errors import SincError
from sinc_tui.sinc.bands import Band

_BANDS = [band.value.lower() for band in Band]
_TEXTS = ", ".join(["prompt", *_BANDS])

_AGAIN = 0.01
"""Seconds between two tries to turn the write-ahead log on."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        f"""CREATE TABLE runs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            created REAL NOT NULL,
            prompt TEXT NOT NULL,
            {", ".join(f'"{name}" TEXT NOT NULL' for name in _BANDS)},
            done TEXT NOT NULL,
            written TEXT NOT NULL,
            model TEXT NOT NULL,
            seed INTEGER NOT NULL,
            mode TEXT NOT NULL,
            ended TEXT NOT NULL
        )""",
        "CREATE INDEX runs_by_time ON runs (created DESC, id DESC)",
    ),
    (
        "ALTER TABLE runs ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0",
        "DROP INDEX runs_by_time",
        "CREATE INDEX runs_in_order ON runs (pinned DESC, created DESC, id DESC)",
    ),
)
"""What leads from each version to the next; version n has had the first n of them."""

_NEW = ", ".join(f"new.{name}" for name in ["prompt", *_BANDS])
_OLD = ", ".join(f"old.{name}" for name in ["prompt", *_BANDS])
_PUT = f"INSERT INTO found (rowid, {_TEXTS}) VALUES (new.id, {_NEW});"
_TAKE = f"INSERT INTO found (found, rowid, {_TEXTS}) VALUES ('delete', old.id, {_OLD});"
_INDEX = (
    f"""CREATE VIRTUAL TABLE found USING fts5 ({_TEXTS}, content='runs', content_rowid='id',
        prefix='1 2 3', tokenize='unicode61 remove_diacritics 2')""",
    f"CREATE TRIGGER found_put AFTER INSERT ON runs BEGIN {_PUT} END",
    f"CREATE TRIGGER found_take AFTER DELETE ON runs BEGIN {_TAKE} END",
    f"CREATE TRIGGER found_change AFTER UPDATE OF {_TEXTS} ON runs BEGIN {_TAKE} {_PUT} END",
    "INSERT INTO found (found) VALUES ('rebuild')",
    "INSERT INTO found (found, rank) VALUES ('secure-delete', 1)",
)
_TRIGGERS = ("found_put", "found_take", "found_change")


def prepare(connection: sqlite3.Connection) -> None:
    """Bring a database to the newest version; raises `SincError` for one from the future."""
    _use_log(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = ON")
    if _version(connection) == len(MIGRATIONS) and has_index(connection) == _can_index(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        _migrate(connection)
        _index(connection)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _use_log(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on. SQLite itself does not wait for another that does so just now."""
    patience = connection.execute("PRAGMA busy_timeout").fetchone()[0] / 1000
    last_try = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > last_try:
                raise
        time.sleep(_AGAIN)


def has_index(connection: sqlite3.Connection) -> bool:
    """Whether the index is there and kept up to date."""
    row = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name = 'found_put'"
    ).fetchone()
    return bool(row[0])


def _migrate(connection: sqlite3.Connection) -> None:
    version = _version(connection)
    if version > len(MIGRATIONS):
        raise SincError(
            f"The history was written by a newer sinc-tui (version {version} of its tables).",
            hint="Update this one; until then runs are not kept.",
        )
    for steps in MIGRATIONS[version:]:
        for step in steps:
            connection.execute(step)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _index(connection: sqlite3.Connection) -> None:
    """Make the index, or stop keeping it up where this SQLite has no FTS5."""
    if not _can_index(connection):
        for name in _TRIGGERS:
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
    elif not has_index(connection):
        connection.execute("DROP TABLE IF EXISTS found")
        for step in _INDEX[:-1]:
            connection.execute(step)
        with suppress(sqlite3.OperationalError):  # before SQLite 3.42 deletions wait for `optimize`
            connection.execute(_INDEX[-1])


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _can_index(connection: sqlite3.Connection) -> bool:
    row = connection.execute("SELECT sqlite_compileoption_used('ENABLE_FTS5')").fetchone()
    return bool(row[0])
