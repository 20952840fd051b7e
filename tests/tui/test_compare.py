"""Comparing: the prompt beside the result, and one result beside another."""

from __future__ import annotations

from textual.widgets import Static

from sinc_tui.sinc.bands import Band
from sinc_tui.tui.screens.compare import CompareScreen
from tests.support.screen import Driver, running
from tests.support.scripted_worker import TEXTS
from tests.support.waiting import until
from tests.tui.test_editing import finish, finished


def shown(driver: Driver) -> list[Static]:
    return list(driver.app.screen.query("#compare .pair Static").results(Static))


def styled(static: Static, style: str) -> list[str]:
    """The stretches of a text in a style."""
    content = static.content
    return [content.plain[s.start : s.end] for s in content.spans if style in str(s.style)]  # type: ignore[union-attr]


async def test_prompt_beside_result_then_result_beside_result() -> None:
    async with running((80, 24)) as driver:
        await finished(driver, "fix line 3 of app.py")
        await driver.pilot.press("ctrl+t")
        await until(lambda: len(driver.engine.prompts) == 2)
        await finish(driver, TEXTS | {Band.TASK: "Mend line 3 of the code."})
        await driver.pilot.press("f9")
        await until(lambda: isinstance(driver.app.screen, CompareScreen))
        left, right = shown(driver)[2:]
        assert styled(left, "strike") == ["app.py"]
        assert styled(left, "underline") == ["3"]
        assert all(text in str(right.content) for text in TEXTS.values() if "Fix" not in text)
        await driver.pilot.press("right")
        await until(lambda: len(shown(driver)) == 14)
        old, new = shown(driver)[12:]
        assert (styled(old, "strike"), styled(new, "underline")) == (["Fix"], ["Mend"])
        assert "PERSONA =" in str(shown(driver)[2].content)
        await driver.pilot.press("right", "escape")
        await until(lambda: driver.app.screen is driver.screen)
