"""Scripts of every width beside one another, drawn by a terminal that counts cells in its own way.

It takes a joined family for six cells, a flag for one, an emoji with a skin tone for four.
"""

from __future__ import annotations

from collections import Counter

import pyte
import pytest

from sinc_tui.sinc.bands import Band
from sinc_tui.tui.widths import resynchronized
from tests.support.screen import Driver, running
from tests.support.waiting import until

WORDS = "日本語の文章 and Latin, שלום עולם, مرحبا, e\u0301te\u0301, नमस्ते, 👩‍👩‍👧 🏳️‍🌈 👍🏽 🇩🇪 1️⃣ ☺️ 한국어. "
TEXTS = dict.fromkeys(Band, (WORDS * 3).strip()) | {
    Band.CONSTRAINTS: (WORDS * 14).strip(),
    Band.TASK: "日本語のマニュアルを英語に訳してください。",
}
SIZES = {(200, 50): 6, (120, 35): 3, (80, 24): 1, (60, 20): 1}


def drawn(driver: Driver, size: tuple[int, int], *, safely: bool) -> pyte.Screen:
    """The whole screen as the other terminal shows it."""
    update = driver.screen._compositor.render_update(full=True)
    assert update is not None
    output = update.render_segments(driver.app.console)
    terminal = pyte.Screen(*size)
    terminal.reset_mode(pyte.modes.DECAWM)  # as Textual does
    pyte.Stream(terminal).feed(resynchronized(output) if safely else output)
    return terminal


def edges(terminal: pyte.Screen) -> Counter[int]:
    """In which columns the panels' left edges stand, and in how many rows each."""
    return Counter(
        column
        for row in range(terminal.lines)
        for column in range(terminal.columns)
        if terminal.buffer[row][column].data == "▌"
    )


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_no_column_moves(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        driver.editor.load_text(WORDS)
        driver.screen.action_run()
        await until(lambda: driver.engine.prompts)
        driver.engine.write(TEXTS)
        await until(lambda: driver.band(Band.TASK) == TEXTS[Band.TASK])
        await driver.pilot.pause()
        panels = {panel.region.x for panel in driver.screen.query("BandPanel")}
        assert len(panels) == SIZES[size]
        assert edges(drawn(driver, size, safely=True)).keys() == panels
        if SIZES[size] > 1:
            assert edges(drawn(driver, size, safely=False)).keys() != panels, "it proves nothing"
        right = {drawn(driver, size, safely=True).buffer[r][size[0] - 1].data for r in range(4)}
        assert right & {"│", "╮", " "}
