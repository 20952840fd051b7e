"""Merging: W + alpha / rank * B A where the adapter has a say, all matrices rounded, all else bit by bit."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gguf
import numpy as np
import pytest

from sinc_tui.errors import SincError
from sinc_tui.models import gguf_io
from sinc_tui.models.default import Student
from sinc_tui.models.merging import merge
from tests.support.tiny_gguf import (
    ALPHA,
    BESIDE,
    CHANGED,
    EMBEDDING,
    HEAD,
    HEIGHT,
    NORM,
    RANK,
    WIDTH,
    weights,
    write_base,
)

ERROR = {"F16": 1e-3, "Q8_0": 1 / 127, "IQ4_NL": 1 / 7, "Q4_0": 1 / 7}
"""Largest rounding error of a weight, as a share of the largest weight of its block."""


def merged(student: Student, quantization: str = "Q8_0") -> dict[str, Any]:
    merge(student.base, student.adapter, student.merged, quantization=quantization)
    return gguf_io.tensors(gguf.GGUFReader(student.merged))


@pytest.mark.parametrize("quantization", ERROR)
def test_the_adapter_is_in_the_weights(student: Student, quantization: str) -> None:
    base, delta = (gguf_io.tensors(gguf.GGUFReader(p)) for p in (student.base, student.adapter))
    change = (
        gguf_io.dequantized(delta[f"{CHANGED}.lora_b"])
        @ gguf_io.dequantized(delta[f"{CHANGED}.lora_a"])
    ) * (ALPHA / RANK)
    wanted = gguf_io.dequantized(base[CHANGED]) + change
    tensor = merged(student, quantization)[CHANGED]
    assert tensor.tensor_type.name == quantization
    blocks = np.abs(wanted.reshape(-1, 32))
    error = np.abs(gguf_io.dequantized(tensor) - wanted).reshape(-1, 32)
    assert (error <= blocks.max(axis=1, keepdims=True) * ERROR[quantization]).all()
    assert np.abs(change).max() > 1, "a change too small to be told from rounding proves nothing"


def test_a_matrix_that_the_adapter_leaves_alone_is_rounded_with_the_rest(student: Student) -> None:
    wanted = gguf_io.dequantized(gguf_io.tensors(gguf.GGUFReader(student.base))[BESIDE])
    matrix = merged(student, "IQ4_NL")[BESIDE]
    assert matrix.tensor_type == gguf.GGMLQuantizationType.IQ4_NL
    error = np.abs(gguf_io.dequantized(matrix) - wanted)
    assert error.max() <= np.abs(wanted).max() * ERROR["IQ4_NL"]


def test_what_is_no_matrix_is_bit_identical(student: Student) -> None:
    base = gguf_io.tensors(gguf.GGUFReader(student.base))
    result = merged(student)
    assert list(result) == list(base)
    assert _same(result[NORM], base[NORM])


def test_a_head_that_is_the_embedding_too_is_rounded_with_the_rest(student: Student) -> None:
    wanted = gguf_io.dequantized(gguf_io.tensors(gguf.GGUFReader(student.base))[EMBEDDING])
    head = merged(student, "IQ4_NL")[EMBEDDING]
    assert head.tensor_type == gguf.GGMLQuantizationType.IQ4_NL
    assert (
        np.abs(gguf_io.dequantized(head) - wanted).max() <= np.abs(wanted).max() * ERROR["IQ4_NL"]
    )


def test_an_embedding_beside_a_head_stays_as_it_is(student: Student) -> None:
    write_base(student.base, head=True)
    base = gguf_io.tensors(gguf.GGUFReader(student.base))
    result = merged(student, "IQ4_NL")
    assert _same(result[EMBEDDING], base[EMBEDDING])
    assert result[HEAD].tensor_type == gguf.GGMLQuantizationType.IQ4_NL


def _same(one: Any, other: Any) -> bool:
    return (one.tensor_type, one.shape.tolist(), one.data.tobytes()) == (
        other.tensor_type,
        other.shape.tolist(),
        other.data.tobytes(),
    )


def test_metadata_is_kept_and_the_layout_is_named(student: Student) -> None:
    merged(student)
    before, after = _metadata(student.base), _metadata(student.merged)
    assert after == before | {"sinc.layout": ([gguf.GGUFValueType.STRING], "lines")}
    assert len(before) >= 9


def test_progress_rises_to_one(student: Student) -> None:
    heard: list[float] = []
    merge(student.base, student.adapter, student.merged, progress=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    assert len(heard) == 5


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [("blk.7.attn_q.weight", HEIGHT, WIDTH), (CHANGED, HEIGHT * 2, WIDTH), (CHANGED, HEIGHT, 32)],
)
def test_an_adapter_of_another_model_is_refused(
    student: Student, name: str, rows: int, columns: int
) -> None:
    kind = gguf.GGMLQuantizationType.F32
    pair = (name, weights(1, RANK, columns), weights(2, rows, RANK))
    gguf_io.write_adapter(
        student.adapter, "llama", ALPHA, [pair], quantization=(kind, kind), extra={}
    )
    with pytest.raises(SincError, match=f"does not fit .*{name}"):
        merged(student)


def test_an_empty_array_is_left_out(tmp_path: Path) -> None:
    """The gguf package reads an empty array and refuses to write one."""
    kind = gguf.GGUFValueType
    fields = [
        gguf.ReaderField(0, "empty.list", [], [], [kind.ARRAY]),
        gguf.ReaderField(0, "full.list", [np.array([7])], [0], [kind.ARRAY, kind.INT32]),
    ]
    reader = SimpleNamespace(fields={field.name: field for field in fields})
    path = tmp_path / "copy.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    gguf_io.copy_metadata(reader, writer, {})
    gguf_io.write(writer)
    assert _metadata(path).keys() == {"general.architecture", "full.list"}
    assert _metadata(path)["full.list"] == ([kind.ARRAY, kind.INT32], [7])


def _metadata(path: Path) -> dict[str, tuple[list[Any], Any]]:
    """Types and values of a file's own keys."""
    return {
        name: ([*dict.fromkeys(field.types)], field.contents())
        for name, field in gguf.GGUFReader(path).fields.items()
        if not name.startswith("GGUF.")
    }
