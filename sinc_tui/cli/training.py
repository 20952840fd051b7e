"""`sinc-tui distill train` and `export`: from examples to a model file."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sinc_tui.cli.diagnostics import DONE
from sinc_tui.cli.output import write
from sinc_tui.errors import InputError
from sinc_tui.sinc.bands import Band

if TYPE_CHECKING:
    from sinc_tui.distill.dataset import Example, Style

_PROFILES = ("tiny", "small", "medium", "full")
_ADAPTER_KINDS = ("F16", "BF16", "Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0")
_LAYOUTS = ("lines", "chatml")
_QUANTIZATIONS = ("IQ4_NL", *_ADAPTER_KINDS)


def _band_weights(
    _context: click.Context, _option: click.Parameter, given: str | None
) -> dict[Band, float] | None:
    """`TASK=3,CONTEXT=2` as weights by band; None where the option is not given."""
    if given is None:
        return None
    weights = {}
    for part in given.split(","):
        name, _, number = part.partition("=")
        try:
            band, weight = Band(name.strip().upper()), float(number)
        except ValueError:
            raise click.BadParameter(f"{part!r} is no band and number, like TASK=3.") from None
        if not 0 <= weight < math.inf:
            raise click.BadParameter(f"{part!r} is no weight: it must be 0 or more.")
        if band in weights:
            raise click.BadParameter(f"{band} is given twice.")
        weights[band] = weight
    if not any((dict.fromkeys(Band, 1.0) | weights).values()):
        raise click.BadParameter("With no weight but 0 there is nothing to learn.")
    return weights


def _finite(_context: click.Context, _option: click.Parameter, given: float | None) -> float | None:
    if given is not None and not math.isfinite(given):
        raise click.BadParameter(f"{given} is no weight.")
    return given


@click.command(short_help="Train a student's adapter; resumes in the same folder.")
@click.argument("profile", type=click.Choice(_PROFILES))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="FOLDER",
    help="Checkpoints, adapter, loss curve and run card.",
)  # fmt: skip
@click.option("--base", help="GGUF file, folder or Hub repository of the base model.")
@click.option("--data", multiple=True, metavar="plain|rich|corrections|FILE",
              help="Examples, also several times; default: the profile's.")  # fmt: skip
@click.option("--vocabulary", metavar="FILE.gguf", help="GGUF whose vocabulary the base shares.")
@click.option("--from", "start", type=click.Path(path_type=Path), metavar="PATH",
              help="Go on from an adapter: an earlier run's `adapter` folder, or a GGUF file.")  # fmt: skip
@click.option("--epochs", type=float)
@click.option("--rank", type=int)
@click.option("--alpha", type=int)
@click.option("--layers", type=int, help="How many of the last layers are adapted; 0: all.")
@click.option("--batch", type=int)
@click.option("--learning-rate", type=float)
@click.option("--parallel-share", type=float)
@click.option("--band-weights", callback=_band_weights, metavar="BAND=WEIGHT,...",
              help="Loss weights of bands, such as TASK=3,CONTEXT=2; others have 1.")  # fmt: skip
@click.option("--preference", type=click.FloatRange(min=0), callback=_finite,
              help="How much to rank corrections above what they correct, in parallel order; 0: learn them "
                   "alone.")  # fmt: skip
@click.option("--layout", type=click.Choice(_LAYOUTS), help="What stands around prompt and bands.")
@click.option("--examples", type=click.IntRange(min=1), help="Train on the first so many only.")
@click.option("--dev", "dev_size", type=click.IntRange(min=0), default=48, show_default=True)
@click.option("--every", type=click.IntRange(min=1), default=200, show_default=True,
              help="Steps between checkpoints.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True)
def train(
    profile: str,
    out: Path,
    data: tuple[str, ...],
    vocabulary: str | None,
    start: Path | None,
    examples: int | None,
    dev_size: int,
    every: int,
    seed: int,
    **settings: Any,
) -> int:
    """Train an adapter for PROFILE on teacher examples.

    `tiny` trains the embedded base; `small` and `medium` theirs, once it is pulled; `full` has the article's
    settings and needs a GPU. A dev set, a fixed tenth by the prompt's hash, is never trained on.
    On several GPUs: accelerate launch --multi_gpu "$(command -v sinc-tui)" distill train ...
    """
    from sinc_tui.distill.packing import Packer
    from sinc_tui.distill.profiles import PROFILES, Profile, base_of
    from sinc_tui.distill.training import Trainer, plot_losses
    from sinc_tui.engine.layout import TRAINED
    from sinc_tui.engine.llama_vocab import LlamaVocab

    known = {field.name for field in fields(Profile)}
    chosen = {key: value for key, value in settings.items() if value is not None and key in known}
    plan = replace(PROFILES[profile], **chosen)
    if not plan.base:
        plan = replace(plan, base=str(base_of(profile)))
    source = vocabulary or (plan.base if plan.base.endswith(".gguf") else None)
    if source is None:
        raise click.UsageError("Name a GGUF of the same base with --vocabulary, for its tokens.")
    vocab = LlamaVocab.from_file(Path(source))
    packer = Packer(
        vocab,
        TRAINED[plan.layout](vocab),
        scaffold_weight=plan.scaffold_weight,
        band_weights=plan.band_weights,
        corrections=plan.preference > 0,
    )
    training, dev = _examples(data, plan.style, dev_size)
    trainer = Trainer(
        plan,
        packer,
        training[:examples],
        dev,
        out,
        seed=seed,
        evaluate_every=every,
        start=start,
        report=write,
    )
    progress = trainer.run()
    if trainer.leads:
        plot_losses(progress, out / "losses.png")
        write(f"written: {out / 'adapter'}, {out / 'losses.png'}, {out / 'card.json'}")
    return DONE


def _examples(
    sources: tuple[str, ...], style: Style, dev_size: int
) -> tuple[list[Example], list[Example]]:
    """Those to train on, and at most `dev_size` dev ones: of the style where the sources have none."""
    from sinc_tui.distill.dataset import load_examples, sampled, split

    named = sources or (style,)
    training, dev = split(example for source in named for example in load_examples(source))
    if not dev:
        dev = split(load_examples(style))[1]
    return training, sampled(dev, dev_size)


@click.command(short_help="One student of several runs: the mean of their adapters.")
@click.argument(
    "folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN..."
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="FOLDER",
    help="Where the mean goes, for `distill export` and `train --from`.",
)  # fmt: skip
def average(folders: tuple[Path, ...], out: Path) -> int:
    """Write the mean of the adapters in RUN..., folders of runs of which one goes on from the other.

    It may do better than each of them, and takes no more time to run. Read both before you choose.
    """
    from sinc_tui.distill.averaging import average_runs

    average_runs(folders, out)
    write(f"written: {out / 'adapter'}, {out / 'card.json'}")
    return DONE


@click.command(short_help="Turn a trained adapter into GGUF files.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--base", type=click.Path(path_type=Path),
              help="GGUF it was trained on; default: its profile's.")  # fmt: skip
@click.option("--adapter", "target", type=click.Path(path_type=Path), metavar="FILE.gguf",
              help="Where the adapter goes; default: beside FOLDER's own.")  # fmt: skip
@click.option("--merged", type=click.Path(path_type=Path), metavar="FILE.gguf",
              help="Also write base and adapter as one model.")  # fmt: skip
@click.option(
    "--quantization", type=click.Choice(_QUANTIZATIONS), default="IQ4_NL", show_default=True,
    help="Of the merged model.",
)  # fmt: skip
@click.option(
    "--adapter-quantization", "kinds", nargs=2, type=click.Choice(_ADAPTER_KINDS),
    default=("Q8_0", "Q8_0"), show_default=True, metavar="A B", help="Of the adapter's two parts.",
)  # fmt: skip
def export(
    folder: Path,
    base: Path | None,
    target: Path | None,
    merged: Path | None,
    quantization: str,
    kinds: tuple[str, str],
) -> int:
    """Write the adapter in FOLDER (a folder of `distill train`) as GGUF, and merged on request."""
    from sinc_tui.distill.export import export_adapter, trained_base, trained_layout
    from sinc_tui.models.merging import merge

    base = base or trained_base(folder)
    target = target or folder / "adapter.gguf"
    layout = trained_layout(folder)
    export_adapter(folder / "adapter", base, target, layout=layout, quantization=kinds)
    write(f"written: {target} ({target.stat().st_size:,} bytes)")
    if merged is not None:
        merge(base, target, merged, quantization=quantization)
        write(f"written: {merged} ({merged.stat().st_size:,} bytes)")
    return DONE


@click.command(short_help="What each quantization costs a student: loss, bytes, speed.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--base", type=click.Path(path_type=Path),
              help="GGUF it was trained on; default: its profile's.")  # fmt: skip
@click.option("--data", default="plain", show_default=True, metavar="plain|rich|FILE")
@click.option("--dev", "dev_size", type=click.IntRange(min=1), default=30, show_default=True)
def quantize(folder: Path, base: Path | None, data: str, dev_size: int) -> int:
    """Merge the adapter in FOLDER, quantize it in several ways and measure each on dev examples."""
    from tempfile import TemporaryDirectory

    from sinc_tui.distill.dataset import load_examples, sampled, split
    from sinc_tui.distill.export import export_adapter, trained_base, trained_layout
    from sinc_tui.distill.packing import Packer
    from sinc_tui.distill.quantization import compare, table
    from sinc_tui.engine.layout import TRAINED
    from sinc_tui.engine.llama_runtime import silence
    from sinc_tui.engine.llama_vocab import LlamaVocab
    from sinc_tui.models.merging import merge

    dev = sampled(split(load_examples(data))[1], dev_size)
    if not dev:
        raise InputError(
            f"{data} has no dev prompt to measure on.",
            hint="Take --data plain, or examples with some.",
        )
    silence()
    base = base or trained_base(folder)
    vocab = LlamaVocab.from_file(base)
    with TemporaryDirectory() as work:
        adapter, merged = Path(work) / "adapter.gguf", Path(work) / "merged.gguf"
        layout = trained_layout(folder)
        export_adapter(
            folder / "adapter", base, adapter, layout=layout, quantization=("F16", "F16")
        )
        merge(base, adapter, merged, quantization="F16")
        packer = Packer(vocab, TRAINED[layout](vocab))
        write(table(list(compare(merged, packer, dev, Path(work)))))
    return DONE
