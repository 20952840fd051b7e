"""Make the README's picture: `python tests/support/screenshot.py PROMPT OUTPUT.svg [COLUMNSxROWS]`.

Runs the real app with the default model, without a terminal, and saves the screen when it is finished.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import cast

from sinc_tui.rewriter import Rewriter
from sinc_tui.tui.app import SincApp
from sinc_tui.tui.screens.main import MainScreen
from sinc_tui.tui.state import Phase
from tests.support.waiting import until


async def picture(prompt: str, size: tuple[int, int]) -> str:
    """The finished screen as SVG."""
    app = SincApp(lambda: Rewriter())
    async with app.run_test(size=size) as pilot:
        screen = cast(MainScreen, app.screen)
        await pilot.press(*("space" if character == " " else character for character in prompt))
        await pilot.press("enter")
        await until(lambda: screen.state.phase in (Phase.FINISHED, Phase.FAILED), seconds=300)
        assert screen.state.phase is Phase.FINISHED, screen.state.error
        await pilot.pause(0.5)  # the last drawing comes a frame after the last event
        return app.export_screenshot(title="sinc-tui")


if __name__ == "__main__":
    columns, rows = (sys.argv[3] if len(sys.argv) > 3 else "120x35").split("x")
    svg = asyncio.run(picture(sys.argv[1], (int(columns), int(rows))))
    Path(sys.argv[2]).write_text(svg, encoding="utf-8")
