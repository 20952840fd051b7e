"""A page in headless Chromium, read from its terminal as text."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.ui import WebDriverWait

PROGRAMS = [shutil.which("chromium"), shutil.which("chromedriver")]
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
_CATCH_CLIENT = """
Object.defineProperty(Object.prototype, "websocket_url", {
  configurable: true,
  set(value) {
    window.client = this;
    Object.defineProperty(this, "websocket_url", {value});
  },
});
"""
"""Textual's script keeps its terminal to itself; its first assignment is caught to get at it."""
_READ = """
const terminal = window.client?.terminal;
if (!terminal) return "";
const buffer = terminal.buffer.active;
return [...Array(terminal.rows).keys()]
  .map(row => buffer.getLine(row)?.translateToString(true) ?? "").join("\\n");
"""


_FITS = """
const {terminal} = window.client, screen = terminal.element.querySelector(".xterm-screen");
const box = screen.getBoundingClientRect(), cell = box.height / terminal.rows;
return box.top >= 0 && box.bottom <= innerHeight && box.bottom > innerHeight - 2 * cell
  && box.right <= innerWidth && document.documentElement.scrollHeight <= innerHeight;
"""


class Page:
    """One window of a browser."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def text(self) -> str:
        """What the terminal in the page shows."""
        return cast(str, self.driver.execute_script(_READ))

    def wait_for(self, *words: str, seconds: float = 60.0) -> str:
        """The terminal's text as soon as it holds all words."""

        def seen(_driver: Chrome) -> str:
            text = self.text()
            return text if all(word in text for word in words) else ""

        try:
            return WebDriverWait(self.driver, seconds, 0.1).until(seen)
        except Exception as error:
            raise AssertionError(f"no {words} on the page:\n{self.text()}") from error

    def keys(self, *keys: str, held: str = "") -> None:
        """Press keys where the focus is, while another is `held`."""
        actions = ActionChains(self.driver)
        if held:
            actions.key_down(held)
        actions.send_keys(*keys)
        if held:
            actions.key_up(held)
        actions.perform()

    def wait_until(self, condition: Callable[[], object], seconds: float = 60.0) -> None:
        """Return when a condition holds; fail when it does not in time."""
        WebDriverWait(self.driver, seconds, 0.1).until(lambda _driver: condition())

    def fits(self) -> bool:
        """Whether the whole terminal is in the window, and all of the window is used."""
        return cast(bool, self.driver.execute_script(_FITS))

    def complaints(self) -> list[str]:
        """Errors of the page and what its security policy refused."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE"]  # fmt: skip

    def allow_clipboard(self, origin: str, *, allowed: bool = True) -> None:
        """Let pages of an origin read and write the clipboard, or not even write it."""
        for name in ("clipboard-write", "clipboard-read"):
            self.driver.execute_cdp_cmd(
                "Browser.setPermission",
                {
                    "permission": {"name": name, "allowWithoutSanitization": False},
                    "setting": "granted" if allowed else "denied",
                    "origin": origin,
                },
            )

    def fill_clipboard(self, text: str) -> None:
        """Put a text into the browser's clipboard."""
        script = "navigator.clipboard.writeText(arguments[0]).then(arguments[1])"
        self.driver.execute_async_script(script, text)

    def clipboard(self) -> str:
        """What the browser's clipboard holds."""
        script = "navigator.clipboard.readText().then(arguments[0], e => arguments[0]('! ' + e))"
        return cast(str, self.driver.execute_async_script(script))


@contextmanager
def chromium(profile: Path, width: int = 1440, height: int = 900) -> Iterator[Page]:
    """A browser with a profile of its own."""
    options = ChromeOptions()
    options.binary_location = PROGRAMS[0] or ""
    for flag in (*_FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
        options.add_argument(flag)
    driver = Chrome(options, ChromeService(PROGRAMS[1]))
    try:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _CATCH_CLIENT})
        yield Page(driver)
    finally:
        driver.quit()
