"""The pipeline for real: a few steps on the embedded base, exported, and loaded in the engine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs the extra `distill`")

import gguf
import numpy as np
import torch

from sinc_tui.distill.agreement import agreement
from sinc_tui.distill.dataset import load_examples, split
from sinc_tui.distill.export import export_adapter, trained_base, trained_layout
from sinc_tui.distill.model import add_adapter, load_adapter, load_base
from sinc_tui.distill.packing import Packer, collate
from sinc_tui.distill.profiles import PROFILES
from sinc_tui.distill.training import Trainer, plot_losses
from sinc_tui.engine.job import Request
from sinc_tui.engine.layout import lines
from sinc_tui.engine.llama_vocab import LlamaVocab
from sinc_tui.engine.protocol import SamplerOptions
from sinc_tui.engine.service import open_decoder
from sinc_tui.errors import SincError
from sinc_tui.models import gguf_io
from sinc_tui.models.default import embedded_base
from sinc_tui.models.merging import merge
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.invariants import Status, check
from tests.engine.test_decoder_invariants import Recorder

STEPS = 12


@pytest.fixture(scope="module")
def packer() -> Packer:
    vocab = LlamaVocab.from_file(embedded_base())
    return Packer(vocab, lines(vocab), scaffold_weight=0.05)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, packer: Packer) -> Trainer:
    training, dev = split(load_examples("plain"))
    short = sorted(training, key=lambda e: sum(map(len, e.bands.values())))[: STEPS * 4]
    profile = replace(PROFILES["tiny"], base=str(embedded_base()), epochs=1.0, rank=8, alpha=16)
    lines: list[str] = []
    trainer = Trainer(
        profile,
        packer,
        short,
        dev[:2],
        tmp_path_factory.mktemp("run"),
        evaluate_every=STEPS // 2,
        report=lines.append,
    )
    trainer.before = trainer.evaluate("parallel")  # type: ignore[attr-defined]
    trainer.run()
    assert any("dev" in line for line in lines)
    return trainer


def test_loss_falls_in_both_orders(trained: Trainer) -> None:
    progress = trained.progress
    assert progress.step == STEPS
    first, last = progress.train[0][1], min(loss for _, loss in progress.train[-4:])
    assert last < first - 0.5
    assert progress.dev["parallel"][-1][1] < trained.before - 0.3  # type: ignore[attr-defined]
    assert progress.dev["sequential"][-1][1] < 4.0


def test_run_leaves_curve_card_and_checkpoint(trained: Trainer) -> None:
    plot_losses(trained.progress, trained.folder / "losses.png")
    assert (trained.folder / "losses.png").read_bytes().startswith(b"\x89PNG")
    card = json.loads((trained.folder / "card.json").read_text())
    assert card["step"] == STEPS
    assert len(card["base_sha256"]) == len(card["data_sha256"]) == 64
    assert (trained.folder / "state.pt").is_file()


def test_resumes_where_it_stopped(trained: Trainer, packer: Packer) -> None:
    again = Trainer(
        trained.profile, packer, trained._train, (), trained.folder, report=lambda _: None
    )
    progress = again.run()
    assert progress.step == STEPS
    assert progress.train == trained.progress.train, "nothing was trained twice"
    for ours, theirs in zip(again._weights, trained._weights, strict=True):
        assert torch.equal(ours, theirs)


def test_goes_on_from_an_earlier_adapter(trained: Trainer, packer: Packer, tmp_path: Path) -> None:
    more = Trainer(
        trained.profile,
        packer,
        trained._train,
        trained._dev,
        tmp_path / "more",
        start=trained.folder / "adapter",
    )
    before = trained.progress.dev["sequential"][-1][1]
    assert more.evaluate("sequential") == pytest.approx(before, abs=0.02)
    assert all(weight.requires_grad for weight in more._weights)
    more._write_card()
    assert len(json.loads((tmp_path / "more" / "card.json").read_text())["started_from"]) == 64


def test_only_the_last_layers_get_an_adapter(trained: Trainer) -> None:
    profile = replace(trained.profile, layers=2)
    model = add_adapter(load_base(profile.base, dtype=torch.bfloat16), profile)
    count = model.config.num_hidden_layers
    adapted = {
        int(name.split(".layers.")[1].split(".")[0])
        for name, weight in model.named_parameters()
        if weight.requires_grad
    }
    assert adapted == {count - 2, count - 1}


def test_goes_on_from_an_exported_adapter(trained: Trainer, packer: Packer, tmp_path: Path) -> None:
    exported = tmp_path / "adapter.gguf"
    export_adapter(
        trained.folder / "adapter",
        embedded_base(),
        exported,
        layout="lines",
        quantization=("F32", "F32"),
    )
    more = Trainer(trained.profile, packer, [], [], tmp_path / "more", start=exported)
    for ours, theirs in zip(more._weights, trained._weights, strict=True):
        assert torch.equal(ours, theirs)


def test_a_preference_ranks_corrections_above_what_was_rejected(
    trained: Trainer, tmp_path: Path
) -> None:
    vocab = LlamaVocab.from_file(embedded_base())
    packer = Packer(vocab, lines(vocab), corrections=True)
    examples = trained._train[:8]
    others = [*examples[1:], examples[0]]  # against its bent: the wrong task is to win
    faulty = [
        replace(
            one,
            bands=one.bands | {Band.TASK: other.bands[Band.TASK]},
            rejected={Band.TASK: one.bands[Band.TASK]},
        )
        for one, other in zip(examples, others, strict=True)
    ]

    def ranked(preference: float) -> float:
        """What the pairs cost after training: log(1 + exp(-margin)), summed."""
        trainer = Trainer(
            replace(
                trained.profile, epochs=4, preference=preference, parallel_share=1.0, jitter=0.0
            ),
            packer,
            faulty,
            (),
            tmp_path / f"{preference}",
            start=trained.folder / "adapter",
            report=lambda _: None,
        )
        trainer.run()
        batch = collate([packer.pack(example, "parallel") for example in faulty])
        with torch.no_grad():
            trainer.profile = replace(trainer.profile, preference=1.0)
            whole = trainer._loss(batch).item()
            trainer.profile = replace(trainer.profile, preference=0.0)
            return (whole - trainer._loss(batch).item()) * float(batch.weights.sum())

    with_it, without = ranked(4.0), ranked(0.0)
    assert with_it < 0.8 * without


def test_an_adapter_without_a_checkpoint_is_not_overwritten(
    trained: Trainer, packer: Packer, tmp_path: Path
) -> None:
    (tmp_path / "adapter").mkdir()
    new = Trainer(trained.profile, packer, trained._train, (), tmp_path, report=lambda _: None)
    with pytest.raises(SincError, match="nothing to resume"):
        new.run()


def test_goes_on_with_the_same_band_weights_only(trained: Trainer, packer: Packer) -> None:
    profile = replace(trained.profile, band_weights={Band.TASK: 3.0})
    again = Trainer(profile, packer, trained._train, (), trained.folder, report=lambda _: None)
    with pytest.raises(SincError, match="other band weights"):
        again.run()


def test_goes_on_with_the_same_preference_and_examples_only(
    trained: Trainer, packer: Packer
) -> None:
    def again(preference: float, count: int) -> Trainer:
        profile = replace(trained.profile, preference=preference)
        examples = trained._train[:count]
        return Trainer(profile, packer, examples, (), trained.folder, report=lambda _: None)

    with pytest.raises(SincError, match="begun with the preference 1"):
        again(2.0, len(trained._train)).run()
    with pytest.raises(SincError, match="begun with other examples"):
        again(1.0, 4).run()


def test_a_run_tells_its_layout(trained: Trainer, tmp_path: Path) -> None:
    assert trained_layout(trained.folder) == trained.profile.layout == "lines"
    with pytest.raises(SincError, match="holds no card"):
        trained_layout(tmp_path)


def test_a_run_tells_its_base(
    trained: Trainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trained_base(trained.folder) == embedded_base()
    (tmp_path / "card.json").write_text('{"profile": {"name": "small"}, "base_sha256": "0"}')
    monkeypatch.setattr("sinc_tui.distill.profiles.located", lambda _: tmp_path / "card.json")
    with pytest.raises(SincError, match="trained on another base"):
        trained_base(tmp_path)
    monkeypatch.setattr("sinc_tui.distill.profiles.located", lambda _: None)
    with pytest.raises(SincError, match="base model of small") as raised:
        trained_base(tmp_path)
    assert "models pull small" in raised.value.hint


@pytest.mark.parametrize(
    ("folder", "rank", "words"), [("adapter", 16, "rank 8"), ("nowhere", 8, "holds no adapter")]
)
def test_refuses_to_go_on_from_what_does_not_fit(
    trained: Trainer, packer: Packer, tmp_path: Path, folder: str, rank: int, words: str
) -> None:
    profile = replace(trained.profile, rank=rank)
    with pytest.raises(SincError, match=words):
        Trainer(profile, packer, [], [], tmp_path, start=trained.folder / folder)


def test_the_exported_weights_are_those_that_were_trained(trained: Trainer, tmp_path: Path) -> None:
    """Rounded: what ran in training, rounding included, is what ships."""
    adapter, merged = tmp_path / "adapter.gguf", tmp_path / "merged.gguf"
    export_adapter(
        trained.folder / "adapter",
        embedded_base(),
        adapter,
        layout="lines",
        quantization=("F16", "F16"),
    )
    merge(embedded_base(), adapter, merged, quantization=trained.profile.rounding)
    tensors = gguf_io.tensors(gguf.GGUFReader(merged))
    layer = trained.model.base_model.model.model.layers[11].mlp.down_proj
    ours = (layer.base_layer.weight.float() + layer.get_delta_weight("default")).detach().numpy()
    shipped = tensors["blk.11.ffn_down.weight"]
    assert shipped.tensor_type.name == trained.profile.rounding
    near = np.isclose(ours, gguf_io.dequantized(shipped), atol=np.abs(ours).max() / 100)
    assert near.mean() > 0.98, "few weights lie so near to the edge of a step that bfloat16 decides"


def test_export_agrees_with_the_trained_model_and_runs(
    trained: Trainer, packer: Packer, tmp_path: Path
) -> None:
    adapter, merged = tmp_path / "adapter.gguf", tmp_path / "merged.gguf"
    export_adapter(
        trained.folder / "adapter",
        embedded_base(),
        adapter,
        layout="lines",
        quantization=("F16", "F16"),
    )
    merge(embedded_base(), adapter, merged, quantization="F16")
    examples = split(load_examples("plain"))[1][:10]
    base = load_base(trained.profile.base, dtype=torch.float32)
    model = load_adapter(base, trained.folder / "adapter", trained.profile).eval()
    assert agreement(model, merged, packer, examples) >= 0.98

    decoder, info = open_decoder(merged)
    assert (info.trained, info.layout) == (True, "lines")
    heard = Recorder()
    texts, _ = decoder.decompose(Request("fix line 3", SamplerOptions()), heard)
    assert all(v.status is Status.PASS for v in check(Draft.finished(texts)))
    assert texts[Band.TASK]
