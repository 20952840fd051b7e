"""What the app and the engine's child process say to each other, one JSON object a line.

The same models type both sides. The child's stdout carries nothing else; its stderr goes to a log file.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from sinc_tui.sinc.bands import Band

DecodeMode = Literal["sequential", "parallel"]
KvType = Literal["f16", "q8_0"]

_VARIATION = 0.6
"""Temperature of a variation: other words, the same facts."""


class Wire(BaseModel):
    """Base of every message: immutable, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SamplerOptions(Wire):
    """How a run chooses its tokens.

    Attributes:
        seed: same seed, same prompt, same model, same options: same document. 0 asks for the likeliest
            text, any other for a variation.
        temperature: 0 is greedy; None leaves it to the seed.
        min_p: tokens less likely than this share of the likeliest one are never chosen.
        dry_multiplier: strength of the DRY penalty on repeating a run of tokens; 0 is off.
        decode: `sequential` writes the bands one after the other, `parallel` side by side, FORMAT after TASK.
        verbatim: whether DATA may hold pieces of the prompt as typed only.
        number_guard: whether the bands but FORMAT may hold the prompt's numbers only, and a sentence
            outside DATA none more often than the prompt; CONTEXT, CONSTRAINTS and TASK no address,
            path, file name or identifier that the prompt lacks; and whether a small student's words, where
            the prompt is English, must be in it or in a dictionary.
        fact_keeper: whether facts that the model left out are put in when DATA and CONSTRAINTS close, and
            clauses of the prompt that no band tells at the end.
    """

    seed: int = Field(default=0, ge=0)
    temperature: float | None = Field(default=None, ge=0.0, le=5.0)
    min_p: float = Field(default=0.1, ge=0.0, le=1.0)
    dry_multiplier: float = Field(default=0.8, ge=0.0)
    decode: DecodeMode = "sequential"
    verbatim: bool = True
    number_guard: bool = True
    fact_keeper: bool = True

    @property
    def heat(self) -> float:
        """The temperature in force."""
        if self.temperature is not None:
            return self.temperature
        return _VARIATION if self.seed else 0.0


class EngineOptions(Wire):
    """How a model is loaded. `None` leaves the choice to the engine.

    Attributes:
        n_ctx: context length in tokens.
        n_threads: CPU threads.
        n_gpu_layers: layers on the GPU, -1 for all.
        n_batch: tokens evaluated at once.
        flash_attention: whether attention is computed in one pass.
        kv_type: how keys and values are kept; `q8_0` needs flash attention.
        mlock: whether the weights are kept from being swapped out.
    """

    n_ctx: int | None = Field(default=None, ge=256)
    n_threads: int | None = Field(default=None, ge=1, le=1024)
    n_gpu_layers: int | None = Field(default=None, ge=-1)
    n_batch: int | None = Field(default=None, ge=32, le=8192)
    flash_attention: bool | None = None
    kv_type: KvType | None = None
    mlock: bool | None = None


class ModelInfo(Wire):
    """What was loaded.

    Attributes:
        name: the name shown to the user.
        trained: whether the model was distilled for this job; an untrained one gets a worked example.
        backend: `CPU`, `Metal`, `CUDA` or `Vulkan`.
        n_ctx: context length in tokens.
        n_threads: CPU threads in use.
        n_gpu_layers: layers on the GPU; the output counts as one.
        size: bytes of the weights, which are read for every token.
        layout: name of the prompt layout (see `engine.layout`).
        settings: everything that was chosen, in one line.
        notes: what the user should know of the choice.
    """

    name: str
    trained: bool
    backend: str
    n_ctx: int
    n_threads: int
    n_gpu_layers: int
    layout: str
    size: int = 0
    settings: str = ""
    notes: list[str] = Field(default_factory=list)


class RunStats(Wire):
    """Figures of one run.

    Attributes:
        prompt_tokens: tokens of the prompt with its layout.
        free_tokens: tokens that the model chose (the scaffold is not counted).
        seconds: from the command's arrival to the last band's end.
        seconds_to_first: to the first visible character.
        masks: how often each mask had to step in, by name.
        notes: what the decoder had to do that the reader should know (cuts).
        seed: the seed that was used.
        decode: the decoding mode that was used.
    """

    prompt_tokens: int
    free_tokens: int
    seconds: float
    seconds_to_first: float
    masks: dict[str, int] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)
    seed: int = 0
    decode: DecodeMode = "sequential"

    @property
    def tokens_per_second(self) -> float:
        """Free tokens per second over the whole run."""
        return self.free_tokens / self.seconds if self.seconds > 0 else 0.0


# Commands: app -> child. Closing the child's stdin ends it.


class Load(Wire):
    """Load a model file; answered by `Planned` and `Progress` lines and one `Ready` or `Error`.

    Attributes:
        adapter: file of an adapter that is applied while the model runs, None for a model that is whole.
    """

    type: Literal["load"] = "load"
    path: str
    name: str
    adapter: str | None = None
    options: EngineOptions = EngineOptions()


class Decompose(Wire):
    """Decompose a prompt; answered by deltas and one `Done`, `Stopped` or `Error` of the same run.

    Attributes:
        run: number of the run, chosen by the app, unique in the child's life.
        given: bands that are kept as they are and not written.
    """

    type: Literal["decompose"] = "decompose"
    run: int
    prompt: str
    sampler: SamplerOptions = SamplerOptions()
    given: dict[Band, str] = Field(default_factory=dict)


class Cancel(Wire):
    """Stop a run; answered by its `Stopped` (or by its `Done`, when that was first)."""

    type: Literal["cancel"] = "cancel"
    run: int


class Measure(Wire):
    """Write some tokens of a fixed prompt to see how fast it goes; answered by one `Measured`, `Stopped`
    or `Error` of the same run."""

    type: Literal["measure"] = "measure"
    run: int


Command = Annotated[Load | Decompose | Measure | Cancel, Field(discriminator="type")]


# Messages: child -> app.


class Progress(Wire):
    """How much of the model is loaded, 0.0 to 1.0."""

    type: Literal["progress"] = "progress"
    fraction: float


class Planned(Wire):
    """How the model is about to be loaded; said before, for a driver may end the process meanwhile."""

    type: Literal["planned"] = "planned"
    settings: str
    n_gpu_layers: int


class Ready(Wire):
    """The model is loaded."""

    type: Literal["ready"] = "ready"
    info: ModelInfo


class Reading(Wire):
    """How much of a long prompt is read, 0.0 to 1.0; of a short one it is not said."""

    type: Literal["reading"] = "reading"
    run: int
    fraction: float


class Delta(Wire):
    """More text of a band, to be appended to what was sent before."""

    type: Literal["delta"] = "delta"
    run: int
    band: Band
    text: str


class BandEnd(Wire):
    """A band is finished; `text` is the whole of it and replaces what was sent in deltas."""

    type: Literal["band_end"] = "band_end"
    run: int
    band: Band
    text: str


class Done(Wire):
    """All six bands are finished."""

    type: Literal["done"] = "done"
    run: int
    stats: RunStats


class Measured(Wire):
    """How fast the loaded model writes here, masks and all: free tokens per second."""

    type: Literal["measured"] = "measured"
    run: int
    tokens_per_second: float


class Stopped(Wire):
    """A run was stopped by `Cancel`."""

    type: Literal["stopped"] = "stopped"
    run: int


class Error(Wire):
    """A load (`run` is None) or a run failed; the child lives on.

    `logged`: llama.cpp has written its reason to the log.
    """

    type: Literal["error"] = "error"
    run: int | None
    message: str
    hint: str = ""
    retryable: bool = False
    logged: bool = False


Message = Annotated[
    Progress | Planned | Ready | Reading | Delta | BandEnd | Done | Measured | Stopped | Error,
    Field(discriminator="type"),
]

_commands: TypeAdapter[Command] = TypeAdapter(Command)
_messages: TypeAdapter[Message] = TypeAdapter(Message)


def encode(message: Wire) -> bytes:
    """One message as one line, UTF-8, ending in a newline."""
    return message.model_dump_json().encode() + b"\n"


def decode_command(line: bytes) -> Command:
    """The command in a line; raises `pydantic.ValidationError` when it is none."""
    return _commands.validate_json(line)


def decode_message(line: bytes) -> Message:
    """The message in a line; raises `pydantic.ValidationError` when it is none."""
    return _messages.validate_json(line)
