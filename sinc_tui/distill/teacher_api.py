"""Large models behind an API: one question, one reply, and errors sorted into worth retrying or not.

Keys come from the environment and stand in no message, log or file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import ModuleType
from typing import Any, Literal, Protocol

from sinc_tui.errors import SincError
from sinc_tui.extras import install_line

Api = Literal["anthropic", "openai"]

KEYS: dict[Api, str] = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}
"""The environment variable that holds the key of each API."""

MAX_TOKENS = 2000
"""Tokens of the longest reply; six bands in any language stay well below."""
TIMEOUT = 180.0
"""Seconds until a request without an answer counts as failed."""

_RETRIED = frozenset({408, 409, 425, 429})
_NO_KEY = frozenset({401, 403})
_NO_MODEL = frozenset({404, 405})


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation with the teacher."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that were paid for; `cached` is the part of `read` that came from the prompt cache."""

    read: int = 0
    written: int = 0
    cached: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.read + other.read, self.written + other.written, self.cached + other.cached
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """What the teacher said; `cut` when it ran into the limit of tokens."""

    text: str
    usage: Usage = field(default_factory=Usage)
    cut: bool = False


class BusyError(Exception):
    """A request failed in a way that may pass.

    Attributes:
        retry_after: seconds that the server asks to wait; None when it does not say.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class RefusedError(Exception):
    """The server takes this request for wrong; another one may be right."""


class TeacherApi(Protocol):
    """A large model that can be asked."""

    async def ask(self, system: str, turns: Sequence[Turn]) -> Reply:
        """One reply.

        Raises:
            BusyError: asking again may help.
            RefusedError: asking this again won't help.
            SincError: asking anything won't help.
        """

    async def close(self) -> None:
        """Close the connections."""


def open_api(
    api: Api,
    model: str,
    *,
    base_url: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> TeacherApi:
    """The teacher behind an API; a server of one's own (`base_url`) may need no key.

    Raises:
        SincError: the key is not in the environment, or the API's package is not installed.
    """
    key = environment.get(KEYS[api], "")
    if not key and (base_url is None or api == "anthropic"):
        raise SincError(
            f"The teacher needs a key in {KEYS[api]}.", hint=f"Set it with: export {KEYS[api]}=..."
        )
    return (_Anthropic if api == "anthropic" else _OpenAi)(model, key or "none", base_url)


class _Anthropic:
    """The Messages API, with the brief in the prompt cache."""

    def __init__(self, model: str, key: str, base_url: str | None) -> None:
        self._sdk = _sdk("anthropic")
        self._model = model
        self._key = key
        self._client = self._sdk.AsyncAnthropic(
            api_key=key, base_url=base_url, max_retries=0, timeout=TIMEOUT
        )

    async def ask(self, system: str, turns: Sequence[Turn]) -> Reply:
        brief = {"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}
        try:
            message = await self._client.messages.create(
                model=self._model,
                max_tokens=MAX_TOKENS,
                system=[brief],
                messages=[{"role": turn.role, "content": turn.text} for turn in turns],
            )
            return _anthropic_reply(message)
        except Exception as error:
            raise _sorted(self._sdk, error, self._key) from None

    async def close(self) -> None:
        await self._client.close()


class _OpenAi:
    """Chat completions, as OpenAI, vLLM, llama-server and many others speak them."""

    def __init__(self, model: str, key: str, base_url: str | None) -> None:
        self._sdk = _sdk("openai")
        self._model = model
        self._key = key
        self._limit = "max_completion_tokens" if base_url is None else "max_tokens"
        self._client = self._sdk.AsyncOpenAI(
            api_key=key, base_url=base_url, max_retries=0, timeout=TIMEOUT
        )

    async def ask(self, system: str, turns: Sequence[Turn]) -> Reply:
        messages = [{"role": "system", "content": system}]
        messages += [{"role": turn.role, "content": turn.text} for turn in turns]
        limit: dict[str, Any] = {self._limit: MAX_TOKENS}
        try:
            completion = await self._client.chat.completions.create(
                model=self._model, messages=messages, **limit
            )
            return _openai_reply(completion)
        except Exception as error:
            raise _sorted(self._sdk, error, self._key) from None

    async def close(self) -> None:
        await self._client.close()


def _anthropic_reply(message: Any) -> Reply:
    text = "".join(block.text for block in message.content if block.type == "text")
    usage = message.usage
    cached = usage.cache_read_input_tokens or 0
    read = usage.input_tokens + cached + (usage.cache_creation_input_tokens or 0)
    return Reply(
        text, Usage(read, usage.output_tokens, cached), message.stop_reason == "max_tokens"
    )


def _openai_reply(completion: Any) -> Reply:
    choice = completion.choices[0]
    text = choice.message.content or ""
    usage = completion.usage
    if usage is None:
        return Reply(text, cut=choice.finish_reason == "length")
    details = getattr(usage, "prompt_tokens_details", None)
    cached = getattr(details, "cached_tokens", None) or 0
    counted = Usage(usage.prompt_tokens, usage.completion_tokens, cached)
    return Reply(text, counted, choice.finish_reason == "length")


def _sdk(name: str) -> ModuleType:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise SincError(
            f"This teacher needs the package {name}.",
            hint=f"Install it with: {install_line('distill')}",
        ) from error


def _sorted(sdk: Any, error: Exception, key: str) -> Exception:
    """What an exception of an SDK (both have the same classes) means for the one who asked."""
    if isinstance(error, sdk.APIConnectionError):
        return BusyError("the connection failed")
    if isinstance(error, sdk.APIStatusError):
        return _by_status(
            error.status_code, error.response.headers, _first_line(str(error).replace(key, "[key]"))
        )
    if isinstance(error, sdk.APIError | ValueError | AttributeError | TypeError | IndexError):
        return BusyError("the answer can't be read")
    return error


def _by_status(status: int, headers: Mapping[str, str], text: str) -> Exception:
    """The server's own text is left out where it refuses the key, for it may hold a part of it."""
    if status in _RETRIED or status >= 500:
        return BusyError(f"the server answered {status}", retry_after(headers))
    if status in _NO_KEY:
        return SincError(f"The server refuses the key ({status}).")
    if status in _NO_MODEL:
        return SincError(f"The server knows no such model or address ({status}): {text}")
    return RefusedError(f"the server refuses the request ({status}): {text}")


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0][:200]


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds to wait by the header Retry-After (RFC 9110, 10.2.3): a number or a date; None without."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())
