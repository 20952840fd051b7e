"""Make the default model ready: `python -m sinc_tui.models.prepare BASE ADAPTER MERGED`.

Prints fractions, one a line. The merged file appears whole or not at all.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

from sinc_tui.models.default import NO_ROOM, QUANTIZATION, Part, Record, Student, partial_file
from sinc_tui.models.merging import merge


def prepare(student: Student, progress: Callable[[float], None]) -> None:
    """Merge the student's parts and record what it was made of; `progress` hears 0.0 to 1.0."""
    _sweep(student.merged)
    partial = partial_file(student.merged, os.getpid())
    try:
        merge(
            student.base,
            student.adapter,
            partial,
            quantization=QUANTIZATION,
            progress=progress,
        )
        _sync(partial)
        partial.replace(student.merged)
    finally:
        partial.unlink(missing_ok=True)
    record = Record(Part.of(student.base), Part.of(student.adapter), Part.of(student.merged))
    record.write(student.record)


def _sync(path: Path) -> None:
    """Wait until it is on the disk: a power cut leaves no file that has its name and not its content."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sweep(merged: Path) -> None:
    """Delete what preparations that were killed left behind."""
    for partial in merged.parent.glob(f"{merged.name}.*.part"):
        pid = partial.suffixes[-2][1:]
        if pid.isdecimal() and not _runs(int(pid)):
            partial.unlink(missing_ok=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def main() -> int:
    """Prepare what the command line names; its exit code tells a full disk from other failures."""
    try:
        prepare(Student(*map(Path, sys.argv[1:4])), lambda done: print(f"{done:.3f}", flush=True))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return NO_ROOM
    return 0


if __name__ == "__main__":
    sys.exit(main())
