"""Cores and memory as the system tells them, in trees of files that stand for other machines."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sinc_tui.engine.machine import (
    detect,
    linux_cores,
    linux_memory,
    physical_cores,
    vm_stat_available,
)

GIB = 1 << 30


def tree(root: Path, **files: str) -> Path:
    """Files below `root`; in their names `__` stands for a slash and `_dot_` for a dot."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def with_cores(root: Path, *siblings: str) -> Path:
    """Processors 0, 1, ... with the list of those that share a core with each."""
    for number, text in enumerate(siblings):
        tree(
            root,
            **{f"sys__devices__system__cpu__cpu{number}__topology__thread_siblings_list": text},
        )
    return root


def test_hyper_threads_count_once(tmp_path: Path) -> None:
    root = with_cores(tmp_path, "0,2\n", "1,3\n", "0,2\n", "1,3\n")
    assert linux_cores(root, {0, 1, 2, 3}) == 2
    assert linux_cores(root, {0, 2}) == 1, "an affinity that allows both threads of one core"
    assert linux_cores(root, {0, 1}) == 2


def test_without_a_topology_every_processor_is_a_core(tmp_path: Path) -> None:
    assert linux_cores(tmp_path, {0, 1, 5}) == 3


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("max 100000", 4), ("200000 100000", 2), ("150000 100000", 1), ("50000 100000", 1), ("", 4),
     ("900000 100000", 4), ("rubbish", 4)],
)  # fmt: skip
def test_a_container_with_a_share_of_the_processor(tmp_path: Path, quota: str, cores: int) -> None:
    root = tree(tmp_path, proc__self__cgroup="0::/\n", sys__fs__cgroup__cpu_dot_max=quota)
    assert linux_cores(root, {0, 1, 2, 3}) == cores


def test_the_narrowest_of_nested_groups_counts(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        proc__self__cgroup="0::/user/app\n",
        sys__fs__cgroup__user__cpu_dot_max="200000 100000",
        sys__fs__cgroup__user__app__cpu_dot_max="300000 100000",
    )
    assert linux_cores(root, {0, 1, 2, 3}) == 2


def test_control_groups_of_version_1(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        proc__self__cgroup="4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n",
        proc__meminfo="MemTotal: 16777216 kB\nMemFree: 1 kB\nMemAvailable: 8388608 kB\n",
        sys__fs__cgroup__cpu__cpu_dot_cfs_quota_us="300000\n",
        sys__fs__cgroup__cpu__cpu_dot_cfs_period_us="100000\n",
        sys__fs__cgroup__memory__memory_dot_limit_in_bytes=str(2 * GIB),
        sys__fs__cgroup__memory__memory_dot_usage_in_bytes=str(GIB),
    )
    assert linux_cores(root, set(range(8))) == 3
    assert linux_memory(root) == (2 * GIB, GIB)
    tree(root, sys__fs__cgroup__cpu__cpu_dot_cfs_quota_us="-1\n")
    assert linux_cores(root, set(range(8))) == 8


def test_memory_of_a_container(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        proc__self__cgroup="0::/\n",
        proc__meminfo="MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\n",
        sys__fs__cgroup__memory_dot_max="max\n",
    )
    assert linux_memory(root) == (16 * GIB, 8 * GIB)
    tree(
        root,
        sys__fs__cgroup__memory_dot_max=str(4 * GIB),
        sys__fs__cgroup__memory_dot_current=str(3 * GIB),
        sys__fs__cgroup__memory_dot_stat=f"anon 5\ninactive_file {GIB}\n",
    )
    assert linux_memory(root) == (4 * GIB, 2 * GIB)


def test_a_system_that_tells_nothing(tmp_path: Path) -> None:
    assert linux_memory(tmp_path) == (None, None)
    assert vm_stat_available("rubbish") is None


def test_macos_memory() -> None:
    told = (
        "Mach Virtual Memory Statistics: (page size of 16384 bytes)\n"
        "Pages free:                               100.\n"
        "Pages active:                            9000.\n"
        "Pages inactive:                           200.\n"
        "Pages speculative:                         30.\n"
        "Pages purgeable:                            4.\n"
    )
    assert vm_stat_available(told) == 334 * 16384


def test_this_machine() -> None:
    machine = detect()
    assert 1 <= machine.cores == physical_cores() <= (os.cpu_count() or 1)
    assert machine.system
    assert machine.arch
    if sys.platform == "linux":
        assert machine.memory
        assert machine.available
        assert machine.available <= machine.memory
