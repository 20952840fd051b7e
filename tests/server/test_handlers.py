"""The answers themselves, on a scripted engine in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import cast

import pytest

from sinc_tui.engine.protocol import SamplerOptions
from sinc_tui.errors import SincError
from sinc_tui.events import Failed
from sinc_tui.models.default import ModelFile
from sinc_tui.rewriter import Rewriter
from sinc_tui.server.handlers import MOST_CHARACTERS, MOST_WAITING, Busy, Handlers, RequestError
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.rulesets import problems
from tests.support.scripted_app import WORKER
from tests.support.scripted_worker import TEXTS
from tests.support.waiting import until

Make = Callable[..., Handlers]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Handlers on the scripted engine, with the arguments of its worker."""
    async with AsyncExitStack() as stack:

        def made(*arguments: str) -> Handlers:
            worker = [sys.executable, str(WORKER), *arguments]
            handlers = Handlers(Rewriter(ModelFile(Path("x.gguf"), "scripted"), worker=worker))
            stack.push_async_callback(handlers.close)
            return handlers

        yield made


async def test_scatter(make: Make) -> None:
    answer = await make().scatter("fix line 3")
    assert answer.pop("_elapsed_ms") >= 0
    assert answer.pop("_snr")["fragments"] == "6/6"
    assert problems(json.dumps(answer)) == []
    assert [fragment["x"] for fragment in answer["fragments"]] == list(TEXTS.values())


class Listening:
    """In a rewriter's place: remembers how it was asked to write, and refuses."""

    info = None

    def __init__(self) -> None:
        self.asked: list[SamplerOptions] = []

    async def rewrite(self, _prompt: str, sampler: SamplerOptions) -> AsyncIterator[Failed]:
        self.asked.append(sampler)
        yield Failed(SincError("not today"), Draft())


async def test_bands_are_written_as_the_model_is_used_to_unless_the_client_chooses() -> None:
    rewriter = Listening()
    handlers = Handlers(
        cast(Rewriter, rewriter), SamplerOptions(decode="parallel", fact_keeper=False)
    )
    for choices in ({}, {"decode": "sequential", "seed": "7"}):
        with pytest.raises(SincError, match="not today"):
            await handlers.scatter("x", choices)
    assert rewriter.asked == [
        SamplerOptions(decode="parallel", fact_keeper=False),
        SamplerOptions(seed=7, fact_keeper=False),
    ]


@pytest.mark.parametrize(
    ("prompt", "choices", "reason"),
    [
        (" \n", {}, "empty"),
        ("x" * (MOST_CHARACTERS + 1), {}, "100,001 characters"),
        ("half of \ud83d", {}, "half of a character"),
        ("x", {"seed": "many"}, "seed"),
        ("x", {"seed": 2**32}, "seed"),
        ("x", {"decode": "sideways"}, "decode"),
        ("x", {"temperature": "nan"}, "temperature"),
        ("x", {"top_k": 1}, "no option top_k"),
    ],
)
async def test_wrong_questions(
    make: Make, prompt: str, choices: dict[str, object], reason: str
) -> None:
    with pytest.raises(RequestError, match=reason):
        await make("--script", "stuck").scatter(prompt, choices)


async def test_an_engine_that_refuses_refuses_the_question(make: Make) -> None:
    handlers = make("--script", "run-error")
    with pytest.raises(RequestError, match="too long"):
        await handlers.scatter("x")
    assert handlers.health()["status"] == "healthy"


async def test_a_crash_may_be_tried_again(make: Make) -> None:
    handlers = make("--script", "crash")
    for _ in range(2):
        with pytest.raises(SincError) as crashed:
            await handlers.scatter("x")
        assert not isinstance(crashed.value, RequestError)
        assert crashed.value.retryable
        health = handlers.health()
        assert (health["status"], health["capabilities"]["scatter"]) == ("failing", True)


async def test_a_model_that_does_not_load_shows_in_health(make: Make) -> None:
    handlers = make("--script", "load-error")
    assert handlers.health()["status"] == "loading"
    await handlers.warm_up()
    health = handlers.health()
    assert health["status"] == "failing"
    assert "no GGUF" in health["error"]["error"]
    with pytest.raises(SincError, match="no GGUF") as failed:
        await handlers.scatter("x")
    assert not isinstance(failed.value, RequestError)


async def test_who_goes_away_is_not_written_for(make: Make, tmp_path: Path) -> None:
    """In mid-run and in the line; the engine lives on and the next one gets its document."""
    hold = tmp_path / "hold"
    hold.touch()
    handlers = make("--hold", str(hold))
    await handlers.warm_up()
    engine = handlers._rewriter.engine_pid
    writing, waiting = (asyncio.create_task(handlers.scatter(f"prompt {n}")) for n in (1, 2))
    await until(lambda: handlers._rewriter._running)
    for gone in (waiting, writing):
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone
    assert handlers.health()["waiting"] == 0
    hold.unlink()
    assert (await handlers.scatter("prompt 3"))["fragments"]
    assert handlers._rewriter.engine_pid == engine


async def test_who_goes_away_while_the_engine_starts(make: Make, tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    handlers = make("--hold", str(hold), "--delay", "0.05")
    asking = asyncio.create_task(handlers.scatter("x"))
    await until(lambda: handlers._rewriter.engine_pid)
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    assert not handlers._rewriter._running


async def test_the_line_has_an_end(make: Make) -> None:
    handlers = make("--script", "stuck")
    asking = [asyncio.create_task(handlers.scatter("x")) for _ in range(MOST_WAITING + 1)]
    await until(lambda: handlers.health()["waiting"] == MOST_WAITING)
    with pytest.raises(Busy) as busy:
        await handlers.scatter("x")
    assert busy.value.retryable
    for one in asking:
        one.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


def test_snr_says_what_is_wrong(make: Make) -> None:
    handlers = make()
    good = handlers.build({band.lower(): text for band, text in TEXTS.items()})
    assert good.pop("_snr")["tokens"]["Z3"] == len(TEXTS[Band.CONSTRAINTS]) // 4
    answer = handlers.snr(json.dumps(good))
    assert (answer["valid"], answer["errors"], answer["warnings"]) == (True, [], [])
    del good["formula"]
    answer = handlers.snr(json.dumps(good))
    assert not answer["valid"]
    assert "formula" in answer["errors"][0]
    assert "formula" in answer["warnings"][0]
    assert answer["fragments"] == "6/6"
    for odd in ("[]", "{}", '{"fragments": [1, {"t": "X", "x": "y"}, {"t": [], "x": "y"}]}'):
        assert handlers.snr(odd)["fragments"] == "0/6"
    with pytest.raises(RequestError, match="not valid JSON"):
        handlers.snr("{")


def test_validate_and_build(make: Make) -> None:
    handlers = make()
    texts = {band.lower(): text for band, text in TEXTS.items()}
    document = handlers.build(texts)
    assert not handlers.validate(json.dumps(document))["valid"], "the figure is an extra key"
    del document["_snr"]
    for rules in ("sinc-tui", "article", "sinc-prompt"):
        assert handlers.validate(json.dumps(document), rules)["valid"]
    with pytest.raises(RequestError, match="no rules"):
        handlers.validate("{}", "mine")
    with pytest.raises(RequestError, match=r"TASK has 2 sentences"):
        handlers.build(texts | {"task": "Do it. Stop."})
    with pytest.raises(RequestError, match="DATA must be text"):
        handlers.build(texts | {"data": 3})
