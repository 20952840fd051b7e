"""The models screen, driven by keys, on a store and engines in the test's hands."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widgets import Input, OptionList, Static

from sinc_tui import paths, settings
from sinc_tui.engine import speeds
from sinc_tui.errors import SincError
from sinc_tui.models.download import Progress
from sinc_tui.tui.commands import SincCommands
from sinc_tui.tui.model_rows import Columns, head
from sinc_tui.tui.screens.help import HelpScreen
from sinc_tui.tui.screens.main import MainScreen
from sinc_tui.tui.screens.models import ModelsScreen
from sinc_tui.tui.screens.settings import SettingsScreen
from sinc_tui.tui.shelf import Entry, Presence
from tests.support.models_screen import running
from tests.support.scripted_shelf import PLACE, SMALL, TINY, ScriptedShelf
from tests.support.waiting import until


async def test_what_is_here_and_what_fits() -> None:
    async with running() as models:
        await models.open()
        await models.sees("tiny", "● in use")
        for name, words in {
            "tiny": ("✓ fits", "Apache-2.0", "135M"),
            "small": ("491 MB to download", "✓ fits"),
            "full": ("4.7 GB to download", "✗ no"),
        }.items():
            assert all(word in models.row(name) for word in words), models.row(name)
        await models.go("full")
        assert "Needs about 8.8 GiB of memory; this machine has 8.0 GiB." in models.details()
        assert "4.7 GB are to be downloaded, and the disk has 77 GB free." in models.details()
        assert "Untrained for this job" in models.details()
        await models.go("small")
        assert "Untrained" not in models.details()
        await models.press("escape")
        await until(lambda: models.app.screen is models.screen)


async def test_the_loaded_model_is_measured_once_and_remembered() -> None:
    async with running() as models:
        await models.open()
        await models.sees("tiny", "137 tok/s")
        assert "137 tokens/s, measured on this machine." in models.details()
        await models.go("small")
        await models.sees("small", "~40 tok/s")
        assert "estimated from tiny's measured 137 by size" in models.details()
        (kept,) = speeds.read(paths.speeds())
        assert kept == speeds.Measurement(PLACE.id, "tiny", 144_000_000, 137.0)
        await models.press("escape")
        await models.open()
        await models.sees("tiny", "137 tok/s")
        assert models.engine.measured == 1
        models.engine.speed = 99.0
        await models.go("tiny")
        await models.press("m")
        await models.sees("tiny", "99 tok/s")
        assert speeds.read(paths.speeds()) == [replace(kept, tokens_per_second=99.0)]


async def test_measuring_gives_way_and_fails_in_words() -> None:
    async with running() as models:
        models.engine.speed = SincError("It cannot be measured.", hint="Load it again.")
        await models.open()
        await until(lambda: models.said() == "It cannot be measured. Load it again.")
        assert "Speed not measured yet. m measures it." in models.details()
        await models.go("small")
        await models.press("m")
        assert models.said() == "Only the model in use can be measured. d downloads it."
        await models.press("escape")
        models.engine.speed = None
        await models.run("fix line 3")
        await models.open()
        await models.press("m")
        assert "A run is under way." in models.said()
        assert models.engine.measured == 1


async def test_download_pause_go_on_and_use() -> None:
    async with running() as models:
        await models.open()
        await models.go("small")
        await models.press("d")
        await models.sees("small", "asking the server")
        fetch = await models.fetch()
        fetch.arrived(SMALL * 43 // 100, speed=12.1e6)
        await models.sees("small", "↓ 42% · 12 MB/s · 0:23 left")
        assert "It goes on while you write." in models.details()
        fetch.say(Progress("waiting", "a", 0, SMALL, note="Another sinc-tui fetches it."))
        await until(lambda: "Another sinc-tui fetches it." in models.details())
        fetch.arrived(SMALL * 43 // 100)
        await models.press("p")
        await models.sees("small", "■ paused at 42%")
        assert fetch.cancelled
        await models.press("enter")
        assert "small is not ready to be used." in models.said()
        await models.press("d")
        fetch = await models.fetch(2)
        fetch.say(Progress("checking", "a", SMALL, SMALL))
        await models.sees("small", "checking 100%")
        models.shelf.put("small", presence=Presence.HERE, removable=SMALL)
        fetch.finish()
        await models.sees("small", "✓ here")
        said = "small is here. Nothing is known to compare it with. ⏎ uses it."
        await until(lambda: models.said() == said)
        await models.press("enter")
        await models.sees("small", "● in use")
        assert models.engine.closed
        info = models.screen.state.info
        assert info is not None
        assert info.name == "small"
        await models.sees("tiny", "✓ here")
        assert settings.load(paths.settings_file()).settings.model == "small"
        await models.sees("small", "137 tok/s")


async def test_downloads_go_on_behind_the_prompt() -> None:
    async with running() as models:
        await models.open()
        await models.go("small")
        await models.press("d")
        (await models.fetch()).arrived(SMALL // 2, speed=1e6)
        await models.sees("small", "50%")
        await models.press("escape")
        await until(lambda: "↓ small 50%" in models.status())
        models.shelf.put("small", presence=Presence.HERE)
        models.shelf.fetches[0].finish()
        await until(lambda: "small is here." in models.notice("notice"))
        assert "↓" not in models.status()
        await models.open()
        await models.go("medium")
        await models.press("d", "escape")
        (await models.fetch(2)).fail(SincError("No network.", hint="Look after it."))
        said = "medium: No network. Look after it. F11 shows the models."
        await until(lambda: models.notice("notice") == said)
        await models.open()
        await models.go("medium")
        assert "✗ failed" in models.row("medium")
        assert "✗ No network." in models.details()
        assert "Look after it." in models.details()


async def test_leaving_the_app_pauses_downloads() -> None:
    async with running() as models:
        await models.open()
        await models.go("small")
        await models.press("d")
        fetch = await models.fetch()
    assert fetch.cancelled


async def test_removing_asks_first() -> None:
    shelf = ScriptedShelf()
    shelf.put("small", presence=Presence.HERE, removable=SMALL)
    shelf.put("medium", presence=Presence.PARTLY, partial=480_000_000)
    async with running(shelf) as models:
        await models.open()
        await models.go("small")
        await models.press("x")
        assert models.said() == "Delete small (491 MB)? x again deletes it."
        await models.press("down")
        assert models.said() == ""
        assert "■ paused at 42%" in models.row("medium")
        await models.press("up", "x")
        assert ("remove", "small") not in shelf.calls
        await models.press("x")
        await models.sees("small", "491 MB to download")
        assert models.said() == "small was removed; 491 MB are free again."
        await models.go("medium")
        await models.press("x", "x")
        await models.sees("medium", "1.1 GB to download")
        await models.press("x")
        assert models.said() == "There is nothing of medium to remove."
        await models.go("tiny")
        await models.press("x")
        assert models.said() == "tiny is in use. Use another one first."


async def test_removing_a_download_under_way_cancels_it() -> None:
    async with running() as models:
        await models.open()
        await models.go("small")
        await models.press("d")
        fetch = await models.fetch()
        await models.press("x", "x")
        await until(lambda: ("remove", "small") in models.shelf.calls)
        assert fetch.cancelled
        await models.sees("small", "491 MB to download")


async def test_a_download_that_brought_nothing_leaves_nothing_to_remove() -> None:
    async with running() as models:
        await models.open()
        await models.go("small")
        await models.press("d")
        (await models.fetch()).fail(SincError("No network."))
        await models.sees("small", "✗ failed")
        await models.press("x")
        assert models.said() == "There is nothing of small to remove."


async def test_keys_that_have_nothing_to_do() -> None:
    async with running() as models:
        await models.open()
        await models.press("enter")
        assert models.said() == "tiny is in use."
        await models.press("d")
        assert models.said() == "tiny is here already."
        await models.press("p")
        assert models.said() == "There is no download to pause."


async def test_add() -> None:
    async with running() as models:
        await models.open()
        models.shelf.trouble["add"] = SincError("That names no model.", hint="Write a path.")
        await models.press("a", *"abc", "enter")
        notice = models.app.screen.query_one("#add-notice")
        await until(lambda: getattr(notice, "text", "") == "That names no model. Write a path.")
        await models.press("d")
        assert getattr(notice, "text", "") == ""
        assert models.app.screen.query_one(Input).value == "abcd"
        await models.press("enter")
        await until(lambda: isinstance(models.app.screen, ModelsScreen))
        await models.sees("abcd", "to download")
        assert models.said() == "abcd is in the list."
        assert models.top.query_one(OptionList).highlighted_option.id == "abcd"  # type: ignore[union-attr]


async def test_a_store_that_cannot_be_read_is_told() -> None:
    shelf = ScriptedShelf()
    shelf.trouble["entries"] = SincError("models.toml is no catalogue.", hint="Mend it.")
    async with running(shelf) as models:
        await models.press("f11")
        await until(lambda: isinstance(models.app.screen, ModelsScreen))
        await until(lambda: models.said() == "models.toml is no catalogue. Mend it.")
        await models.press("enter", "d", "p", "m", "v", "x")
        assert "…" in models.details()


async def test_names_that_would_act_on_the_terminal() -> None:
    hostile = Entry(
        "hf:o/\x1b[31mred\u202e/" + "x" * 60 + ".gguf",
        Presence.DAMAGED,
        "[bold]about[/] \x07",
        "[red]licence",
        problem="[/]broken\nin two",
    )
    async with running(ScriptedShelf(hostile)) as models:
        await models.open()
        text = models.row(hostile.name) + models.details()
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "[bold]about[/]" in text
        assert "…" in models.row(hostile.name)


@pytest.mark.parametrize("names", [["tiny"], ["a", "hf:owner/repository/" + "long" * 9 + ".gguf"]])
def test_no_row_is_wider_than_the_window(names: list[str]) -> None:
    entries = [Entry(name, Presence.ABSENT) for name in names]
    for width in range(20, 240):
        columns = Columns.of(entries, width)
        assert head(columns).cell_length <= width
        assert columns.speed or width < 50
        assert columns.name >= 8


async def test_rows_are_whole_in_the_smallest_window() -> None:
    long = Entry("hf:owner/repository/" + "x" * 60 + ".gguf", Presence.ABSENT, size=SMALL)
    async with running(ScriptedShelf(TINY, long), size=(60, 20)) as models:
        await models.open()
        await models.sees("tiny", "137 tok/s")
        options = models.top.query_one(OptionList)
        assert "491 MB to download" in models.row(long.name)
        assert options.virtual_size.height == 2, "a line for each model"


async def test_columns_follow_the_width() -> None:
    async with running(size=(80, 24)) as models:
        await models.open()
        assert "Apache-2.0" not in models.row("small")
        assert "F1 all keys" in str(models.top.query_one("#models").border_subtitle)
        await models.pilot.resize_terminal(200, 50)
        await models.sees("small", "Apache-2.0")
        await models.sees("small", "0.5B parameters: better text, slower. Recommended.")
        assert "x remove" in str(models.top.query_one("#models").border_subtitle)


async def test_the_key_is_in_help_and_palette() -> None:
    async with running() as models:
        commands = SincCommands(models.screen)
        assert "Models" in [binding.description for binding in commands._bindings()]
        await models.open()
        await models.press("f1")
        await until(lambda: isinstance(models.app.screen, HelpScreen))
        words = " ".join(str(row.render()) for row in models.app.screen.query(Static))
        for what in ("Use this model from now on", "Pause its download", "Measure the loaded one"):
            assert what in words


async def test_the_settings_lead_there() -> None:
    async with running() as models:
        await models.press("f10")
        await until(lambda: isinstance(models.app.screen, SettingsScreen))
        options = models.app.screen.query_one("#rows", OptionList)
        options.highlighted = options.get_option_index("model")
        await models.press("enter")
        await models.ready()
        assert isinstance(models.app.screen_stack[0], MainScreen)
