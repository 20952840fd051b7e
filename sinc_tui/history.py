"""Every run in a database of the user's: written as it happens, searched while one types.

Several processes may use it at once: each change is a transaction of its own, in WAL mode.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any

from sinc_tui.errors import SincError
from sinc_tui.history_schema import has_index, prepare
from sinc_tui.history_search import condition
from sinc_tui.sinc.bands import Band

_PATIENCE = 5.0
"""Seconds that a change waits for another process's."""
_COLUMNS = tuple(band.value.lower() for band in Band)
_SELECT = (
    f"SELECT id, created, prompt, {', '.join(_COLUMNS)}, done, written, model, seed, mode,"
    " ended, pinned FROM runs"
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run.

    Attributes:
        id: 0 while the run is not stored.
        created: seconds since 1970.
        texts: the bands as they stand, edits included; every band is a key.
        done: the bands that are finished.
        written: the bands as the model wrote them.
        ended: how it ended; `running` also for one whose process died.
    """

    prompt: str
    id: int = 0
    created: float = 0.0
    texts: Mapping[Band, str] = field(default_factory=lambda: dict.fromkeys(Band, ""))
    done: frozenset[Band] = frozenset()
    written: Mapping[Band, str] = field(default_factory=dict)
    model: str = ""
    seed: int = 0
    mode: str = "sequential"
    ended: str = "running"
    pinned: bool = False

    @property
    def edited(self) -> bool:
        """Whether a band is not what the model wrote."""
        return any(text != self.texts[band] for band, text in self.written.items())


class History:
    """The database; every method raises `SincError` when the disk or the file says no."""

    def __init__(self, path: Path) -> None:
        """Open, or make, and bring it up to the newest schema."""
        self.path = path
        self._lock = RLock()
        with self._told("opened"):
            self._connection = sqlite3.connect(
                path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
            )
            try:
                with suppress(OSError):
                    os.chmod(path, 0o600)
                prepare(self._connection)
            except BaseException:
                self._connection.close()
                raise
        self._indexed = has_index(self._connection)

    def close(self) -> None:
        """Close the database; what is written stays."""
        with self._lock, suppress(sqlite3.Error):
            self._connection.close()

    def save(self, run: Run) -> int:
        """Store a new run, or a known one as it is now; its id.

        A known run that was deleted meanwhile stays deleted. Whether it is pinned is not changed.
        """
        values = (
            run.prompt,
            *(run.texts[band] for band in Band),
            _json(band.value for band in Band if band in run.done),
            json.dumps({b.value: t for b, t in run.written.items()}, ensure_ascii=False),
            run.model,
            run.seed,
            run.mode,
            run.ended,
        )
        names = ("prompt", *_COLUMNS, "done", "written", "model", "seed", "mode", "ended")
        with self._told("written"):
            if run.id:
                marks = ", ".join(f"{name} = ?" for name in names)
                self._connection.execute(f"UPDATE runs SET {marks} WHERE id = ?", (*values, run.id))
                return run.id
            marks = ", ".join("?" * (len(names) + 2))
            cursor = self._connection.execute(
                f"INSERT INTO runs (created, pinned, {', '.join(names)}) VALUES ({marks})",
                (run.created or time.time(), run.pinned, *values),
            )
            return int(cursor.lastrowid or 0)

    def find(self, query: str = "", *, limit: int = 200) -> list[Run]:
        """Runs that hold every word of the query, pinned ones first, then the newest first."""
        where, values = condition(query, indexed=self._indexed)
        order = "ORDER BY pinned DESC, created DESC, id DESC"
        chosen = f"SELECT id FROM runs {where} {order} LIMIT ?"
        with self._told("searched"):
            rows = self._connection.execute(
                f"{_SELECT} WHERE id IN ({chosen}) {order}", (*values, limit)
            )
            return [_run(row) for row in rows]

    def get(self, run_id: int) -> Run | None:
        """A run by its id."""
        with self._told("read"):
            row = self._connection.execute(f"{_SELECT} WHERE id = ?", (run_id,)).fetchone()
        return _run(row) if row else None

    def all(self) -> Iterator[Run]:
        """Every run, the oldest first."""
        last = 0
        while True:
            with self._told("read"):
                rows = self._connection.execute(
                    f"{_SELECT} WHERE id > ? ORDER BY id LIMIT 500", (last,)
                ).fetchall()
            if not rows:
                return
            yield from map(_run, rows)
            last = rows[-1][0]

    def count(self) -> int:
        """How many runs there are."""
        with self._told("read"):
            return int(self._connection.execute("SELECT count(*) FROM runs").fetchone()[0])

    def pin(self, run_id: int, pinned: bool) -> None:
        """Keep a run at the top and out of the way of a purge, or not any more."""
        with self._told("written"):
            self._connection.execute("UPDATE runs SET pinned = ? WHERE id = ?", (pinned, run_id))

    def delete(self, run_id: int) -> bool:
        """Delete a run; whether it was there. What it held is overwritten on the disk."""
        with self._told("written"):
            gone = self._connection.execute("DELETE FROM runs WHERE id = ?", (run_id,)).rowcount > 0
            self._forget()
        return gone

    def purge(self, *, pinned: bool = False, before: float | None = None) -> int:
        """Delete all runs, the pinned ones only when asked to, or those begun `before`; how many."""
        with self._told("written"):
            gone = self._connection.execute(
                "DELETE FROM runs WHERE (? OR NOT pinned) AND (? IS NULL OR created < ?)",
                (pinned, before, before),
            ).rowcount
            self._forget()
        return gone

    def _forget(self) -> None:
        """Take deleted text out of the write-ahead log and the index too, if nobody reads now."""
        with suppress(sqlite3.OperationalError):
            if self._indexed:
                self._connection.execute("INSERT INTO found (found) VALUES ('optimize')")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """One at a time, and every failure in words that say what to do."""
        with self._lock:
            try:
                yield
            except (sqlite3.Error, OSError, UnicodeError) as error:
                raise SincError(
                    f"The history cannot be {what}: {error}.", hint=self._hint(error)
                ) from error

    def _hint(self, error: Exception) -> str:
        words = str(error)
        if isinstance(error, UnicodeError):
            return "Take out the half character."
        if "locked" in words:
            return "Another program holds it; try again."
        if "full" in words:
            return "Make room on the disk."
        if "malformed" in words or "not a database" in words:
            return f"Move {self.path} away; a new one is begun."
        return f"Check that {self.path} and its folder can be written."


def as_dict(run: Run) -> dict[str, Any]:
    """A run for JSON."""
    return {
        "id": run.id,
        "created": run.created,
        "prompt": run.prompt,
        "bands": {band.value: run.texts[band] for band in Band},
        "finished": [band.value for band in Band if band in run.done],
        "written": {band.value: text for band, text in run.written.items()},
        "model": run.model,
        "seed": run.seed,
        "mode": run.mode,
        "ended": run.ended,
        "pinned": run.pinned,
    }


def as_line(run: Run) -> str:
    """A run as a line of JSON, in ASCII, so that any program can read it."""
    return json.dumps(as_dict(run), ensure_ascii=True)


def _json(values: Iterable[str]) -> str:
    return json.dumps(list(values))


def _run(row: tuple[Any, ...]) -> Run:
    run_id, created, prompt, *rest = row
    texts, (done, written, model, seed, mode, ended, pinned) = rest[:6], rest[6:]
    return Run(
        prompt=prompt,
        id=run_id,
        created=created,
        texts=dict(zip(Band, texts, strict=True)),
        done=frozenset(Band(name) for name in json.loads(done)),
        written={Band(name): text for name, text in json.loads(written).items()},
        model=model,
        seed=seed,
        mode=mode,
        ended=ended,
        pinned=bool(pinned),
    )
