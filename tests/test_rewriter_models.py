"""What a rewriter does with models besides writing: measure one, run one from its parts."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from sinc_tui import paths
from sinc_tui.errors import SincError
from sinc_tui.events import ModelReady
from sinc_tui.models.default import ModelFile, embedded_base
from sinc_tui.rewriter import Rewriter
from tests.support.rewriting import collect, judge
from tests.support.scripted_worker import SPEED
from tests.support.waiting import until

WORKER = Path(__file__).parent / "support" / "scripted_worker.py"


def scripted(*arguments: str) -> Rewriter:
    worker = [sys.executable, str(WORKER), *arguments]
    return Rewriter(ModelFile(Path("some.gguf"), "some"), worker=worker)


async def test_measure(tiny_model: ModelFile) -> None:
    rewriter = Rewriter(tiny_model)
    with pytest.raises(SincError, match="No model is loaded"):
        await rewriter.measure()
    await collect(rewriter.start())
    speed = await rewriter.measure()
    assert speed is not None
    assert speed > 0
    judge("hi", await collect(rewriter.rewrite("hi")))
    await rewriter.close()


async def test_a_run_need_not_wait_for_the_measuring(tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    rewriter = scripted("--hold", str(hold))
    await collect(rewriter.start())
    measuring = asyncio.create_task(rewriter.measure())
    await until(lambda: rewriter._running)
    await rewriter.stop()
    assert await measuring is None
    hold.unlink()
    assert await rewriter.measure() == SPEED
    await rewriter.close()


async def test_measuring_that_fails() -> None:
    rewriter = scripted("--script", "run-error")
    await collect(rewriter.start())
    with pytest.raises(SincError, match="It cannot be measured"):
        await rewriter.measure()
    assert rewriter.info is not None, "the engine lives on"
    await rewriter.close()


async def test_measuring_given_up_ends_the_child(tmp_path: Path) -> None:
    """Else the answer would be taken for that of the next run."""
    hold = tmp_path / "hold"
    hold.touch()
    rewriter = scripted("--hold", str(hold))
    await collect(rewriter.start())
    measuring = asyncio.create_task(rewriter.measure())
    await until(lambda: rewriter._running)
    measuring.cancel()
    with pytest.raises(asyncio.CancelledError):
        await measuring
    assert rewriter.engine_pid is None
    await rewriter.close()


async def test_base_and_adapter(tiny_model: ModelFile) -> None:
    """From its two parts, the student writes a valid document and is known as trained."""
    adapter = paths.assets() / "tiny.adapter.gguf"
    model = ModelFile(embedded_base(), "parts", adapter=adapter, notes=("It is slower.",))
    rewriter = Rewriter(model)
    *_, ready = await collect(rewriter.start())
    assert isinstance(ready, ModelReady)
    assert (ready.info.name, ready.info.trained, ready.info.layout) == ("parts", True, "lines")
    assert "It is slower." in ready.info.notes
    judge("fix line 3", await collect(rewriter.rewrite("fix line 3")))
    await rewriter.close()
