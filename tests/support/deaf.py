"""A listener that nobody reads."""

from __future__ import annotations

from sinc_tui.sinc.bands import Band


class Deaf:
    """Hears nothing."""

    def delta(self, band: Band, text: str) -> None: ...

    def band_end(self, band: Band, text: str) -> None: ...
