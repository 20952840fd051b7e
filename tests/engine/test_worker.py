"""The child process as it is started: nothing but messages on stdout, an end when stdin ends."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sinc_tui.engine.client import BEHIND, WORKER
from sinc_tui.engine.protocol import (
    BandEnd,
    Cancel,
    Decompose,
    Delta,
    Done,
    EngineOptions,
    Error,
    Load,
    Message,
    Planned,
    Progress,
    Reading,
    Ready,
    SamplerOptions,
    Stopped,
    Wire,
    decode_message,
    encode,
)
from sinc_tui.models.default import ModelFile
from sinc_tui.sinc.bands import Band


class Child:
    """A worker, spoken to over its pipes."""

    def __init__(self, folder: Path, command: Sequence[str] = WORKER) -> None:
        self._log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, cwd=folder
        )

    def send(self, *commands: Wire) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"".join(map(encode, commands)))
        self.process.stdin.flush()

    def receive(self) -> Message:
        assert self.process.stdout is not None
        return decode_message(self.process.stdout.readline())

    def until(self, kind: type[Wire]) -> list[Message]:
        """Messages up to the first of a kind."""
        messages = [self.receive()]
        while not isinstance(messages[-1], kind):
            assert not isinstance(messages[-1], Error), messages[-1]
            messages.append(self.receive())
        return messages

    def end(self) -> int:
        """Close its stdin and wait."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(60)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self._log):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    child = Child(tmp_path)
    yield child
    child.close()


def test_no_model(child: Child) -> None:
    child.send(Decompose(run=1, prompt="hi"))
    answer = child.receive()
    assert isinstance(answer, Error)
    assert (answer.run, answer.message) == (1, "No model is loaded.")
    assert child.end() == 0


def test_a_file_that_does_not_load_and_one_that_does(
    child: Child, tmp_path: Path, tiny_model: ModelFile
) -> None:
    child.send(Load(path=str(tmp_path), name="a folder"))
    answer = child.receive()
    assert isinstance(answer, Error)
    assert (answer.run, answer.message) == (None, f"{tmp_path} is a folder.")

    child.send(Load(path=str(tiny_model.path), name="mine"))
    planned, *steps, ready = child.until(Ready)
    assert isinstance(planned, Planned)
    assert isinstance(ready, Ready)
    assert (ready.info.name, ready.info.trained, ready.info.layout) == ("mine", True, "lines")
    assert ready.info.settings == planned.settings
    fractions = [step.fraction for step in steps if isinstance(step, Progress)]
    assert len(fractions) == len(steps)
    assert fractions == sorted(fractions)

    child.process.send_signal(signal.SIGINT)  # Ctrl-C in the app's terminal reaches the child too
    child.send(Decompose(run=5, prompt="hi"))
    messages = child.until(Done)
    assert {m.run for m in messages if isinstance(m, Delta | BandEnd | Done)} == {5}
    ends = [m for m in messages if isinstance(m, BandEnd)]
    assert [m.band for m in ends] == list(Band)
    for end in ends[:2]:
        deltas = [m.text for m in messages if isinstance(m, Delta) and m.band is end.band]
        assert "".join(deltas).strip().startswith(end.text[:10])

    child.send(Cancel(run=6), Decompose(run=6, prompt="hi"), Decompose(run=7, prompt="hi"))
    assert child.receive() == Stopped(run=6), "a cancel that came first counts"
    done = child.until(Done)[-1]
    assert isinstance(done, Done)
    assert done.run == 7
    assert child.end() == 0


def test_a_long_prompt_tells_how_much_is_read(child: Child, tiny_model: ModelFile) -> None:
    child.send(
        Load(path=str(tiny_model.path), name="mine", options=EngineOptions(n_batch=64)),
        Decompose(run=1, prompt="fix line 3"),
    )
    assert not any(isinstance(m, Reading) for m in child.until(Done)), "a short one does not"
    child.send(Decompose(run=2, prompt="fix line 3 of this text " * 20))
    messages = child.until(Delta)
    read = [m.fraction for m in messages if isinstance(m, Reading) and m.run == 2]
    assert read[0] == 0
    assert len(read) > 1
    assert read == sorted(set(read))
    assert read[-1] < 1


def test_what_is_read_between_the_bands_is_not_told(child: Child, tiny_model: ModelFile) -> None:
    """With so small a batch what lies between two bands needs several, too."""
    child.send(
        Load(path=str(tiny_model.path), name="mine", options=EngineOptions(n_batch=32)),
        Decompose(
            run=1,
            prompt="fix line 3 of this text " * 20,
            sampler=SamplerOptions(decode="sequential"),
        ),
    )
    messages = child.until(Done)
    begun = next(n for n, m in enumerate(messages) if isinstance(m, Delta))
    assert any(isinstance(m, Reading) for m in messages[:begun])
    assert not any(isinstance(m, Reading) for m in messages[begun:])


def test_overrides_are_kept_and_stand_in_the_log(
    child: Child, tmp_path: Path, tiny_model: ModelFile
) -> None:
    options = EngineOptions(
        n_ctx=4096, n_threads=1, n_batch=64, flash_attention=True, kv_type="q8_0", n_gpu_layers=4
    )
    child.send(Load(path=str(tiny_model.path), name="mine", options=options))
    ready = child.until(Ready)[-1]
    assert isinstance(ready, Ready)
    assert (ready.info.n_ctx, ready.info.n_threads, ready.info.n_gpu_layers) == (4096, 1, 0)
    for part in ("1 threads", "context 4096", "batch 64", "flash attention on", "KV cache q8_0"):
        assert part in ready.info.settings
    assert any("all layers are on the CPU" in note for note in ready.info.notes)
    child.send(Decompose(run=1, prompt="fix line 3"))
    assert isinstance(child.until(Done)[-1], Done)
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert f"mine: {ready.info.settings}\n" in log
    assert ready.info.notes[-1] in log

    refused = options.model_copy(update={"flash_attention": False})
    child.send(Load(path=str(tiny_model.path), name="mine", options=refused))
    answer = child.until(Error)[-1]
    assert isinstance(answer, Error)
    assert answer.message == "A q8_0 cache needs flash attention."


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="the system knows no niceness")
@pytest.mark.parametrize(("command", "nicer"), [(WORKER, 0), (BEHIND, 5)])
def test_lets_a_screen_go_first(command: Sequence[str], nicer: int, tmp_path: Path) -> None:
    child = Child(tmp_path, command)
    child.send(Decompose(run=1, prompt="x"))
    assert isinstance(child.receive(), Error), "no model is loaded"
    niceness = os.getpriority(os.PRIO_PROCESS, child.process.pid)
    assert niceness == min(19, os.getpriority(os.PRIO_PROCESS, 0) + nicer)
    child.close()
