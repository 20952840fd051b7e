"""The teacher's examples: what they are, where they lie, which of them are never trained on."""

from __future__ import annotations

import hashlib
import json
import lzma
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from sinc_tui import paths
from sinc_tui.distill.jitter import jittered
from sinc_tui.errors import InputError, SincError
from sinc_tui.sinc.bands import Band

Style = Literal["plain", "rich"]

SHIPPED = ("plain", "rich", "corrections")
"""What ships: the examples of both styles, and students' documents that a teacher corrected."""

_DEV_SHARE = 10
"""One prompt in this many is a dev prompt."""


@dataclass(frozen=True, slots=True)
class Example:
    """A raw prompt and the six bands that a teacher wrote for it.

    Attributes:
        id: unique within a file.
        kind: short category of the prompt (`sql`, `email`, `gibberish`).
        prompt: what a person typed.
        bands: the text of every band, in document order.
        style: `plain` is the small, regular language for small students, `rich` varied prose.
        rejected: what a student wrote in some bands, faultily, before a teacher corrected it to `bands`.
    """

    id: str
    kind: str
    prompt: str
    bands: dict[Band, str]
    style: Style
    rejected: dict[Band, str] = field(default_factory=dict)


def load_examples(source: str | Path) -> list[Example]:
    """The shipped examples of a name in `SHIPPED`, or those of a `.jsonl`(`.xz`) file.

    A key `rejected` (texts by band) may hold what a student wrote before `bands` corrected it.

    A file's examples take the style that its name holds, `plain` when it holds neither.

    Raises:
        SincError: the file can't be read (`InputError`), or a line is no example.
    """
    shipped = source in SHIPPED and isinstance(source, str)
    path = paths.assets() / "teacher" / f"{source}.jsonl.xz" if shipped else Path(source)
    style: Style = "rich" if "rich" in path.name else "plain"
    return [
        _example(_row(line, f"{path.name}:{n}"), style, f"{path.name}:{n}")
        for n, line in _lines(path)
    ]


def load_prompts(source: str | Path) -> list[Example]:
    """Prompts of a file: a line of text each (`.txt`), or JSON Lines with at least `prompt`.

    A prompt without bands becomes an example without bands; without `id` and `kind`, it takes the
    number of its line and `prompt`.

    Raises:
        SincError: the file can't be read (`InputError`), or a line holds no prompt.
    """
    path = Path(source)
    if path.suffix == ".txt":
        return [_prompt({"prompt": line.strip()}, f"{path.name}:{n}") for n, line in _lines(path)]
    return [_prompt(_row(line, f"{path.name}:{n}"), f"{path.name}:{n}") for n, line in _lines(path)]


def example_line(example: Example) -> str:
    """An example as one line of JSON, without the line's end."""
    bands = {band.value: example.bands[band] for band in Band}
    row = {"id": example.id, "kind": example.kind, "prompt": example.prompt, "bands": bands}
    if example.rejected:
        row["rejected"] = {band.value: text for band, text in example.rejected.items()}
    return json.dumps(row, ensure_ascii=False)


def is_dev(prompt: str) -> bool:
    """Whether a prompt belongs to the dev set: a fixed tenth, by sha256 of its words in lower case.

    It depends on nothing but the prompt, so that both styles, and any later data, split alike.
    """
    words = " ".join(prompt.lower().split())
    return int(hashlib.sha256(words.encode()).hexdigest(), 16) % _DEV_SHARE == 0


def split(examples: Iterable[Example]) -> tuple[list[Example], list[Example]]:
    """Training and dev examples, each in the order given."""
    train: list[Example] = []
    dev: list[Example] = []
    for example in examples:
        (dev if is_dev(example.prompt) else train).append(example)
    return train, dev


def sampled(examples: Sequence[Example], count: int) -> list[Example]:
    """`count` of the examples in their order, chosen by the hash of their prompts."""
    ranked = sorted(examples, key=lambda e: hashlib.sha256(e.prompt.encode()).digest())
    chosen = {id(example) for example in ranked[:count]}
    return [example for example in examples if id(example) in chosen]


def jitter_numbers(example: Example, rng: random.Random) -> Example:
    """The example with other numbers of the same shape, in the prompt and the bands alike.

    A student that sees an example several times learns to copy its numbers instead of knowing them.
    Every text keeps its length. See `distill.jitter` for what is replaced.
    """
    texts = [example.prompt, *(example.bands[b] for b in Band)]
    (prompt, *bands), rejected = jittered(texts, rng, list(example.rejected.values()))
    return replace(
        example,
        prompt=prompt,
        bands=dict(zip(Band, bands, strict=True)),
        rejected=dict(zip(example.rejected, rejected, strict=True)),
    )


def data_hash(examples: Sequence[Example]) -> str:
    """sha256 (hexadecimal) over the examples in their order; names the data of a run card."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(example_line(example).encode() + b"\n")
    return digest.hexdigest()


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file that hold something, with their numbers from 1."""
    try:
        data = path.read_bytes()
        text = (lzma.decompress(data) if path.suffix == ".xz" else data).decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} can't be read: it is not UTF-8 (byte {error.start}).",
            hint="Convert it first, for example with iconv.",
        ) from None
    except (OSError, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} can't be read: {reason}.", hint="Check the path.") from None
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line


def _example(row: dict[str, Any], style: Style, where: str) -> Example:
    try:
        bands = {band: row["bands"][band.value] for band in Band}
        rejected = {Band(name): text for name, text in row.get("rejected", {}).items()}
        fields = [row["id"], row["kind"], row["prompt"], *bands.values(), *rejected.values()]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SincError(f"{where} is no example: {type(error).__name__} {error}.") from error
    if not all(isinstance(field, str) for field in fields):
        raise SincError(f"{where} is no example: a field is not a string.")
    if not all(text.strip() for text in rejected.values()):
        raise SincError(f"{where} is no example: a rejected text is empty.")
    return Example(row["id"], row["kind"], row["prompt"], bands, style, rejected)


def _row(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise SincError(f"{where} is no example: {error}.") from error
    if not isinstance(row, dict):
        raise SincError(f"{where} is no example: it is not an object.")
    return row


def _prompt(row: dict[str, Any], where: str) -> Example:
    row = {"id": where.rpartition(":")[2], "kind": "prompt"} | row
    if "bands" in row:
        return _example(row, "plain", where)
    if not isinstance(row.get("prompt"), str):
        raise SincError(f"{where} holds no prompt.")
    return Example(str(row["id"]), str(row["kind"]), row["prompt"], {}, "plain")
