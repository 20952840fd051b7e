"""What goes wrong around a run: stops, kills, models that are none, workers that fail."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from sinc_tui.engine.protocol import DecodeMode, SamplerOptions
from sinc_tui.errors import SincError
from sinc_tui.events import BandDelta, BandDone, Failed, Finished, Loading, ModelReady, Stopped
from sinc_tui.models.default import ModelFile
from sinc_tui.rewriter import Rewriter
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.strict_json import HALF_CHARACTER
from tests.support.rewriting import collect, judge, last, replay
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODES: tuple[DecodeMode, ...] = ("sequential", "parallel")
LONG = "The meeting notes say that the third quarter went better than the second one. " * 265
"""About 4,000 tokens."""
AT_ONCE, ALWAYS, TRIES = 0.2, 2.0, 3
"""Seconds from the stop to its event: the best of the tries, and every one on a busy machine."""
KILLS = 20
SCRIPTED = Path(__file__).parent / "support" / "scripted_worker.py"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rewriter(tiny_model: ModelFile) -> AsyncIterator[Rewriter]:
    """One rewriter on the default model, its engine running."""
    rewriter = Rewriter(tiny_model)
    assert isinstance((await collect(rewriter.start()))[-1], ModelReady)
    yield rewriter
    await rewriter.close()


def options(mode: DecodeMode = "sequential") -> SamplerOptions:
    return SamplerOptions(temperature=0.0, decode=mode)


async def works(rewriter: Rewriter) -> None:
    """The next run is as good as any."""
    judge("hi", await collect(rewriter.rewrite("hi", options("parallel"))))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# Stops


@pytest.mark.parametrize("mode", MODES)
async def test_stopped_in_mid_band(rewriter: Rewriter, mode: DecodeMode) -> None:
    pid, times = rewriter.engine_pid, []
    for _ in range(TRIES):
        events, stopped_at = [], 0.0
        async for event in rewriter.rewrite("fix line 3", options(mode)):
            events.append(event)
            if not stopped_at and sum(isinstance(e, BandDelta) for e in events) == 30:
                stopped_at = time.monotonic()
                await rewriter.stop()
        times.append(time.monotonic() - stopped_at)
        kept = last(events, Stopped).draft
        assert (kept.texts, kept.done) == (replay(events).texts, replay(events).done)
        assert sum(map(len, kept.texts.values())) > 60
        assert not kept.complete
    assert min(times) < AT_ONCE, times
    assert max(times) < ALWAYS, times
    assert rewriter.engine_pid == pid, "the same child goes on"
    await works(rewriter)


@pytest.mark.parametrize("mode", MODES)
async def test_stopped_while_a_long_prompt_is_read(rewriter: Rewriter, mode: DecodeMode) -> None:
    pid, times = rewriter.engine_pid, []
    for moment in (0.02, 0.1, 0.2):
        run = asyncio.create_task(collect(rewriter.rewrite(LONG, options(mode))))
        await asyncio.sleep(moment)
        stopped_at = time.monotonic()
        await rewriter.stop()
        events = await run
        times.append(time.monotonic() - stopped_at)
        last(events, Stopped)
        assert not [event for event in events if isinstance(event, BandDelta)], "it was being read"
    assert min(times) < AT_ONCE, times
    assert max(times) < ALWAYS, times
    assert rewriter.engine_pid == pid
    await works(rewriter)


async def test_stop_with_nothing_to_stop(rewriter: Rewriter) -> None:
    await rewriter.stop()
    await works(rewriter)
    await rewriter.stop()
    await works(rewriter)
    await Rewriter().stop()


async def test_abandoned_in_mid_band(rewriter: Rewriter) -> None:
    """Whoever reads no more gets no more written."""
    pid = rewriter.engine_pid
    assert pid is not None
    async with aclosing(rewriter.rewrite("fix line 3", options())) as stream:
        async for event in stream:
            if isinstance(event, BandDelta):
                break
    assert not alive(pid)
    assert rewriter.engine_pid is None
    await works(rewriter)


async def test_cancelled_in_mid_band(rewriter: Rewriter) -> None:
    pid = rewriter.engine_pid
    assert pid is not None
    written = asyncio.Event()

    async def read() -> None:
        async for event in rewriter.rewrite("fix line 3", options()):
            if isinstance(event, BandDelta):
                written.set()

    run = asyncio.create_task(read())
    await asyncio.wait_for(written.wait(), 60)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert not alive(pid)
    await works(rewriter)


async def test_closed_in_mid_band(tiny_model: ModelFile) -> None:
    rewriter = Rewriter(tiny_model)
    await collect(rewriter.start())
    pid = rewriter.engine_pid
    assert pid is not None
    times = []
    for _ in range(TRIES):
        events = []
        async for event in rewriter.rewrite("fix line 3", options()):
            events.append(event)
            if isinstance(event, BandDelta) and rewriter.engine_pid is not None:
                began = time.monotonic()
                await rewriter.close()
                times.append(time.monotonic() - began)
        last(events, Failed)
    assert min(times) < 0.5, "the child does not finish its run first"
    assert not alive(pid)


# Kills


async def test_killed_in_mid_band_twenty_times_in_a_row(rewriter: Rewriter) -> None:
    pids = set()
    for _ in range(KILLS):
        events, pid = [], None
        async for event in rewriter.rewrite("hi", options()):
            events.append(event)
            if pid is None and isinstance(event, BandDelta) and event.band is Band.CONTEXT:
                pid = rewriter.engine_pid
                assert pid is not None
                os.kill(pid, signal.SIGKILL)
        failed = last(events, Failed)
        assert "SIGKILL" in failed.error.message
        assert "engine.log" in failed.error.hint
        assert failed.error.retryable
        assert failed.draft.done >= {Band.PERSONA}
        assert failed.draft.texts == replay(events).texts
        (persona,) = (e.text for e in events if isinstance(e, BandDone) and e.band is Band.PERSONA)
        assert failed.draft.texts[Band.PERSONA] == persona
        assert rewriter.info is None
        pids.add(pid)
    assert len(pids) == KILLS
    await works(rewriter)


async def test_killed_while_nothing_runs(rewriter: Rewriter) -> None:
    await collect(rewriter.start())
    pid = rewriter.engine_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not alive(pid))
    events = await collect(rewriter.rewrite("hi", options("parallel")))
    assert any(isinstance(event, Loading) for event in events), "it is started again by itself"
    last(events, Finished)


async def test_killed_while_it_loads(tiny_model: ModelFile) -> None:
    rewriter = Rewriter(tiny_model)
    events = []
    async for event in rewriter.start():
        events.append(event)
        if rewriter.engine_pid is not None and len(events) == 2:
            os.kill(rewriter.engine_pid, signal.SIGKILL)
    assert "SIGKILL" in last(events, Failed).error.message
    await works(rewriter)
    await rewriter.close()


async def test_a_driver_that_ends_the_engine_costs_the_gpu_and_not_the_run() -> None:
    """The second child leaves the GPU alone, and so do those after it."""
    worker = [sys.executable, str(SCRIPTED), "--script", "gpu-crash"]
    rewriter = Rewriter(ModelFile(Path("any.gguf"), "any"), worker=worker)
    events = await collect(rewriter.rewrite("hi"))
    last(events, Finished)
    (ready,) = [event for event in events if isinstance(event, ModelReady)]
    assert ready.info.notes == [
        "The engine crashed with the model on the GPU, so the CPU does the work."
    ]
    assert rewriter.engine_pid is not None
    os.kill(rewriter.engine_pid, signal.SIGKILL)
    await until(lambda: rewriter.engine_pid is None or not alive(rewriter.engine_pid))
    last(await collect(rewriter.rewrite("hi")), Finished)
    await rewriter.close()


async def test_a_crash_on_the_cpu_is_a_failure() -> None:
    """There is nothing left to try."""
    worker = [sys.executable, "-c", "import os; os.abort()"]
    rewriter = Rewriter(ModelFile(Path("any.gguf"), "any"), worker=worker)
    assert "SIGABRT" in last(await collect(rewriter.start()), Failed).error.message


# Models that are none


async def refusal(model: ModelFile | None, worker: list[str] | None = None) -> SincError:
    """The error of a start; a run fails with the same one, and neither leaves a child behind."""
    rewriter = Rewriter(model, worker=worker)
    error = last(await collect(rewriter.start()), Failed).error
    assert (rewriter.info, rewriter.engine_pid) == (None, None)
    failed = last(await collect(rewriter.rewrite("hi")), Failed)
    assert failed.error.message == error.message
    assert not any(failed.draft.texts.values())
    await rewriter.close()
    return error


async def test_missing_file(tmp_path: Path) -> None:
    error = await refusal(ModelFile(tmp_path / "no.gguf", "no"))
    assert error.message == f"There is no file {tmp_path}/no.gguf."


async def test_folder(tmp_path: Path) -> None:
    error = await refusal(ModelFile(tmp_path, "folder"))
    assert error.message == f"{tmp_path} is a folder."


async def test_file_that_cannot_be_read() -> None:
    """Root may read everything, but nobody can read through a device."""
    error = await refusal(ModelFile(Path("/dev/null/m.gguf"), "m"))
    assert error.message == "/dev/null/m.gguf cannot be read: Not a directory."


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (b"", "."),
        (b"\0", ": it is filled with zero bytes, so its download or copy did not end."),
        (b"PK\x03\x04", ": it is a zip archive."),
    ],
)
async def test_no_gguf(tmp_path: Path, start: bytes, reason: str) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(start.ljust(4096 if start else 0, b"\0"))
    assert (await refusal(ModelFile(path, "m"))).message == f"{path} is no GGUF model{reason}"


@pytest.mark.parametrize("kept", [10, 24, 100_000, 60_000_000])
async def test_truncated(tmp_path: Path, tiny_model: ModelFile, kept: int) -> None:
    path = tmp_path / "half.gguf"
    with tiny_model.path.open("rb") as whole:
        path.write_bytes(whole.read(kept))
    error = await refusal(ModelFile(path, "half"))
    assert error.message.startswith(f"{path} is damaged")
    assert error.hint == "Download or copy it again."


async def test_path_that_is_no_unicode(tmp_path: Path) -> None:
    error = await refusal(ModelFile(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.gguf")), "m"))
    assert error.message == "The prompt or the model's path is not valid Unicode."


async def test_prompt_that_is_no_unicode(rewriter: Rewriter) -> None:
    error = last(await collect(rewriter.rewrite("half \udc80 of a pair")), Failed).error
    assert error.message == HALF_CHARACTER
    await works(rewriter)


@pytest.mark.usefixtures("empty_cache")
async def test_no_model_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    error = await refusal(None)
    assert error.message == "No model is installed."
    assert "pip install" in error.hint
    assert "--model" in error.hint


async def test_folders_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/cache")
    assert "/dev/null/cache" in (await refusal(None)).message


# Workers that fail

SOME = ModelFile(Path("some.gguf"), "some")


async def test_worker_that_does_not_start(tmp_path: Path) -> None:
    error = await refusal(SOME, [str(tmp_path / "no-such-program")])
    assert error.message.startswith("The engine could not be started: ")
    assert "no-such-program" in error.message


async def test_worker_that_prints_rubbish() -> None:
    program = "print('Welcome to some library!'); import time; time.sleep(600)"
    error = await refusal(SOME, [sys.executable, "-c", program])
    assert error.message == (
        "The engine said something unreadable: b'Welcome to some library!\\n'."
    )
    assert "engine.log" in error.hint


@pytest.mark.parametrize(
    ("program", "cause"),
    [("import sys; sys.stdin.readline(); sys.exit(7)", "it ended with code 7"),
     ("raise ImportError('llama_cpp is broken')", "it ended with code 1")],
)  # fmt: skip
async def test_worker_that_dies_while_loading(program: str, cause: str) -> None:
    error = await refusal(SOME, [sys.executable, "-c", program])
    assert error.message == f"The engine stopped: {cause}."
    assert error.retryable
    if "ImportError" in program:
        log = Path(error.hint.split(" is ")[-1].rstrip("."))
        assert "llama_cpp is broken" in log.read_text()


@pytest.mark.parametrize("name", ["signal.py", "queue.py", "gguf.py", "numpy.py", "sinc_tui.py"])
async def test_files_of_the_users_folder_are_not_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_text("raise SystemExit('a file of the user was run')")
    monkeypatch.chdir(tmp_path)
    missing = ModelFile(tmp_path / "no.gguf", "no")
    assert "There is no file" in (await refusal(missing)).message
