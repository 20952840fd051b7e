"""Names that are written to the letter."""

from __future__ import annotations

import pytest

from sinc_tui.engine.guards import NumberGuard
from sinc_tui.engine.names import NameGuard, without_names

NAMED = NameGuard("CV to werk@boothoek.example, see dst_edge_cases.py, C:\\tmp and src/App.vue pls")


@pytest.mark.parametrize(
    ("text", "allowed", "closes"),
    [
        ("Send it to werk@boothoek.example.", True, True),
        ("Send it to werk@boothoe", True, False),
        ("Send it to werk@boothoep", False, False),
        ("Look at dst_edge_", True, False),
        ("Look at dst_edge_ cases", False, False),
        ("Look at dst_edge_cases now.", True, True),
        ("Look at edge_cases.py", True, True),
        ("Look at ge_cases", False, False),
        ("look at APP.VUE", False, False),
        ("Src/App.vue is it", True, True),
        ("打开src/App.vue文件", True, True),
        ("Say and/or, e.g. this", True, True),
        ("Keep C:\\tmp", True, True),
        ("Keep tmp\\new", False, False),
        ("Say this/that", False, False),
        ("Keep 2.50. Go on", True, True),
        ("Name the fix. See the file", True, True),
    ],
)
def test_names_are_the_prompts(text: str, allowed: bool, closes: bool) -> None:
    assert NAMED.allows(text) is allowed
    assert NAMED.closes(text) is closes


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("Send it to werk@booth", ["oek.example"]),
        ("See dst_edge_", ["cases.py"]),
        ("See dst_edge_cases.py", []),
        ("See", []),
        ("", []),
    ],
)
def test_how_a_name_goes_on(text: str, ways: list[str]) -> None:
    assert NAMED.ways_on(text) == ways


def test_a_name_goes_on_as_typed_wherever_it_begins_so() -> None:
    guard = NameGuard("My_File.TXT, src/app.py and src/apt.py")
    assert guard.ways_on("see My_") == ["File.TXT"]
    assert guard.ways_on("see src/ap") == ["p.py", "t.py"]


def test_the_words_around_a_name_in_scripts_without_blanks() -> None:
    guard = NameGuard("data.csv를 열어 줘")
    assert guard.closes("Open data.csv now.")
    assert guard.ways_on("Open data.c") == ["sv"]


def test_digits_within_a_name_are_not_counted() -> None:
    assert without_names("Use report_2024.csv, not 2.50 of it") == "Use  , not 2.50 of it"
    guard = NumberGuard("sum report_2024.csv", sparing=True)
    assert guard.allows("Use report_2024.csv, keep report_2024.csv as typed")


def test_a_text_of_one_long_word_ends() -> None:
    """With a regular expression that goes back over the word, looking takes hours."""
    assert NameGuard("x").allows("字" * 1_000_000 + "a" * 1_000_000)
