"""Make the default model ready: `python -m sinc_tui.models.prepare BASE ADAPTER MERGED`.

Prints fractions, one a line. The merged file appears whole or not at all.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sinc_tui.models.default import QUANTIZATION, Part, Record, Student
from sinc_tui.models.merging import merge


def prepare(student: Student) -> None:
    """Merge the student's parts and record what it was made of."""
    partial = student.merged.with_name(f"{student.merged.name}.{os.getpid()}.part")
    try:
        merge(
            student.base,
            student.adapter,
            partial,
            quantization=QUANTIZATION,
            progress=lambda fraction: print(f"{fraction:.3f}", flush=True),
        )
        partial.replace(student.merged)
    finally:
        partial.unlink(missing_ok=True)
    parts = (Part.of(path) for path in (student.base, student.adapter, student.merged))
    Record(*parts).write(student.record)


if __name__ == "__main__":
    prepare(Student(*map(Path, sys.argv[1:4])))
