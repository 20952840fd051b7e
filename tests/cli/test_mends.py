"""The command for each machine: which wheel, from what the driver says."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest

from sinc_tui.cli import mends
from sinc_tui.cli.mends import Nvidia, cuda_build, parse_nvidia, wheel_line
from tests.cli.processes import ROOT

OVERVIEW = """\
+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 550.54.14              Driver Version: 550.54.14      CUDA Version: 12.4     |
|-----------------------------------------+------------------------+----------------------+
"""


def test_the_version_is_the_one_that_is_required() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"llama-cpp-python=={mends.LLAMA_CPP}" in project["dependencies"]


def test_what_nvidia_smi_prints() -> None:
    cards = "NVIDIA GeForce RTX 4090, 8.9\nTesla P40, 6.1\n"
    assert parse_nvidia(cards, OVERVIEW) == Nvidia(
        ("NVIDIA GeForce RTX 4090", "Tesla P40"), 124, 6.1
    )
    assert parse_nvidia("Tesla K80, [N/A]\n", OVERVIEW) == Nvidia(("Tesla K80",), 124, 0.0)
    assert parse_nvidia("", "") is None
    assert parse_nvidia("No devices were found\n", OVERVIEW) is None
    assert parse_nvidia(cards, "CUDA Version: N/A") is None


@pytest.mark.parametrize(
    ("cuda", "capability", "system", "build"),
    [
        (124, 8.9, "Linux", "cu124"),
        (128, 8.9, "Linux", "cu125"),
        (131, 8.9, "Linux", "cu130"),
        (140, 12.0, "Linux", "cu132"),
        (130, 6.1, "Linux", "cu125"),
        (120, 8.9, "Linux", "cu118"),
        (122, 8.9, "Windows", "cu118"),
        (124, 8.9, "Windows", "cu124"),
        (114, 3.7, "Linux", None),
        (124, 8.9, "FreeBSD", None),
    ],
)
def test_the_newest_wheel_that_the_driver_and_the_card_run(
    cuda: int, capability: float, system: str, build: str | None
) -> None:
    assert cuda_build(Nvidia(("card",), cuda, capability), system) == build


def test_a_wheel_line_is_pinned_and_never_compiles() -> None:
    line = wheel_line("cu124")
    assert line.startswith(sys.executable)
    assert f"llama-cpp-python=={mends.LLAMA_CPP}" in line
    assert "--only-binary llama-cpp-python" in line
    assert re.search(r"--extra-index-url https://\S+/whl/cu124$", line)


def test_amd_cards(tmp_path: Path) -> None:
    assert not mends.has_amd_card(tmp_path)
    for number, vendor in enumerate(("0x8086", "0x1002")):
        device = tmp_path / f"sys/class/drm/card{number}/device"
        device.mkdir(parents=True)
        (device / "vendor").write_text(vendor + "\n", encoding="utf-8")
    assert mends.has_amd_card(tmp_path)
