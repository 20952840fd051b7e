"""What the machine has: cores that may be used, memory, how much of it may be locked."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/")


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as this process sees it; None stands for what the system does not tell.

    Attributes:
        system: `Linux`, `Darwin` or `Windows`.
        arch: as the system names it, `x86_64` or `arm64` for example.
        processor: the processor's name, empty when unknown.
        cores: physical cores that this process may use; hyper-threads of one core count once.
        memory: bytes of RAM, or of the container's limit when that is less.
        available: bytes of it that can be had without pushing others out.
        lockable: bytes that may be kept from being swapped out; None where there is no limit.
    """

    system: str
    arch: str
    processor: str
    cores: int
    memory: int | None
    available: int | None
    lockable: int | None


def detect() -> Machine:
    """Look at this machine; takes a few milliseconds."""
    memory, available = _memory()
    return Machine(
        platform.system(),
        platform.machine(),
        _processor(),
        physical_cores(),
        memory,
        available,
        _lockable(),
    )


def physical_cores() -> int:
    """Physical cores that this process may use, at least 1.

    On Linux those that its affinity allows, and no more than a container's share of processor time.
    """
    if sys.platform == "win32":
        return _windows_cores()
    if sys.platform == "darwin":
        return _sysctl("hw.physicalcpu") or os.cpu_count() or 1
    if sys.platform == "linux":
        return linux_cores(_ROOT, os.sched_getaffinity(0))
    return os.cpu_count() or 1


def linux_cores(root: Path, allowed: set[int]) -> int:
    """Physical cores among the `allowed` processors, limited by the quota of the control groups."""
    cpus = root / "sys/devices/system/cpu"
    cores = {_read(cpus / f"cpu{cpu}/topology/thread_siblings_list") or str(cpu) for cpu in allowed}
    quotas = [quota for folder in _cgroups(root, "cpu") if (quota := _quota(folder)) is not None]
    return max(1, min([len(cores), *map(int, quotas)]))


def linux_memory(root: Path) -> tuple[int | None, int | None]:
    """Bytes in all and bytes available, both limited by the control groups."""
    lines = [line.partition(":") for line in _read(root / "proc/meminfo").splitlines()]
    fields = {name: int(rest.split()[0]) * 1024 for name, _, rest in lines if rest.strip()}
    total, available = fields.get("MemTotal"), fields.get("MemAvailable")
    for folder in _cgroups(root, "memory"):
        limit = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
        if limit is None or total is None or limit >= total:
            continue
        used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes") or 0
        free = max(0, limit - used + _reclaimable(folder))
        total, available = limit, free if available is None else min(available, free)
    return total, available


def _cgroups(root: Path, controller: str) -> Iterator[Path]:
    """This process's control groups for a controller, from the innermost out, version 1 and 2."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        names = controllers.split(",")
        if controllers and controller not in names:
            continue
        base = root / "sys/fs/cgroup"
        if controllers:
            base = base / controllers if (base / controllers).is_dir() else base / controller
        folder = base / path.lstrip("/")
        while folder != base:
            yield folder
            folder = folder.parent
        yield base


def _quota(folder: Path) -> float | None:
    """Processors' worth of time that a control group may use."""
    both = _read(folder / "cpu.max").split() or [
        _read(folder / "cpu.cfs_quota_us"),
        _read(folder / "cpu.cfs_period_us"),
    ]
    with suppress(ValueError, ZeroDivisionError):
        quota, period = (int(part) for part in both)
        return quota / period if quota > 0 else None
    return None


def _reclaimable(folder: Path) -> int:
    """Bytes of a control group's use that are only a cache of files."""
    for line in _read(folder / "memory.stat").splitlines():
        name, _, value = line.partition(" ")
        if name in ("inactive_file", "total_inactive_file"):
            return int(value)
    return 0


def _number(path: Path) -> int | None:
    text = _read(path)
    return int(text) if text.isdecimal() else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _memory() -> tuple[int | None, int | None]:
    if sys.platform == "win32":
        return _windows_memory()
    if sys.platform == "darwin":
        return _sysctl("hw.memsize") or None, _mac_available()
    return linux_memory(_ROOT)


def _processor() -> str:
    if sys.platform == "linux":
        for line in _read(_ROOT / "proc/cpuinfo").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor()


def _lockable() -> int | None:
    """The limit on locked memory; on Windows none is known beforehand."""
    if sys.platform == "win32":
        return 0
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return None if soft == resource.RLIM_INFINITY else soft


def vm_stat_available(text: str) -> int | None:
    """Bytes that macOS can hand out, from what `vm_stat` prints."""
    lines = [line.partition(":") for line in text.splitlines()]
    pages = {name: value.strip().rstrip(".") for name, _, value in lines}
    with suppress(ValueError, IndexError):
        size = int(text.split("page size of ")[1].split()[0])
        kinds = ("Pages free", "Pages inactive", "Pages speculative", "Pages purgeable")
        return size * sum(int(pages.get(kind, "0")) for kind in kinds)
    return None


def _mac_available() -> int | None:
    with suppress(OSError, subprocess.SubprocessError):
        ran = subprocess.run(
            ["/usr/bin/vm_stat"], capture_output=True, text=True, check=True, timeout=5
        )
        return vm_stat_available(ran.stdout)
    return None


def _sysctl(name: str) -> int:
    """A number that macOS's kernel tells, 0 when it does not."""
    value, size = ctypes.c_int64(0), ctypes.c_size_t(8)
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        if library.sysctlbyname(name.encode(), ctypes.byref(value), ctypes.byref(size), None, 0):
            return 0
    return value.value


if sys.platform == "win32":

    class _Core(ctypes.Structure):
        """SYSTEM_LOGICAL_PROCESSOR_INFORMATION; the union at its end is only room."""

        _fields_ = (
            ("mask", ctypes.c_size_t),
            ("relationship", ctypes.c_int),
            ("rest", ctypes.c_uint64 * 2),
        )

    class _Memory(ctypes.Structure):
        """MEMORYSTATUSEX."""

        _fields_ = (
            ("length", ctypes.c_uint32),
            ("load", ctypes.c_uint32),
            ("total", ctypes.c_uint64),
            ("available", ctypes.c_uint64),
            ("rest", ctypes.c_uint64 * 5),
        )

    def _windows_cores() -> int:
        """Cores of this process's processor group that its affinity allows."""
        kernel = ctypes.windll.kernel32
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        mask, everything = ctypes.c_size_t(), ctypes.c_size_t()
        kernel.GetProcessAffinityMask(
            ctypes.c_void_p(kernel.GetCurrentProcess()),
            ctypes.byref(mask),
            ctypes.byref(everything),
        )
        size = ctypes.c_uint32(0)
        kernel.GetLogicalProcessorInformation(None, ctypes.byref(size))
        rows = (_Core * max(1, size.value // ctypes.sizeof(_Core)))()
        if not kernel.GetLogicalProcessorInformation(rows, ctypes.byref(size)):
            return os.cpu_count() or 1
        allowed = mask.value or ~0
        cores = [row for row in rows if row.relationship == 0 and row.mask & allowed]
        return max(1, len(cores))

    def _windows_memory() -> tuple[int | None, int | None]:
        status = _Memory(length=ctypes.sizeof(_Memory))
        if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
            return None, None
        return int(status.total), int(status.available)
