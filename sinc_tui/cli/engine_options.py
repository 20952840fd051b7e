"""The options of commands that load a model: how it is run, where the engine's own choice is not wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from sinc_tui.engine.protocol import EngineOptions

_Command = TypeVar("_Command", bound=Callable[..., Any])
_KV_TYPES = ("f16", "q8_0")
_OPTIONS = (
    click.option(
        "--gpu-layers", "n_gpu_layers", type=click.IntRange(min=-1), metavar="N",
        help="Layers on the GPU, -1 for all, 0 for none. [default: as many as fit]",
    ),
    click.option(
        "--threads", "n_threads", type=click.IntRange(1, 1024), metavar="N",
        help="CPU threads. [default: the physical cores]",
    ),
    click.option(
        "--context", "n_ctx", type=click.IntRange(min=256), metavar="N",
        help="Tokens of context. [default: what the model knows, up to 8192]",
    ),
    click.option(
        "--batch", "n_batch", type=click.IntRange(32, 8192), metavar="N",
        help="Tokens evaluated at once. [default: 128; on a GPU 512 where they fit]",
    ),
    click.option(
        "--kv-type", type=click.Choice(_KV_TYPES),
        help="How keys and values are kept; q8_0 takes half the memory. [default: f16 where it fits]",
    ),
    click.option(
        "--flash-attention/--no-flash-attention", default=None,
        help="[default: on a GPU that can; on an x86 CPU for short prompts]",
    ),
    click.option(
        "--mlock/--no-mlock", default=None,
        help="Keep the model from being swapped out. [default: where it is small and allowed]",
    ),
)  # fmt: skip
_FIELDS = ("n_gpu_layers", "n_threads", "n_ctx", "n_batch", "kv_type", "flash_attention", "mlock")


def engine_options(command: _Command) -> _Command:
    """Give a command these options; its function takes them out again with `take_engine_options`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_engine_options(values: dict[str, Any]) -> EngineOptions:
    """What was asked for, taken out of a command's values."""
    from sinc_tui.engine.protocol import EngineOptions

    return EngineOptions(**{name: values.pop(name) for name in _FIELDS})
