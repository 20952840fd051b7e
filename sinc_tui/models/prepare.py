"""Make the default model ready: `python -m sinc_tui.models.prepare BASE ADAPTER MERGED`.

Prints fractions, one a line. The merged file appears whole or not at all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from sinc_tui.models.default import QUANTIZATION, Part, Record, Student
from sinc_tui.models.merging import merge


def prepare(student: Student, progress: Callable[[float], None]) -> None:
    """Merge the student's parts and record what it was made of; `progress` hears 0.0 to 1.0."""
    partial = student.merged.with_name(f"{student.merged.name}.{os.getpid()}.part")
    try:
        merge(
            student.base,
            student.adapter,
            partial,
            quantization=QUANTIZATION,
            progress=progress,
        )
        partial.replace(student.merged)
    finally:
        partial.unlink(missing_ok=True)
    record = Record(Part.of(student.base), Part.of(student.adapter), Part.of(student.merged))
    record.write(student.record)


if __name__ == "__main__":
    prepare(Student(*map(Path, sys.argv[1:4])), lambda done: print(f"{done:.3f}", flush=True))
