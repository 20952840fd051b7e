"""Training a student: LoRA on teacher examples, with checkpoints, live figures and a run card."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import torch
from accelerate import PartialState

from sinc_tui.distill.dataset import Example, jitter_numbers
from sinc_tui.distill.export import run_card, trained_layout
from sinc_tui.distill.fused import fuse, keep_freed_memory
from sinc_tui.distill.model import add_adapter, load_adapter, load_base, sequence_loss
from sinc_tui.distill.packing import Batch, Packer, TokenSequence, batches, collate
from sinc_tui.distill.profiles import ADAPTER_FILE, Profile
from sinc_tui.distill.rounding import Rounding
from sinc_tui.engine.protocol import DecodeMode
from sinc_tui.errors import SincError

_STATE = "state.pt"
_TOKENS_AT_ONCE = 2048
"""Padded tokens in one pass: more of them, kept for the way back, outgrow a laptop's memory."""


@dataclass(slots=True)
class Progress:
    """Live figures of a run; losses in nats a token as (examples seen, loss), `dev` by decoding mode.

    `train` is weighted as the profile's bands are and holds what pairs add, `dev` counts all tokens alike.
    """

    step: int = 0
    steps: int = 0
    examples: int = 0
    tokens: int = 0
    seconds: float = 0.0
    train: list[tuple[int, float]] = field(default_factory=list)
    dev: dict[str, list[tuple[int, float]]] = field(
        default_factory=lambda: {"sequential": [], "parallel": []}
    )

    @property
    def seconds_left(self) -> float:
        """Estimate from the mean step so far."""
        return self.seconds / self.step * (self.steps - self.step) if self.step else math.inf


class Trainer:
    """One training run in one folder; started again in the same folder, it resumes.

    Started by `accelerate launch` in several processes, a step takes one batch in each and averages
    their gradients; the first process alone measures, reports and writes.
    """

    def __init__(
        self,
        profile: Profile,
        packer: Packer,
        train: Sequence[Example],
        dev: Sequence[Example],
        folder: Path,
        *,
        seed: int = 0,
        evaluate_every: int = 200,
        start: Path | None = None,
        report: Callable[[str], None] = print,
    ) -> None:
        """`start` is the adapter to go on from, a peft folder or a GGUF; None: a fresh one."""
        self.profile, self.folder, self.seed = profile, folder, seed
        self.progress = Progress()
        self._packer, self._train, self._dev = packer, train, dev
        self._evaluate_every, self._report = evaluate_every, report
        self._started_from = start and _file_hash(
            start if start.is_file() else start / ADAPTER_FILE
        )
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(seed)
        self._processes = PartialState(cpu=not torch.cuda.is_available())
        self._device = self._processes.device
        base = load_base(profile.base, dtype=torch.bfloat16)
        self.model = (
            add_adapter(base, profile) if start is None else load_adapter(base, start, profile)
        ).to(self._device)
        if self._device.type == "cpu":
            fuse(self.model)
            keep_freed_memory()
        self._rounding = Rounding(self.model, profile.rounding) if profile.rounding else None
        self._weights = [p for p in self.model.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(
            self._weights,
            profile.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=profile.weight_decay,
        )
        per_epoch = math.ceil(len(train) / profile.batch) // self._processes.num_processes
        self.progress.steps = max(1, round(per_epoch * profile.epochs))

    @property
    def leads(self) -> bool:
        """Whether this is the process that measures, reports and writes."""
        return bool(self._processes.is_main_process)

    def run(self) -> Progress:
        """Train to the end (or from the last checkpoint on); writes adapter, curve and card."""
        self._resume()
        self._round()
        left = islice(self._schedule(), self.progress.step, self.progress.steps)
        for batch in left:
            self._step(batch)
            last = self.progress.step == self.progress.steps
            if last or self.progress.step % self._evaluate_every == 0:
                self._checkpoint()
        return self.progress

    def evaluate(self, mode: DecodeMode) -> float:
        """Mean loss over the dev examples in one order, nats a token."""
        packer = self._packer.even()
        sequences = sorted((packer.pack(e, mode) for e in self._dev), key=len)
        total = weight = 0.0
        self.model.eval()
        with torch.no_grad():
            for start in range(0, len(sequences), self.profile.batch):
                group = sequences[start : start + self.profile.batch]
                counted = sum(sum(s.weights) for s in group)
                total += self._loss(collate(group)).item() * counted
                weight += counted
        self.model.train()
        return total / weight

    def _schedule(self) -> Iterator[list[TokenSequence]]:
        """This process's batches of the run, the same for the same seed, whether resumed or not."""
        for epoch in range(math.ceil(self.profile.epochs)):
            rng = Random(f"{self.seed}/{epoch}")
            packed = [self._pack(e, rng) for e in self._train]
            every = list(batches(packed, self.profile.batch, rng))
            whole = len(every) - len(every) % self._processes.num_processes
            yield from every[self._processes.process_index : whole : self._processes.num_processes]

    def _pack(self, example: Example, rng: Random) -> TokenSequence:
        if rng.random() < self.profile.jitter:
            example = jitter_numbers(example, rng)
        parallel = rng.random() < self.profile.parallel_share
        return self._packer.pack(example, "parallel" if parallel else "sequential")

    def _step(self, group: list[TokenSequence]) -> None:
        progress = self.progress
        began = time.monotonic()
        counted = sum(sum(s.weights) for s in group)
        mean = 0.0
        for part in _parts(group):
            share = sum(sum(s.weights) for s in part) / counted
            loss = self._loss(collate(part)) * share
            (loss / self.profile.accumulate).backward()
            mean += loss.item()
        progress.step += 1
        if progress.step % self.profile.accumulate == 0:
            self._update()
        progress.examples += len(group) * self._processes.num_processes
        progress.tokens += sum(map(len, group)) * self._processes.num_processes
        progress.seconds += time.monotonic() - began
        progress.train.append((progress.examples, mean))
        if progress.step % 20 == 0 and self.leads:
            self._report(self._line())

    def _update(self) -> None:
        for group in self._optimizer.param_groups:
            group["lr"] = self.profile.learning_rate * self._rate()
        if self._processes.num_processes > 1:
            for weight in self._weights:
                torch.distributed.all_reduce(weight.grad, torch.distributed.ReduceOp.SUM)
                weight.grad /= self._processes.num_processes
        torch.nn.utils.clip_grad_norm_(self._weights, 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad()

    def _round(self) -> None:
        if self._rounding is not None:
            self._rounding.refresh()

    def _rate(self) -> float:
        """Share of the peak learning rate: linear warm-up, then cosine to a tenth."""
        step, steps = self.progress.step, self.progress.steps
        warmup = self.profile.warmup if self.profile.warmup >= 1 else self.profile.warmup * steps
        if step < warmup:
            return step / warmup
        done = (step - warmup) / max(1.0, steps - warmup)
        return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    def _loss(self, batch: Batch) -> torch.Tensor:
        cast = torch.autocast(self._device.type, torch.bfloat16)
        with cast if self._device.type != "mps" else nullcontext():
            return sequence_loss(
                self.model,
                *(
                    torch.from_numpy(a).to(self._device)
                    for a in (
                        batch.tokens,
                        batch.positions,
                        batch.weights,
                        batch.pairs,
                        batch.visible,
                    )
                ),
                preference=self.profile.preference,
            )

    def _line(self) -> str:
        p = self.progress
        recent = [loss for _, loss in p.train[-20:]]
        return (
            f"step {p.step}/{p.steps}  loss {sum(recent) / len(recent):.3f}  "
            f"{p.tokens / p.seconds:.0f} tokens/s  {p.seconds_left / 60:.0f} min left"
        )

    def _checkpoint(self) -> None:
        if self.leads:
            self._save()
        self._processes.wait_for_everyone()

    def _save(self) -> None:
        self._round()
        if self._dev:
            for mode in ("sequential", "parallel"):
                self.progress.dev[mode].append((self.progress.examples, self.evaluate(mode)))
            losses = {mode: round(curve[-1][1], 4) for mode, curve in self.progress.dev.items()}
            self._report(f"step {self.progress.step}  dev {losses}")
        self._write_card()
        state: dict[str, Any] = {
            "optimizer": self._optimizer.state_dict(),
            "progress": asdict(self.progress),
            "weights": [w.detach() for w in self._weights],
        }
        partial = self.folder / (_STATE + ".part")
        torch.save(state, partial)
        partial.replace(self.folder / _STATE)
        self.model.save_pretrained(str(self.folder / "adapter"))

    def _resume(self) -> None:
        path = self.folder / _STATE
        if not path.exists():
            if (self.folder / "adapter").exists():
                raise SincError(
                    f"{self.folder} holds an adapter, but nothing to resume its training from.",
                    hint="Name another folder; --from goes on from that adapter.",
                )
            return
        _check_begun(self.folder, self.profile, _data_hash(self._train))
        state = torch.load(path, map_location=self._device, weights_only=True)
        steps = self.progress.steps
        self.progress = Progress(**state["progress"])
        self.progress.steps = steps
        self._optimizer.load_state_dict(state["optimizer"])
        with torch.no_grad():
            for weight, saved in zip(self._weights, state["weights"], strict=True):
                weight.copy_(saved)
        if self.leads:
            self._report(f"resumed at step {self.progress.step}")

    def _write_card(self) -> None:
        card = {
            "profile": asdict(self.profile) | {"base": Path(self.profile.base).name},
            "seed": self.seed,
            "started_from": self._started_from,
            "base_sha256": _file_hash(Path(self.profile.base)),
            "data_sha256": _data_hash(self._train),
            "data": {"train": len(self._train), "dev": len(self._dev)},
            "torch": torch.__version__,
            "device": self._device.type,
            "processes": self._processes.num_processes,
        } | {k: v for k, v in asdict(self.progress).items() if k != "train"}
        (self.folder / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        (self.folder / "losses.json").write_text(json.dumps(self.progress.train), encoding="utf-8")


def plot_losses(progress: Progress, path: Path) -> None:
    """The loss curves as a PNG: training (mean of 50 steps) and dev in both orders."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    examples = [e for e, _ in progress.train]
    losses = [loss for _, loss in progress.train]
    means = [sum(losses[max(0, i - 49) : i + 1]) / min(50, i + 1) for i in range(len(losses))]
    axes.plot(examples, means, label="training (weighted), mean of 50 steps")
    for mode, curve in progress.dev.items():
        axes.plot(*zip(*curve, strict=True), marker="o", label=f"dev, {mode}") if curve else None
    axes.set_xlabel("examples seen")
    axes.set_ylabel("loss, nats a token")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _parts(group: list[TokenSequence]) -> Iterator[list[TokenSequence]]:
    """The batch in pieces that fit into memory: long examples pass one by one."""
    part: list[TokenSequence] = []
    for sequence in sorted(group, key=len):
        if part and len(sequence) * (len(part) + 1) > _TOKENS_AT_ONCE:
            yield part
            part = []
        part.append(sequence)
    yield part


def _check_begun(folder: Path, profile: Profile, data: str) -> None:
    """Refuse to go on with something else than the run was begun with."""
    begun = trained_layout(folder)
    if begun != profile.layout:
        raise SincError(
            f"The run in {folder} was begun in the layout {begun}, and this one has {profile.layout}.",
            hint=f"Name another folder, or go on with --layout {begun}.",
        )
    card = run_card(folder)
    weights = card["profile"].get("band_weights", {})
    if weights != profile.band_weights:
        given = ",".join(f"{band}={weight:g}" for band, weight in weights.items())
        raise SincError(
            f"The run in {folder} was begun with other band weights ({given or 'none'}).",
            hint="Name another folder, or go on with the same --band-weights.",
        )
    preference = card["profile"].get("preference", profile.preference)
    if preference != profile.preference:
        raise SincError(
            f"The run in {folder} was begun with the preference {preference:g}.",
            hint=f"Name another folder, or go on with --preference {preference:g}.",
        )
    if card["data_sha256"] != data:
        raise SincError(
            f"The run in {folder} was begun with other examples.",
            hint="Name another folder, or go on with the same --data in the same order.",
        )


def _file_hash(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _data_hash(examples: Sequence[Example]) -> str:
    digest = hashlib.sha256()
    for example in examples:
        digest.update(f"{example.prompt}\0{json.dumps(example.bands, sort_keys=True)}\n".encode())
        if example.rejected:
            digest.update(f"{json.dumps(example.rejected, sort_keys=True)}\n".encode())
    return digest.hexdigest()
