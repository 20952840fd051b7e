"""Broken model files against the real child process: an error in words for each, and the child lives on."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinc_tui.engine.client import WORKER
from sinc_tui.engine.protocol import Error, Load, Message, Ready, decode_message, encode
from tests.support.broken_gguf import broken, write_model


def _cases() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        return dict(broken(Path(folder)))


CASES = _cases()


class Child:
    """A worker that is started anew where the last one died."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def load(self, path: Path) -> Message:
        """The answer to a load; fails the test where the child dies instead of answering."""
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(
                WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=(self._folder / "log").open("wb"), cwd=self._folder,
            )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(encode(Load(path=str(path), name="broken")))
        self.process.stdin.flush()
        for line in self.process.stdout:
            message = decode_message(line)
            if isinstance(message, Error | Ready):
                return message
        pytest.fail(f"the child died: {self.process.wait()}")


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    child = Child(tmp_path_factory.mktemp("child"))
    yield child
    if child.process is not None:
        child.process.kill()
        child.process.communicate()


def test_there_are_sixty_of_them() -> None:
    assert len(set(CASES.values())) >= 60


def test_the_whole_file_loads(child: Child, tmp_path: Path) -> None:
    """Or the others would prove nothing."""
    assert isinstance(child.load(write_model(tmp_path / "whole.gguf")), Ready)


@pytest.mark.parametrize("what", CASES)
def test_a_broken_file_is_an_error_in_words(child: Child, tmp_path: Path, what: str) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(CASES[what])
    answer = child.load(path)
    assert isinstance(answer, Error), what
    assert answer.message
    assert answer.hint
    assert child.process is not None
    assert child.process.poll() is None
