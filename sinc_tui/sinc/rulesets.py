"""Three sets of rules that a JSON text can be held to.

`sinc-tui` is the strictest: what it accepts, the article's validator and sinc-prompt 1.0.0 accept.
The other two say what those validators say of the same text, so that a user can tell beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeGuard

from sinc_tui.sinc.bands import AXIS, FORMULA_SPELLINGS, Band
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.invariants import Status, check
from sinc_tui.sinc.strict_json import JsonError, parse

Object = dict[str, object]
_KEYS = ("formula", "T", "fragments")
_FRAGMENT_KEYS = ("n", "t", "x")


def problems(text: str, rules: str = "sinc-tui") -> list[str]:
    """Everything that is wrong with `text` under these rules, each a sentence; empty when valid.

    `rules` is a key of `RULESETS`.
    """
    try:
        root = parse(text, strict=rules == "sinc-tui")
    except JsonError as error:
        return [str(error)]
    if not _is_object(root):
        return ["The root is not a JSON object."]
    return RULESETS[rules](root)


def _sinc_tui(root: Object) -> list[str]:
    found = _missing(root, _KEYS, "The document") + _extra(root, _KEYS, "The document")
    if "formula" in root and root["formula"] not in FORMULA_SPELLINGS:
        found.append("The formula has an unknown spelling.")
    if "T" in root and root["T"] != AXIS:
        found.append(f"T is not {AXIS}.")
    if "fragments" not in root:
        return found
    fragments = root["fragments"]
    if not isinstance(fragments, list):
        return [*found, "The fragments are not a list."]
    shape = _six_bands(fragments)
    return found + (shape or _broken_invariants(fragments))


def _six_bands(fragments: list[object]) -> list[str]:
    if len(fragments) != len(Band):
        return [f"It has {len(fragments)} fragments, not {len(Band)}."]
    return [reason for band in Band for reason in _one_band(fragments[band.n], band)]


def _one_band(fragment: object, band: Band) -> list[str]:
    if not _is_object(fragment):
        return [f"Fragment {band.n} is not an object."]
    found = _extra(fragment, _FRAGMENT_KEYS, f"Fragment {band.n}")
    if fragment.get("t") != band:
        found.append(f"Fragment {band.n} is not {band}.")
    if not _is_int(fragment.get("n")) or fragment["n"] != band.n:
        found.append(f"{band} does not have n = {band.n}.")
    if not isinstance(fragment.get("x"), str):
        found.append(f"{band} has no text.")
    return found


def _broken_invariants(fragments: list[object]) -> list[str]:
    """The invariants that fail; called only on six fragments whose shape is sound."""
    texts = {
        band: str(fragment["x"])
        for band, fragment in zip(Band, fragments, strict=True)
        if _is_object(fragment)
    }
    return [v.reason for v in check(Draft.finished(texts)) if v.status is Status.FAIL]


def _article(root: Object) -> list[str]:
    """Names in order, CONSTRAINTS strictly longest, a formula; `n`, `T` and TASK go unseen."""
    found = [] if root.get("formula") else ["It has no formula."]
    fragments = root.get("fragments")
    if not isinstance(fragments, list):
        return [*found, "It has no list of fragments."]
    if [_is_object(f) and f.get("t") for f in fragments] != list(Band):
        return [*found, "The bands are not the six, in order."]
    texts = [fragment.get("x") for fragment in fragments]
    if not all(isinstance(text, str) for text in texts):
        return [*found, "A band has no text."]
    lengths = dict(zip(Band, map(len, texts), strict=True))
    own = lengths.pop(Band.CONSTRAINTS)
    longest = max(lengths, key=lambda band: lengths[band])
    if own <= lengths[longest]:
        found.append(f"CONSTRAINTS has {own} characters, {longest} {lengths[longest]}.")
    return found


def _sinc_prompt(root: Object) -> list[str]:
    """One to six bands in any order, no other keys, no blank string; no rule on length or TASK."""
    found = _missing(root, _KEYS, "The document") + _extra(root, _KEYS, "The document")
    found += [
        f"{key} is not a text." for key in ("formula", "T") if not _has_text(root.get(key, "-"))
    ]
    if "fragments" not in root:
        return found
    fragments = root["fragments"]
    if not isinstance(fragments, list):
        return [*found, "The fragments are not a list."]
    if not 1 <= len(fragments) <= len(Band):
        found.append(f"It has {len(fragments)} fragments; 1 to {len(Band)} are allowed.")
    names = [f.get("t") if _is_object(f) else None for f in fragments]
    found += [f"{band} stands more than once." for band in Band if names.count(band) > 1]
    return found + [r for i, f in enumerate(fragments) for r in _any_band(f, f"Fragment {i}")]


def _any_band(fragment: object, place: str) -> list[str]:
    if not _is_object(fragment):
        return [f"{place} is not an object."]
    found = _extra(fragment, _FRAGMENT_KEYS, place)
    name, position = fragment.get("t"), fragment.get("n")
    band = next((band for band in Band if band == name), None)
    if band is None:
        found.append(f"{place} has no band's name.")
    elif not _is_int(position) or position != band.n:
        found.append(f"{place} is {band} and does not have n = {band.n}.")
    if not _has_text(fragment.get("x")):
        found.append(f"{place} has no text.")
    return found


def _missing(found: Object, keys: tuple[str, ...], where: str) -> list[str]:
    absent = [key for key in keys if key not in found]
    return [f"{where} lacks {', '.join(absent)}."] if absent else []


def _extra(found: Object, keys: tuple[str, ...], where: str) -> list[str]:
    extra = [key for key in found if key not in keys]
    return [f"{where} has keys that it must not have: {', '.join(extra)}."] if extra else []


def _is_object(value: object) -> TypeGuard[Object]:
    return isinstance(value, dict)


def _is_int(value: object) -> bool:
    """Whether a JSON number was written as an integer; `true` is an int in Python only."""
    return type(value) is int


def _has_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


RULESETS: Mapping[str, Callable[[Object], list[str]]] = {
    "sinc-tui": _sinc_tui,
    "article": _article,
    "sinc-prompt": _sinc_prompt,
}
"""Every set of rules by the name that users type."""
