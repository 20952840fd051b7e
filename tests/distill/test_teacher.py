"""A teacher is asked over both wire formats, on a server that misbehaves; nothing here waits."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sinc_tui.distill.assignments import Writing
from sinc_tui.distill.check import check_examples
from sinc_tui.distill.dataset import example_line, load_examples
from sinc_tui.distill.teacher import (
    Generator,
    Output,
    Price,
    Retries,
    Tally,
)
from sinc_tui.distill.teacher_api import (
    KEYS,
    Api,
    TeacherApi,
    Usage,
    open_api,
)
from sinc_tui.errors import SincError
from tests.support.teacher_examples import EXAMPLES, FIRST, PROMPTS, broken
from tests.support.teacher_server import Act, Garbage, HangUp, Say, Status, TeacherServer

KEY = "sk-secret-of-the-test"


@pytest.fixture(params=["anthropic", "openai"])
def name(request: pytest.FixtureRequest) -> Api:
    api: Api = request.param
    return api


@pytest.fixture
async def api(server: TeacherServer, name: Api) -> AsyncIterator[TeacherApi]:
    url = server.url if name == "anthropic" else server.url + "/v1"
    opened = open_api(name, "some-model", base_url=url, environment={KEYS[name]: KEY})
    yield opened
    await opened.close()


class Clock:
    """A sleep that takes no time and remembers."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(tmp_path / "made.jsonl")


def generator(
    api: TeacherApi, clock: Clock, *, concurrency: int = 1, attempts: int = 6
) -> Generator:
    retries = Retries(attempts=attempts, prompts=3)
    return Generator(
        api, Writing("plain"), concurrency=concurrency, retries=retries, sleep=clock.sleep
    )


async def test_every_prompt_becomes_an_example(
    api: TeacherApi, server: TeacherServer, clock: Clock, output: Output
) -> None:
    seen: list[int] = []

    tally = await generator(api, clock).run(PROMPTS, output, progress=lambda t: seen.append(t.made))

    assert load_examples(output.path) == list(EXAMPLES.values())
    assert check_examples(load_examples(output.path)).passed
    assert (tally.made, tally.second, tally.retries) == (9, 0, 0)
    assert tally.usage == Usage(9 * 100, 9 * 50, 9 * 80)
    assert seen == list(range(1, 10))
    assert clock.waits == []
    assert all(request.brief == Writing("plain").brief for request in server.requests)
    assert all(request.body["model"] == "some-model" for request in server.requests)


async def test_the_key_goes_to_the_server_and_nowhere_else(
    api: TeacherApi, server: TeacherServer, clock: Clock, output: Output
) -> None:
    server.script[FIRST] = [Say("no json")] * 2

    await generator(api, clock).run(PROMPTS, output)

    headers = server.requests[0].headers
    assert KEY in (
        headers.get("x-api-key"),
        headers.get("authorization", "").removeprefix("Bearer "),
    )
    written = [path.read_text(encoding="utf-8") for path in output.path.parent.iterdir()]
    assert len(written) == 2
    assert not any(KEY in text for text in written)


@pytest.mark.parametrize(
    "act",
    [
        Status(429), Status(500), Status(503), Status(529), Status(408), HangUp(), HangUp(after=40),
        Garbage("{"), Garbage("<html>busy</html>", "text/html"), Garbage('{"choices": [], "content": null}'),
    ],
)  # fmt: skip
async def test_what_may_pass_is_asked_again(
    act: Act, api: TeacherApi, server: TeacherServer, clock: Clock, output: Output
) -> None:
    server.script[FIRST] = [act, act]

    tally = await generator(api, clock).run(PROMPTS[:1], output)

    assert tally.made == 1
    assert tally.retries == 2
    assert len(server.requests) == 3
    assert 0.5 <= clock.waits[0] <= 1.0 <= clock.waits[1] <= 2.0


@pytest.mark.parametrize("code", [429, 529])
async def test_the_server_says_how_long_to_wait(
    code: int, api: TeacherApi, server: TeacherServer, clock: Clock, output: Output
) -> None:
    server.script[FIRST] = [Status(code, {"retry-after": "17"})]

    await generator(api, clock).run(PROMPTS[:1], output)

    assert clock.waits == [17.0]


async def test_an_invalid_answer_is_sent_back_once_with_the_reasons(
    api: TeacherApi, server: TeacherServer, clock: Clock, output: Output
) -> None:
    server.script[FIRST] = [Say(broken(FIRST))]

    tally = await generator(api, clock).run(PROMPTS[:1], output)

    assert (tally.made, tally.second, tally.dropped) == (1, 1, {})
    roles = [role for role, _ in server.requests[1].turns]
    assert roles == ["user", "assistant", "user"]
    assert server.requests[1].turns[1][1] == broken(FIRST)
    assert "TASK has 2 sentences" in server.requests[1].turns[2][1]
    assert load_examples(output.path) == [EXAMPLES[FIRST]]


async def test_what_stays_invalid_is_dropped_reported_and_not_asked_again(
    api: TeacherApi, server: TeacherServer, clock: Clock, output: Output
) -> None:
    server.script[FIRST] = [Say("I can't."), Say(broken(FIRST))]

    tally = await generator(api, clock).run(PROMPTS[:2], output)
    again = await generator(api, clock).run(PROMPTS[:2], output)

    assert tally.dropped == {PROMPTS[0].id: ["TASK has 2 sentences; it must have one."]}
    row = json.loads(output.dropped.read_text(encoding="utf-8"))
    assert (row["prompt"], row["answer"]) == (FIRST, broken(FIRST))
    assert [e.prompt for e in load_examples(output.path)] == [PROMPTS[1].prompt]
    assert (again.made, again.skipped) == (0, 2)
    assert server.asked().count(FIRST) == 2


async def test_a_prompt_without_an_answer_is_left_to_the_next_run(
    api: TeacherApi, server: TeacherServer, clock: Clock, output: Output
) -> None:
    server.script[FIRST] = [Status(500)] * 3

    tally = await generator(api, clock, attempts=3).run(PROMPTS[:2], output)
    again = await generator(api, clock).run(PROMPTS[:2], output)

    assert tally.failed == {PROMPTS[0].id: "the server answered 500"}
    assert (tally.made, again.made, again.skipped) == (1, 1, 1)
    assert len(load_examples(output.path)) == 2


async def test_a_wrong_request_costs_one_prompt_only(
    api: TeacherApi, server: TeacherServer, clock: Clock, output: Output
) -> None:
    server.script[FIRST] = [Status(400, text="prompt too odd")]

    tally = await generator(api, clock).run(PROMPTS[:3], output)

    assert tally.made == 2
    assert "prompt too odd" in tally.failed[PROMPTS[0].id]
    assert tally.retries == 0


@pytest.mark.parametrize("code", [401, 403, 404])
async def test_a_refused_key_or_model_ends_the_run_and_shows_no_key(
    code: int, api: TeacherApi, server: TeacherServer, clock: Clock, output: Output
) -> None:
    server.script[FIRST] = [Status(code, text=f"no: {KEY}")]

    with pytest.raises(SincError) as caught:
        await generator(api, clock).run(PROMPTS, output)

    assert str(code) in str(caught.value)
    assert KEY not in str(caught.value)
    assert len(server.requests) == 1


async def test_a_server_that_is_gone_ends_the_run(
    api: TeacherApi, server: TeacherServer, clock: Clock, output: Output
) -> None:
    server.script = {prompt.prompt: [HangUp()] * 2 for prompt in PROMPTS}

    with pytest.raises(SincError, match="3 prompts in a row got no answer") as caught:
        await generator(api, clock, attempts=2).run(PROMPTS, output)

    assert caught.value.retryable
    assert len(set(server.asked())) == 3


async def test_a_run_goes_on_where_it_was_cut(
    api: TeacherApi, server: TeacherServer, clock: Clock, output: Output
) -> None:
    done = [example_line(e) for e in list(EXAMPLES.values())[:4]]
    output.path.write_text("\n".join(done) + "\n" + '{"id": "half', encoding="utf-8")

    tally = await generator(api, clock).run([*PROMPTS, *PROMPTS], output)

    assert server.asked() == [prompt.prompt for prompt in PROMPTS[4:]]
    assert (tally.made, tally.skipped) == (5, 13)
    assert load_examples(output.path) == list(EXAMPLES.values())


async def test_a_file_of_something_else_is_not_written_to(
    api: TeacherApi, clock: Clock, output: Output
) -> None:
    output.path.write_text("my notes\n", encoding="utf-8")

    with pytest.raises(SincError, match="something else"):
        await generator(api, clock).run(PROMPTS, output)

    assert output.path.read_text(encoding="utf-8") == "my notes\n"


async def test_as_many_requests_at_a_time_as_allowed(
    api: TeacherApi, server: TeacherServer, clock: Clock, output: Output
) -> None:
    barrier = threading.Barrier(3, timeout=20)
    under_way: list[int] = []
    most: list[int] = []

    def gate() -> None:
        with server.lock:
            under_way.append(1)
            most.append(len(under_way))
        barrier.wait()
        with server.lock:
            under_way.pop()

    server.gate = gate

    tally = await generator(api, clock, concurrency=3).run(PROMPTS, output)

    assert tally.made == 9
    assert max(most) == 3


async def test_no_prompt_is_begun_after_the_stop(
    api: TeacherApi, server: TeacherServer, clock: Clock, output: Output
) -> None:
    price = Price(1e6, 0)

    def spent(tally: Tally) -> bool:
        return price.of(tally.usage) >= 60

    tally = await generator(api, clock).run(PROMPTS, output, stop=spent)

    assert tally.made == len(server.requests) == 3


async def test_a_server_of_ones_own_needs_no_key(
    server: TeacherServer, clock: Clock, output: Output
) -> None:
    own = open_api("openai", "m", base_url=server.url + "/v1", environment={})

    tally = await generator(own, clock).run(PROMPTS[:1], output)
    await own.close()

    assert tally.made == 1
