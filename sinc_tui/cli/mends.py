"""The commands that mend what `sinc-tui doctor` finds."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sinc_tui.extras import pip_install

LLAMA_CPP = "0.3.36"
"""The version of llama-cpp-python that this program is made for."""
_INDEX = "https://abetlen.github.io/llama-cpp-python/whl/"
"""Where llama-cpp-python's own project keeps wheels that are built already."""
_CUDA_WHEELS = {
    "Linux": (118, 121, 122, 123, 124, 125, 130, 132),
    "Windows": (118, 124, 125, 130, 132),
}
"""CUDA versions times ten for which there are wheels."""
_FIRST_WITHOUT_PASCAL, _TURING = 130, 7.5
"""Wheels from this one on run on cards from this compute capability on only."""
_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Nvidia:
    """NVIDIA cards as their driver tells; `cuda` is the highest version that it runs, times ten."""

    names: tuple[str, ...]
    cuda: int
    capability: float


def compile_line() -> str:
    """Compile llama-cpp-python anew, for this very processor."""
    return pip_install(
        "--force-reinstall", "--no-deps", "--no-cache-dir", "--no-binary", "llama-cpp-python",
        f"llama-cpp-python=={LLAMA_CPP}",
    )  # fmt: skip


def wheel_line(build: str) -> str:
    """Replace llama-cpp-python by the wheel for a GPU: `metal`, `vulkan`, or `cu124` and the like.

    A wheel or nothing: else pip would quietly compile the source again, without a GPU.
    """
    return pip_install(
        "--force-reinstall", "--no-deps", "--only-binary", "llama-cpp-python",
        f"llama-cpp-python=={LLAMA_CPP}", "--extra-index-url", _INDEX + build,
    )  # fmt: skip


def cuda_build(card: Nvidia, system: str) -> str | None:
    """The wheel for a driver: the newest that it runs. None where there is none."""
    fitting = [
        version
        for version in _CUDA_WHEELS.get(system, ())
        if version <= card.cuda
        and (version < _FIRST_WITHOUT_PASCAL or not 0 < card.capability < _TURING)
    ]
    return f"cu{max(fitting)}" if fitting else None


def edit_line(path: Path) -> str:
    """The command that opens a text file on this system."""
    if sys.platform == "win32":
        return f'notepad "{path}"'
    return f"${{EDITOR:-nano}} {shlex.quote(str(path))}"


def find_nvidia() -> Nvidia | None:
    """Ask the driver through nvidia-smi; None where there is none, or no card."""
    query = ("nvidia-smi", "--query-gpu=name,compute_cap", "--format=csv,noheader")
    return parse_nvidia(output_of(query), output_of(("nvidia-smi",)))


def parse_nvidia(cards: str, overview: str) -> Nvidia | None:
    """Read what nvidia-smi prints: a line `name, capability` for each card, and its overview."""
    found = re.findall(r"^(.+), *(\d+\.\d+|\[N/A\])\s*$", cards, re.MULTILINE)
    version = re.search(r"CUDA Version: *(\d+)\.(\d+)", overview)
    if not found or version is None:
        return None
    capabilities = [float(text) for _, text in found if text[0].isdigit()]
    return Nvidia(
        tuple(name for name, _ in found),
        int(version[1]) * 10 + int(version[2]),
        min(capabilities, default=0.0),
    )


def has_amd_card(root: Path = Path("/")) -> bool:
    """Whether Linux knows of a graphics card by AMD."""
    vendors = root.glob("sys/class/drm/card*/device/vendor")
    return any(path.read_text(encoding="utf-8").strip() == "0x1002" for path in vendors)


def output_of(command: Sequence[str]) -> str:
    """What a program prints, empty when it fails or is not there."""
    try:
        ran = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return ran.stdout.decode(errors="replace")
