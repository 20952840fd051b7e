"""Messages survive the pipe."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sinc_tui.engine import protocol
from sinc_tui.engine.protocol import Wire, decode_command, decode_message, encode
from sinc_tui.sinc.bands import Band

TEXT = st.text()
BANDS = st.sampled_from(Band)
RUNS = st.integers(0, 2**40)
FRACTIONS = st.floats(0, 1)
SAMPLERS = st.builds(
    protocol.SamplerOptions,
    seed=st.integers(0, 2**64),
    temperature=st.none() | st.floats(0, 5),
    min_p=FRACTIONS,
    dry_multiplier=st.floats(0, 10),
    decode=st.sampled_from(["sequential", "parallel"]),
)
COMMANDS = st.one_of(
    st.builds(
        protocol.Load,
        path=TEXT,
        name=TEXT,
        options=st.builds(
            protocol.EngineOptions,
            n_ctx=st.none() | st.integers(256, 2**20),
            n_threads=st.none() | st.integers(1, 256),
            n_gpu_layers=st.none() | st.integers(-1, 99),
            n_batch=st.none() | st.integers(32, 4096),
            flash_attention=st.none() | st.booleans(),
            kv_type=st.none() | st.sampled_from(["f16", "q8_0"]),
            mlock=st.none() | st.booleans(),
        ),
    ),
    st.builds(
        protocol.Decompose,
        run=RUNS,
        prompt=TEXT,
        sampler=SAMPLERS,
        given=st.dictionaries(BANDS, TEXT),
    ),
    st.builds(protocol.Cancel, run=RUNS),
)
MESSAGES = st.one_of(
    st.builds(protocol.Progress, fraction=FRACTIONS),
    st.builds(protocol.Planned, settings=TEXT, n_gpu_layers=st.integers(-1, 99)),
    st.builds(protocol.Reading, run=RUNS, fraction=FRACTIONS),
    st.builds(protocol.Delta, run=RUNS, band=BANDS, text=TEXT),
    st.builds(protocol.BandEnd, run=RUNS, band=BANDS, text=TEXT),
    st.builds(protocol.Stopped, run=RUNS),
    st.builds(
        protocol.Error,
        run=st.none() | RUNS,
        message=TEXT,
        hint=TEXT,
        retryable=st.booleans(),
        logged=st.booleans(),
    ),
    st.builds(
        protocol.Done,
        run=RUNS,
        stats=st.builds(
            protocol.RunStats,
            prompt_tokens=RUNS,
            free_tokens=RUNS,
            seconds=st.floats(0, 1e6),
            seconds_to_first=st.floats(0, 1e6),
            masks=st.dictionaries(TEXT, RUNS),
            notes=st.lists(TEXT),
            seed=RUNS,
        ),
    ),
    st.builds(
        protocol.Ready,
        info=st.builds(
            protocol.ModelInfo,
            name=TEXT,
            trained=st.booleans(),
            backend=TEXT,
            n_ctx=RUNS,
            n_threads=RUNS,
            n_gpu_layers=RUNS,
            layout=TEXT,
            settings=TEXT,
            notes=st.lists(TEXT),
        ),
    ),
)


@given(COMMANDS)
def test_commands(command: Wire) -> None:
    line = encode(command)
    assert decode_command(line) == command
    assert line.index(b"\n") == len(line) - 1, "one message is one line"


@given(MESSAGES)
def test_messages(message: Wire) -> None:
    line = encode(message)
    assert decode_message(line) == message
    assert line.index(b"\n") == len(line) - 1
    assert json.loads(line)["type"]


@pytest.mark.parametrize(
    "line",
    [b"", b"\n", b"rubbish\n", b"[]\n", b'{"type": "unknown"}\n', b'{"type": "stopped"}\n',
     b'{"type": "stopped", "run": 1, "more": 2}\n', b'{"type": "stopped", "run": 1}{}\n',
     b'{"type": "delta", "run": 1, "band": "OTHER", "text": ""}\n', b"\xff\n"],
)  # fmt: skip
def test_anything_else_is_refused(line: bytes) -> None:
    with pytest.raises(ValidationError):
        decode_message(line)
    with pytest.raises(ValidationError):
        decode_command(line)


def test_tokens_per_second() -> None:
    stats = protocol.RunStats(prompt_tokens=9, free_tokens=50, seconds=2.0, seconds_to_first=0.1)
    assert stats.tokens_per_second == 25
    assert stats.model_copy(update={"seconds": 0.0}).tokens_per_second == 0
