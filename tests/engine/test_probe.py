"""Asking the build in a child: the real one, and builds that are broken in every way."""

from __future__ import annotations

import sys

import pytest

from sinc_tui.engine.probe import probe


def answer(program: str) -> str:
    """The trouble with a child that runs this program."""
    build = probe([sys.executable, "-c", program])
    assert build.version == ""
    assert not build.devices
    return build.trouble


def test_the_real_build() -> None:
    build = probe()
    assert build.trouble == ""
    assert build.version
    assert build.folder.endswith("llama_cpp")
    assert "CPU" in build.features
    assert any(device.kind == "cpu" for device in build.devices)


def test_a_crash() -> None:
    program = "import os, signal; os.kill(os.getpid(), signal.SIGILL)"
    assert answer(program) == "It crashes when it is imported (SIGILL)."


def test_an_exception() -> None:
    program = "raise OSError('libcudart.so.12: cannot open shared object file')"
    assert answer(program).endswith("OSError: libcudart.so.12: cannot open shared object file.")
    assert answer("import sys; sys.exit(3)") == "It cannot be imported: exit code 3."


def test_not_installed() -> None:
    assert probe([sys.executable, "-c", "import llama_cpp_missing"]).missing is False
    program = "raise ModuleNotFoundError(\"No module named 'llama_cpp'\")"
    assert probe([sys.executable, "-c", program]).missing


@pytest.mark.parametrize("text", ["", "{}", "[]", "rubbish", '{"devices": [{"no": 1}]}'])
def test_an_answer_that_is_none(text: str) -> None:
    assert answer(f"print({text!r})").startswith("It answered something unreadable")


def test_no_answer_in_time() -> None:
    build = probe([sys.executable, "-c", "import time; time.sleep(99)"], seconds=0.01)
    assert build.trouble == "It did not answer within 0.01 s."


def test_no_such_program() -> None:
    assert "could not be asked" in probe(["/nowhere/python"]).trouble
