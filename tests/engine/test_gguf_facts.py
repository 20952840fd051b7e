"""The head of a model file, read without llama.cpp."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sinc_tui.engine.gguf_facts import model_parts, read_facts, share_in
from sinc_tui.engine.llama_runtime import LlamaRuntime
from sinc_tui.models.default import ModelFile


def write(path: Path, *, tied: bool, layers: int = 3) -> Path:
    """A model of 64 x 32 numbers a layer, in float32."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(layers)
    writer.add_context_length(4096)
    writer.add_embedding_length(64)
    writer.add_feed_forward_length(256)
    writer.add_head_count(8)
    writer.add_head_count_kv(2)
    writer.add_token_list(["a", "ü", "\ufffd", ""])
    writer.add_token_scores([0.5] * 4)
    writer.add_tensor("token_embd.weight", np.zeros((4, 64), np.float32))
    writer.add_tensor("output_norm.weight", np.zeros(64, np.float32))
    if not tied:
        writer.add_tensor("output.weight", np.zeros((8, 64), np.float32))
    for n in range(layers):
        writer.add_tensor(f"blk.{n}.attn_q.weight", np.zeros((32, 64), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_what_is_read(tmp_path: Path) -> None:
    facts = read_facts(write(tmp_path / "m.gguf", tied=False))
    assert facts is not None
    assert facts.layers == (32 * 64 * 4,) * 3
    assert facts.output == 64 * 4 + 8 * 64 * 4
    assert facts.size == sum(facts.layers) + facts.output + 4 * 64 * 4
    assert facts.kv_elements == 2 * (8 + 8), "two heads of eight keys and eight values"
    assert (facts.heads, facts.width, facts.feed_forward) == (8, 64, 256)
    assert (facts.vocabulary, facts.n_ctx_train) == (4, 4096)


def test_tied_embeddings_are_needed_once_more(tmp_path: Path) -> None:
    facts = read_facts(write(tmp_path / "m.gguf", tied=True))
    assert facts is not None
    assert facts.output == 64 * 4 + 4 * 64 * 4


def test_the_share_of_types(tmp_path: Path, tiny_model: ModelFile) -> None:
    kinds = gguf.GGMLQuantizationType
    whole = write(tmp_path / "m.gguf", tied=True)
    assert share_in(whole, {kinds.F32}) == 1.0
    assert share_in(whole, {kinds.F32, kinds.Q4_0}) == 1.0
    assert share_in(whole, {kinds.IQ4_NL}) == 0.0
    assert 0.9 < share_in(tiny_model.path, {kinds.IQ4_NL}) < 1.0
    (tmp_path / "m.gguf").write_bytes(b"no model")
    assert share_in(tmp_path / "m.gguf", {kinds.F32}) == 0.0
    assert share_in(tmp_path / "nowhere.gguf", {kinds.F32}) == 0.0


def test_the_real_model(tiny_model: ModelFile, llama: LlamaRuntime) -> None:
    """As llama.cpp has read it."""
    import llama_cpp

    facts = read_facts(tiny_model.path)
    assert facts is not None
    assert len(facts.layers) == llama_cpp.llama_model_n_layer(llama.model)
    assert len(set(facts.layers)) <= 2
    assert facts.width == llama_cpp.llama_model_n_embd(llama.model)
    assert facts.heads == llama_cpp.llama_model_n_head(llama.model)
    assert facts.n_ctx_train == llama_cpp.llama_model_n_ctx_train(llama.model)
    assert facts.vocabulary == 49152
    size = llama_cpp.llama_model_size(llama.model)
    assert size <= facts.size <= size + 32 * 300, "the gaps between tensors are counted too"


def test_the_parts_of_a_model(tmp_path: Path) -> None:
    names = [path.name for path in model_parts(tmp_path / "m-00001-of-00003.gguf")]
    assert names == [f"m-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
    assert model_parts(tmp_path / "m.gguf") == [tmp_path / "m.gguf"]
    assert read_facts(tmp_path / "m-00001-of-00003.gguf") is None, "they are not there"


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF" + b"\xff" * 40, b"PK\x03\x04" * 99])
def test_other_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    assert read_facts(path) is None
    assert read_facts(tmp_path) is None
    assert read_facts(tmp_path / "none.gguf") is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_damage_is_never_an_exception(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "whole.gguf"
    whole = path.read_bytes() if path.exists() else write(path, tied=False).read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    damaged = bytearray(whole[:cut])
    for _ in range(data.draw(st.integers(0, 4))):
        if damaged:
            damaged[data.draw(st.integers(0, min(len(damaged), 900) - 1))] ^= data.draw(
                st.integers(1, 255)
            )
    (tmp_path / "damaged.gguf").write_bytes(bytes(damaged))
    facts = read_facts(tmp_path / "damaged.gguf")
    assert facts is None or all(size >= 0 for size in facts.layers)
