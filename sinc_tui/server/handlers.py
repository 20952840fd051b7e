"""What the faces for programs answer, whatever carries the question."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from sinc_tui import __version__
from sinc_tui.errors import SincError
from sinc_tui.events import Event, Failed, Finished
from sinc_tui.sinc.bands import FORMULA, Band
from sinc_tui.sinc.document import DocumentError, SincDocument, read_document
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.invariants import Status, check
from sinc_tui.sinc.rulesets import RULESETS, problems
from sinc_tui.sinc.snr import snr
from sinc_tui.sinc.strict_json import HALF_CHARACTER, JsonError, has_lone_surrogate, parse

if TYPE_CHECKING:
    from sinc_tui.engine.protocol import SamplerOptions
    from sinc_tui.rewriter import Rewriter

MOST_CHARACTERS = 100_000
"""Characters of a prompt; what a model takes is less, and its own error says so."""

MOST_WAITING = 8
"""Prompts that wait while one is being rewritten."""

_MOST_SEED = 2**32 - 1
Answer = dict[str, Any]
CHOICES = ("seed", "temperature", "decode")
"""The options of a run that a client may choose."""


class RequestError(SincError):
    """The question is wrong; asking it again will not help."""


class Busy(SincError):
    """There are too many questions at the moment."""


class Handlers:
    """One engine, one prompt at a time; others wait in line."""

    def __init__(self, rewriter: Rewriter, usual: SamplerOptions | None = None) -> None:
        """`usual` is how the bands are written where a client does not choose; None: the defaults."""
        self._rewriter, self._usual = rewriter, usual
        self._turn = asyncio.Lock()
        self._asking = 0
        self._trouble: SincError | None = None

    async def warm_up(self) -> None:
        """Load the model, so that the first question need not wait; trouble shows in `health`."""
        async with self._turn:
            async for event in self._rewriter.start():
                self._note(event)

    async def close(self) -> None:
        """End the engine."""
        await self._rewriter.close()

    async def scatter(self, prompt: str, choices: Mapping[str, Any] | None = None) -> Answer:
        """A prompt as a document, with its figure and the time in milliseconds it took.

        Raises `SincError`. When the caller is cancelled, the run is stopped and the engine kept.
        """
        if not prompt.strip():
            raise RequestError("The prompt is empty.", hint="Send the raw prompt as text.")
        if len(prompt) > MOST_CHARACTERS:
            raise RequestError(
                f"The prompt has {len(prompt):,} characters; {MOST_CHARACTERS:,} are the most.",
                hint="Shorten it.",
            )
        if has_lone_surrogate(prompt):
            raise RequestError(HALF_CHARACTER, hint="Send whole characters.")
        sampler = _sampler(choices or {}, self._usual)
        if self._asking > MOST_WAITING:
            raise Busy(
                f"{MOST_WAITING} prompts are waiting already.",
                hint="Ask again in some seconds.",
                retryable=True,
            )
        self._asking += 1
        try:
            async with self._turn:
                begun = time.monotonic()
                document = await self._rewritten(prompt, sampler)
                return _with_snr(document) | {
                    "_elapsed_ms": round((time.monotonic() - begun) * 1000, 1)
                }
        finally:
            self._asking -= 1

    def snr(self, text: str) -> Answer:
        """The figure of a document, and what is wrong with it; raises `RequestError` for no JSON."""
        try:
            root = parse(text, strict=False)
        except JsonError as error:
            raise RequestError(str(error), hint="Send a sinc document as JSON.") from None
        errors = problems(text)
        return snr(_texts(root)).report() | {
            "valid": not errors,
            "errors": errors,
            "warnings": _mended(text) if errors else [],
        }

    def validate(self, text: str, rules: object = "sinc-tui") -> Answer:
        """Whether a document is valid under a set of rules, and if not, why."""
        if not isinstance(rules, str) or rules not in RULESETS:
            raise RequestError(
                f"There are no rules {rules!r}.", hint=f"Choose one of {', '.join(RULESETS)}."
            )
        found = problems(text, rules)
        return {"valid": not found, "errors": found, "rules": rules}

    def build(self, texts: Mapping[str, Any]) -> Answer:
        """A document of six texts, by the names of the bands in small letters.

        Raises `RequestError` with all rules that they break.
        """
        bands = {band: texts.get(band.lower(), "") for band in Band}
        if wrong := [band for band, text in bands.items() if not isinstance(text, str)]:
            raise RequestError(f"{', '.join(wrong)} must be text.")
        broken = [v for v in check(Draft.finished(bands)) if v.status is not Status.PASS]
        if broken:
            raise RequestError(
                "The bands make no valid document. " + " ".join(v.reason for v in broken)
            )
        return _with_snr(SincDocument.from_bands(bands))

    def health(self) -> Answer:
        """How the server is, and with which model it writes."""
        info = self._rewriter.info
        writes = self._trouble is None or self._trouble.retryable
        return {
            "status": "failing" if self._trouble else "healthy" if info else "loading",
            "engine": f"sinc-tui v{__version__}",
            "formula": FORMULA,
            "capabilities": {
                "scatter": writes,
                "execute": False,
                "snr": True,
            },
            "model": info.name if info else None,
            "backend": info.backend if info else None,
            "waiting": max(0, self._asking - 1),
            **({"error": problem(self._trouble)} if self._trouble else {}),
        }

    async def _rewritten(self, prompt: str, sampler: SamplerOptions) -> SincDocument:
        run = _Run(self._rewriter)
        task = asyncio.ensure_future(run.document(prompt, sampler, self._note))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await run.abandon()
            with suppress(SincError):
                await task
            raise

    def _note(self, event: Event) -> None:
        """Remember whether the engine works."""
        if isinstance(event, Failed):
            self._trouble = event.error if self._rewriter.info is None else None
        elif self._rewriter.info is not None:
            self._trouble = None


class _Run:
    """A run that can be given up at any time, also while the engine still starts."""

    def __init__(self, rewriter: Rewriter) -> None:
        self._rewriter = rewriter
        self._wanted = True

    async def abandon(self) -> None:
        self._wanted = False
        await self._rewriter.stop()

    async def document(
        self, prompt: str, sampler: SamplerOptions, note: Callable[[Event], None]
    ) -> SincDocument:
        async with aclosing(self._rewriter.rewrite(prompt, sampler)) as events:
            async for event in events:
                note(event)
                if isinstance(event, Finished):
                    return event.document
                if isinstance(event, Failed):
                    raise self._judged(event.error)
                if not self._wanted:
                    await self._rewriter.stop()
        raise SincError("The run was stopped.", retryable=True)

    def _judged(self, error: SincError) -> SincError:
        """An engine that lives and refuses, once and for all, refuses the question."""
        if self._rewriter.info is not None and not error.retryable:
            return RequestError(error.message, hint=error.hint)
        return error


def problem(error: SincError) -> Answer:
    """An error for programs: what happened, what to do, and whether asking again may help."""
    return {"error": error.message, "hint": error.hint, "retryable": error.retryable}


def _with_snr(document: SincDocument) -> Answer:
    return document.model_dump(mode="json") | {"_snr": snr(document.bands).report()}


def _sampler(choices: Mapping[str, Any], usual: SamplerOptions | None) -> SamplerOptions:
    from pydantic import ValidationError

    from sinc_tui.engine.protocol import SamplerOptions

    if unknown := set(choices) - set(CHOICES):
        raise RequestError(
            f"There is no option {', '.join(sorted(unknown))}.",
            hint=f"There are {', '.join(CHOICES)}.",
        )
    try:
        options = SamplerOptions.model_validate(
            (usual or SamplerOptions()).model_dump() | dict(choices)
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise RequestError(f"{first['loc'][0]} is wrong: {first['msg']}.") from None
    if options.seed > _MOST_SEED:
        raise RequestError(f"seed is wrong: {_MOST_SEED} is the most.")
    return options


def _texts(root: object) -> dict[Band, str]:
    """The texts of all that can be taken for a band."""
    fragments = root.get("fragments") if isinstance(root, dict) else None
    found: dict[Band, str] = {}
    for fragment in fragments if isinstance(fragments, list) else []:
        if isinstance(fragment, dict) and isinstance(fragment.get("x"), str):
            name = fragment.get("t")
            if isinstance(name, str) and name in Band.__members__:
                found[Band(name)] = fragment["x"]
    return found


def _mended(text: str) -> list[str]:
    """What this program would mend when it opens the document."""
    try:
        return read_document(text).notes
    except DocumentError:
        return []


def as_text(document: object) -> str:
    """A document that came as an object or as text, as text."""
    return document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
