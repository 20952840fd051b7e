"""Three sets of rules; sinc-prompt's own verdicts are the judge of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sinc_prompt
from hypothesis import given, settings
from hypothesis import strategies as st

from sinc_tui.sinc.bands import FORMULA_SPELLINGS, Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.sinc.rulesets import RULESETS, problems
from tests.sinc.conftest import TEXTS

CASES = json.loads(Path(__file__).with_name("data").joinpath("sinc_cases.json").read_text())
Json = dict[str, Any]


def fresh() -> Json:
    raw: Json = json.loads(SincDocument.from_bands(TEXTS).model_dump_json())
    return raw


def verdicts(raw: object) -> dict[str, bool]:
    text = raw if isinstance(raw, str) else json.dumps(raw)
    return {rules: not problems(text, rules) for rules in RULESETS}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_sinc_prompt_verdicts_agree_with_recorded_ones(case: Json) -> None:
    document = case["document"]
    text = document if isinstance(document, str) else json.dumps(document)
    assert (problems(text, "sinc-prompt") == []) == case["sinc_prompt_valid"]


def test_a_document_as_it_is_written_passes_all() -> None:
    assert verdicts(fresh()) == {"sinc-tui": True, "article": True, "sinc-prompt": True}


def _swap(raw: Json) -> None:
    raw["fragments"][0], raw["fragments"][1] = raw["fragments"][1], raw["fragments"][0]


CHANGES: list[tuple[str, Callable[[Json], object], set[str]]] = [
    ("sigma formula", lambda r: r.update(formula=FORMULA_SPELLINGS[2]), set()),
    ("other formula", lambda r: r.update(formula="E = mc²"), {"sinc-tui"}),
    ("no formula", lambda r: r.pop("formula"), {"sinc-tui", "article", "sinc-prompt"}),
    ("other T", lambda r: r.update(T="time"), {"sinc-tui"}),
    ("no T", lambda r: r.pop("T"), {"sinc-tui", "sinc-prompt"}),
    ("extra key", lambda r: r.update(_snr=1), {"sinc-tui", "sinc-prompt"}),
    ("extra fragment key", lambda r: r["fragments"][1].update(z=1), {"sinc-tui", "sinc-prompt"}),
    ("order", _swap, {"sinc-tui", "article"}),
    ("five bands", lambda r: r["fragments"].pop(), {"sinc-tui", "article"}),
    ("wrong n", lambda r: r["fragments"][0].update(n=3), {"sinc-tui", "sinc-prompt"}),
    ("n true", lambda r: r["fragments"][1].update(n=True), {"sinc-tui", "sinc-prompt"}),
    ("n float", lambda r: r["fragments"][1].update(n=1.0), {"sinc-tui", "sinc-prompt"}),
    ("blank", lambda r: r["fragments"][0].update(x=" "), {"sinc-tui", "sinc-prompt"}),
    ("short", lambda r: r["fragments"][3].update(x="Be brief."), {"sinc-tui", "article"}),
    ("two tasks", lambda r: r["fragments"][5].update(x="Do it. Stop."), {"sinc-tui"}),
    ("lone surrogate", lambda r: r["fragments"][2].update(x="\ud83d"), {"sinc-tui"}),
    (
        "number as text",
        lambda r: r["fragments"][2].update(x=1),
        {"sinc-tui", "article", "sinc-prompt"},
    ),
    ("object", lambda r: r.update(fragments={}), {"sinc-tui", "article", "sinc-prompt"}),
]


@pytest.mark.parametrize(
    ("change", "refusing"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES]
)
def test_who_refuses_what(change: Callable[[Json], object], refusing: set[str]) -> None:
    raw = fresh()
    change(raw)
    assert {rules for rules, valid in verdicts(raw).items() if not valid} == refusing


@pytest.mark.parametrize("text", ["", "[]", "null", "3", '"x"', "{", "{} x", "\ufeff{}"])
def test_what_is_no_object_is_refused_by_all(text: str) -> None:
    assert not any(verdicts(text).values())


def test_repeated_keys_are_refused_by_the_strictest_only() -> None:
    text = json.dumps(fresh()).replace('"T": ', '"T": "x", "T": ', 1)
    assert verdicts(text) == {"sinc-tui": False, "article": True, "sinc-prompt": True}


def test_all_reasons_are_given() -> None:
    raw = fresh()
    raw["fragments"][3]["x"], raw["fragments"][5]["x"] = "Short.", "Do it. Stop."
    found = problems(json.dumps(raw))
    assert len(found) == 2
    assert "CONSTRAINTS has 6 characters" in found[0]
    assert "TASK has 2 sentences" in found[1]


VALUES = st.sampled_from(
    [None, True, False, 0, 1, 3, 5, 6, -1, 1.0, 1e400, "", " ", "\n", "x", "PERSONA", "TASK",
     "TASK_ARCHIVED", "task", "\u200b", "\x1c", "\u3000", "\ud83d", [], {}, [1], {"n": 0}]
)  # fmt: skip
PATHS = st.sampled_from(
    [(key,) for key in ("formula", "T", "fragments", "_snr")]
    + [("fragments", n, key) for n in range(6) for key in ("n", "t", "x", "zone")]
    + [("fragments", n) for n in range(6)]
)
MUTATIONS = st.lists(
    st.tuples(st.sampled_from(["set", "drop", "swap", "copy"]), PATHS, PATHS, VALUES), max_size=3
)


def holder(raw: Json, path: tuple[Any, ...]) -> Any:
    """The container of the path's last key, None where an earlier mutation took it away."""
    found: Any = raw
    for key in path[:-1]:
        try:
            found = found[key]
        except (KeyError, IndexError, TypeError):
            return None
    fits = isinstance(found, list) if isinstance(path[-1], int) else isinstance(found, dict)
    return found if fits else None


def mutate(raw: Json, kind: str, path: tuple[Any, ...], other: tuple[Any, ...], value: Any) -> None:
    place, key = holder(raw, path), path[-1]
    if place is None or (isinstance(place, list) and key >= len(place)):
        return
    if kind == "set":
        place[key] = value
    elif kind == "drop" and (isinstance(place, list) or key in place):
        del place[key]
    elif kind == "copy" and isinstance(place, list):
        place.append(place[key])
    elif kind == "swap" and isinstance(place, list) and other[-1] in range(len(place)):
        place[key], place[other[-1]] = place[other[-1]], place[key]


@settings(max_examples=600, deadline=None)
@given(MUTATIONS)
def test_sinc_prompt_itself_agrees_on_mutated_documents(
    mutations: list[tuple[str, tuple[Any, ...], tuple[Any, ...], Any]],
) -> None:
    raw = fresh()
    for mutation in mutations:
        mutate(raw, *mutation)
    text = json.dumps(raw)
    valid, _ = sinc_prompt.validate(text)
    ours = verdicts(text)
    assert ours["sinc-prompt"] == valid, problems(text, "sinc-prompt")
    if ours["sinc-tui"]:
        assert ours["article"]
        assert valid
        assert [fragment["t"] for fragment in raw["fragments"]] == list(Band)
