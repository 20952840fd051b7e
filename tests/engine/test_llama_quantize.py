"""ggml's quantizers, called on single matrices, against the gguf package's own where it has one."""

from __future__ import annotations

import gguf
import numpy as np
import pytest

from sinc_tui.engine.llama_quantize import dequantize_rows, quantize_rows

MATRIX = np.random.default_rng(0).normal(0, 1, (48, 96)).astype(np.float32)
KINDS = [gguf.GGMLQuantizationType[name] for name in ("Q8_0", "Q5_0", "Q4_1", "Q4_0")]


@pytest.mark.parametrize("kind", KINDS)
def test_the_bytes_are_those_of_the_gguf_package(kind: gguf.GGMLQuantizationType) -> None:
    packed = quantize_rows(MATRIX, kind)
    assert np.array_equal(packed, gguf.quants.quantize(MATRIX, kind))


@pytest.mark.parametrize("kind", [*KINDS, gguf.GGMLQuantizationType.IQ4_NL])
def test_what_comes_back_is_what_the_gguf_package_reads(kind: gguf.GGMLQuantizationType) -> None:
    packed = quantize_rows(MATRIX, kind)
    np.testing.assert_allclose(
        dequantize_rows(packed, kind), gguf.quants.dequantize(packed, kind), rtol=1e-6
    )


def test_iq4_nl_loses_less_than_q4_0_in_as_many_bytes() -> None:
    def loss(name: str) -> tuple[float, int]:
        kind = gguf.GGMLQuantizationType[name]
        packed = quantize_rows(MATRIX, kind)
        return float(((dequantize_rows(packed, kind) - MATRIX) ** 2).mean()), packed.size

    (ours, size), (other, same) = loss("IQ4_NL"), loss("Q4_0")
    assert size == same
    assert ours < 0.9 * other


def test_a_view_that_is_not_contiguous_is_read_right() -> None:
    kind = gguf.GGMLQuantizationType.IQ4_NL
    turned = np.asfortranarray(MATRIX)
    assert np.array_equal(quantize_rows(turned, kind), quantize_rows(MATRIX, kind))


def test_rows_that_are_no_whole_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 32 columns, not 40"):
        quantize_rows(MATRIX[:, :40], gguf.GGMLQuantizationType.IQ4_NL)
