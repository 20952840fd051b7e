"""The app in a real browser: type, run, read the six bands, copy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("selenium", reason="selenium is not installed")

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from sinc_tui.sinc.bands import Band
from tests.server.conftest import Served
from tests.support.chromium import PROGRAMS, Page, chromium
from tests.support.scripted_worker import TEXTS

pytestmark = pytest.mark.skipif(
    not all(PROGRAMS), reason="Chromium and its driver are not installed (chromium, chromedriver)"
)

FIRST_WORDS = [" ".join(text.split()[:2]) for text in TEXTS.values()]


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with chromium(tmp_path / "profile") as page:
        yield page


@pytest.fixture
def served(serve: Callable[..., Served], page: Page) -> Served:
    """The app is open in the page, and ready."""
    served = serve()
    page.driver.get(served.address)
    page.wait_for("ready")
    return served


def test_type_run_read_copy(served: Served, page: Page) -> None:
    """Without a click: the page has the focus. The clipboard is the browser's."""
    page.keys("naïve 日本: fix line 3")
    page.keys(Keys.ENTER)
    page.wait_for("finished", "naïve 日本: fix line 3", *FIRST_WORDS, *(f"✓ {b}" for b in Band))
    page.allow_clipboard(served.origin)
    page.keys("y", held=Keys.CONTROL)
    page.wait_for("JSON: sent to the browser's clipboard.", "clipboard.txt")
    page.wait_until(page.clipboard)
    document = json.loads(page.clipboard())
    assert [fragment["x"] for fragment in document["fragments"]] == list(TEXTS.values())
    assert "Σ x(nT)" in document["formula"]
    saved = (served.home / "STATE" / "sinc-tui" / "clipboard.txt").read_text()
    assert json.loads(saved) == document
    assert page.complaints() == []


def test_keys_that_browsers_keep_have_others(served: Served, page: Page) -> None:
    page.keys("one")
    page.keys(Keys.ENTER)
    page.wait_for("finished", FIRST_WORDS[5])
    page.keys("t", held=Keys.ALT)
    page.wait_for("result 2/2")
    page.keys("n", held=Keys.ALT)
    page.wait_for("Prompt cleared")
    page.wait_until(lambda: FIRST_WORDS[5] not in page.text())


def test_pasting_keeps_lines_and_runs_nothing(served: Served, page: Page) -> None:
    page.allow_clipboard(served.origin)
    page.fill_clipboard("one\ntwo – Σ\nthree")
    page.keys("v", held=Keys.CONTROL)
    assert "ready" in page.wait_for("│ one", "│ two – Σ", "│ three")


def test_a_refused_clipboard_offers_a_button(served: Served, page: Page) -> None:
    """The app cannot know; the page says so, and a click copies."""
    page.keys("x")
    page.keys(Keys.ENTER)
    page.wait_for("finished")
    refused = page.driver.find_element(By.ID, "refused")
    assert not refused.is_displayed()
    page.allow_clipboard(served.origin, allowed=False)
    page.keys("y", held=Keys.CONTROL)
    page.wait_until(refused.is_displayed)
    page.allow_clipboard(served.origin)
    page.driver.find_element(By.ID, "copy").click()
    page.wait_until(lambda: not refused.is_displayed())
    assert json.loads(page.clipboard())["fragments"][5]["x"] == TEXTS[Band.TASK]


def test_reloading_keeps_the_prompt(served: Served, page: Page) -> None:
    page.keys("half a thought")
    page.wait_for("half a thought")
    page.driver.refresh()
    page.wait_for("ready", "half a thought", "This is the prompt you left")


def test_quitting_says_so_and_starts_again(served: Served, page: Page) -> None:
    page.keys("q", held=Keys.ALT)
    ended = page.driver.find_element(By.ID, "ended")
    page.wait_until(ended.is_displayed)
    page.driver.find_element(By.ID, "restart").click()
    page.wait_for("ready")


def test_all_rows_are_in_the_window_at_every_size(served: Served, page: Page) -> None:
    """The layout follows the window; the last line is whole."""
    for width, height in ((1700, 1000), (1100, 800), (800, 700)):
        page.driver.set_window_size(width, height)
        page.wait_until(page.fits)
        page.wait_for("PERSONA", "⏎ Run")


def test_a_download_finds_its_way(served: Served, page: Page, tmp_path: Path) -> None:
    """Textual's own script asks for it at the root, where the key is missing."""
    folder = tmp_path / "downloads"
    page.driver.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)}
    )
    page.keys("p", held=Keys.CONTROL)
    page.wait_for("Search for commands")
    page.keys("screenshot")
    page.wait_for("Save an SVG")
    page.keys(Keys.ENTER)
    page.wait_until(lambda: list(folder.glob("*.svg")))
    assert "<svg" in next(folder.glob("*.svg")).read_text()
