"""Bytes and times as people read them."""

from __future__ import annotations

_KILO, _KIBI = 1000, 1024


def on_disk(size: float) -> str:
    """Bytes of a file or a disk, as shops and downloads count: `491 MB`, `4.7 GB`."""
    return _scaled(size, _KILO, ("B", "kB", "MB", "GB", "TB"))


def in_memory(size: float) -> str:
    """Bytes of memory: `900 MiB`, `11 GiB`."""
    return _scaled(size, _KIBI, ("B", "KiB", "MiB", "GiB", "TiB"))


def clock(seconds: float) -> str:
    """A time to wait: `0:31`, `1:02:07`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _scaled(size: float, step: int, units: tuple[str, ...]) -> str:
    """Three digits at most, a decimal only where the number has one digit before it."""
    power = 0
    while round(size) >= 1000 and power < len(units) - 1:
        size /= step
        power += 1
    exact = power >= 3 and size < 9.95
    return f"{size:.1f} {units[power]}" if exact else f"{size:.0f} {units[power]}"
