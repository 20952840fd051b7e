"""Reading JSON as strictly as the format needs it, with reasons in plain words.

The standard library takes the last of two equal keys, and `NaN`, without a word. A document that
says two things at once, or that other readers refuse, is better refused.
"""

from __future__ import annotations

import json
from typing import NoReturn

HALF_CHARACTER = "The prompt holds half of a character (a lone surrogate)."
"""What is wrong with a prompt for which `has_lone_surrogate` is true."""


class JsonError(ValueError):
    """The text is no JSON; the message is a sentence that says where and why."""


def parse(text: str, *, strict: bool = True) -> object:
    """The value in `text`; raises `JsonError`.

    `strict` False takes repeated keys (the last one counts), `NaN` and `Infinity`, as Python does.
    """
    try:
        if not strict:
            return json.loads(text)
        return json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise JsonError(
            f"It is not valid JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from None
    except JsonError:
        raise
    except ValueError:
        raise JsonError("It is not valid JSON: a number in it is too long.") from None
    except RecursionError:
        raise JsonError("It is not valid JSON: it is nested too deeply.") from None


def has_lone_surrogate(text: str) -> bool:
    """Whether `text` holds half of a surrogate pair, which no UTF-8 file can hold."""
    return any("\ud800" <= char <= "\udfff" for char in text)


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise JsonError(f"The key {key!r} stands twice in one object.")
        found[key] = value
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise JsonError(f"It is not valid JSON: {name} is no JSON number.")
