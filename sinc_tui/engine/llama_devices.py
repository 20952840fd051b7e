"""The devices of the installed llama.cpp build, asked of ggml, whose functions the bindings leave out."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from typing import Any

import llama_cpp.llama_cpp as bindings
from llama_cpp._ctypes_extensions import load_shared_library

from sinc_tui.engine.plan import Device, DeviceKind

_KINDS: dict[int, DeviceKind] = {0: "cpu", 1: "gpu", 2: "igpu"}
_BACKENDS = {"MTL": "Metal"}
"""Names that people know better."""


class _Props(ctypes.Structure):
    """`ggml_backend_dev_props`, with room for what a later version may add."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("description", ctypes.c_char_p),
        ("free", ctypes.c_size_t),
        ("total", ctypes.c_size_t),
        ("kind", ctypes.c_int),
        ("id", ctypes.c_char_p),
        ("rest", ctypes.c_char * 256),
    )


def list_devices() -> list[Device]:
    """All devices in ggml's order; none where the library does not offer the list."""
    try:
        count = _function("ggml_backend_dev_count", ctypes.c_size_t)
        get = _function("ggml_backend_dev_get", ctypes.c_void_p, ctypes.c_size_t)
        props = _function("ggml_backend_dev_get_props", None, ctypes.c_void_p, ctypes.c_void_p)
        registry = _function("ggml_backend_dev_backend_reg", ctypes.c_void_p, ctypes.c_void_p)
        backend = _function("ggml_backend_reg_name", ctypes.c_char_p, ctypes.c_void_p)
    except AttributeError:
        return []
    devices = []
    for index in range(count()):
        handle, found = get(index), _Props()
        props(handle, ctypes.byref(found))
        name = _text(backend(registry(handle)))
        devices.append(
            Device(
                _text(found.name),
                _text(found.description),
                _KINDS.get(found.kind, "other"),
                _BACKENDS.get(name, name),
                found.free,
                found.total,
                _text(found.id),
            )
        )
    return devices


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode(errors="replace").strip()


def _function(name: str, result: Any, *arguments: Any) -> Any:
    """A C function of ggml, wherever this system's loader finds it; raises `AttributeError`."""
    for library in _libraries():
        with suppress(AttributeError):
            # A copy of its own: the types of a library's attributes are shared by all who use it.
            prototype = ctypes.CFUNCTYPE(result, *arguments)
            return prototype((name, library))
    raise AttributeError(name)


def _libraries() -> list[ctypes.CDLL]:
    """llama.cpp's library, through which most loaders find ggml's too, then ggml's own."""
    libraries = [bindings._lib]
    for name in ("ggml", "ggml-base"):
        with suppress(OSError, FileNotFoundError, RuntimeError):
            libraries.append(load_shared_library(name, bindings._base_path))
    return libraries
