"""What is trained, and how: one profile for each tier of student."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sinc_tui.errors import SincError
from sinc_tui.models.catalog import EMBEDDED, known, located
from sinc_tui.models.default import embedded_base
from sinc_tui.sinc.bands import Band

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
ADAPTER_FILE = "adapter_model.safetensors"
"""The weights in the folder of a peft adapter."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Settings of a training run; every one can be overridden on the command line.

    Attributes:
        name: the tier.
        base: GGUF file, Hub repository or folder of the base model; empty: it must be given.
        style: the teacher data that suits a base of this size.
        rank, alpha, dropout: the LoRA adapter; alpha / rank scales it.
        layers: how many of the last layers get an adapter; 0: all of them. Fewer make a smaller file and
            a shorter way back.
        epochs: passes over the data, each in a fresh shuffle.
        batch: examples a step; accumulate: steps before an update.
        learning_rate: peak; cosine to a tenth after `warmup` (share of all updates, or a count).
        parallel_share: share of examples laid out in parallel rather than sequential order.
        layout: what stands around the prompt and the bands (`engine.layout.TRAINED`).
        scaffold_weight: loss weight of the fixed parts in sequential order.
        band_weights: loss weights of bands by name, 1 where none is given. By tokens, most of the loss is
            CONSTRAINTS and DATA; the few words of TASK decide whether the document is worth having.
        preference: how much it counts to rank a teacher's correction above what was rejected, beside the
            likelihood of the correction: where the data has such pairs, in examples in parallel order, alike
            in all bands.
        jitter: share of examples whose numbers are replaced, in prompt and bands alike.
        weight_decay: of AdamW.
        rounding: what the merged student is stored in, and so trained in; empty: no rounding.
        rounding_every: updates after which the weights are rounded anew.
    """

    name: str
    base: str = ""
    style: Literal["plain", "rich"] = "plain"
    rank: int = 32
    alpha: int = 64
    dropout: float = 0.0
    layers: int = 0
    epochs: float = 4.0
    batch: int = 4
    accumulate: int = 1
    learning_rate: float = 1e-3
    warmup: float = 0.03
    parallel_share: float = 0.5
    layout: str = "lines"
    scaffold_weight: float = 0.0
    band_weights: dict[Band, float] = field(default_factory=dict)
    preference: float = 1.0
    jitter: float = 0.5
    weight_decay: float = 0.0
    rounding: str = "IQ4_NL"
    rounding_every: int = 8
    projections: tuple[str, ...] = field(default=PROJECTIONS)


PROFILES = {
    "tiny": Profile("tiny"),
    "small": Profile("small", epochs=2.0, learning_rate=5e-4),
    "medium": Profile("medium", layers=14, epochs=1.0, learning_rate=4e-4, rounding_every=32),
    "full": Profile(
        "full",
        base="Qwen/Qwen2.5-7B-Instruct",
        style="rich",
        rank=16,
        alpha=16,
        epochs=3.0,
        batch=2,
        accumulate=4,
        learning_rate=2e-4,
        warmup=5,
        layout="chatml",
        scaffold_weight=0.05,
        rounding="",
    ),
}
"""`full` has the article's hyperparameters, and writes the whole document by itself."""


def base_of(profile: str) -> Path:
    """The GGUF that a profile's student is trained on, as the catalogue has it.

    Raises `SincError` where it is not on this machine.
    """
    base = embedded_base() if profile == EMBEDDED else located(known(profile))
    if base is None:
        raise SincError(
            f"The base model of {profile} is not on this machine.",
            hint=f"Get it: sinc-tui models pull {profile}, or name another with --base.",
        )
    return base
