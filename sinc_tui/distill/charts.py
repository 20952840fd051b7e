"""Bar charts as SVG text, without a plotting library: they stand in a report and in a README."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F7F7F", "#F0E442")
"""Told apart with every kind of colour vision (Okabe and Ito, Color Universal Design)."""

_BAR, _GAP, _RIGHT = 16, 14, 70
_FONT = "font-family='system-ui,-apple-system,Segoe UI,sans-serif' font-size='13'"
_CHARACTER = 7.2
"""Width of a character in the legend, in user units: an estimate that errs on the wide side."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its length as a share of the axis, what is written at its end, and whiskers.

    Attributes:
        value: 0 to 1; None draws no bar.
        spread: from where to where a thin line reaches, shares of the axis.
    """

    value: float | None
    label: str
    spread: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The bars of one row, one for each series."""

    title: str
    bars: Sequence[Bar]


def bar_chart(
    title: str, series: Sequence[str], groups: Sequence[Group], *, width: int = 900
) -> str:
    """A chart with a row for each group and a bar for each series, as an SVG element."""
    legend, top = _legend(series, width)
    left = round(24 + _CHARACTER * max((len(group.title) for group in groups), default=0))
    plot = width - left - _RIGHT
    parts: list[str] = []
    y = top
    for group in groups:
        parts.append(_row_title(group.title, left, y + _BAR * len(group.bars) / 2))
        for index, bar in enumerate(group.bars):
            colour = COLOURS[index % len(COLOURS)]
            parts.append(_bar(bar, colour, left, y + index * _BAR, plot))
        y += _BAR * len(group.bars) + _GAP
    grid = _grid(top - 6, y - _GAP + 2, left, plot)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {y + 6}' width='{width}' "
        f"height='{y + 6}' role='img' aria-label='{escape(title, quote=True)}' {_FONT}>"
        f"<title>{escape(title)}</title><rect width='100%' height='100%' fill='#ffffff'/>"
        f"<text x='12' y='24' font-size='16' font-weight='600' fill='#1a1a1a'>{escape(title)}</text>"
        f"{legend}{grid}{''.join(parts)}</svg>"
    )


def _legend(series: Sequence[str], width: int) -> tuple[str, int]:
    """The names of the series, broken into lines, and where the plot begins."""
    parts: list[str] = []
    x, y = 12.0, 42
    for index, name in enumerate(series):
        needed = 24 + len(name) * _CHARACTER
        if x > 12 and x + needed > width:
            x, y = 12.0, y + 20
        colour = COLOURS[index % len(COLOURS)]
        parts.append(
            f"<rect x='{x:.0f}' y='{y}' width='12' height='12' rx='2' fill='{colour}'/>"
            f"<text x='{x + 17:.0f}' y='{y + 11}' fill='#333333'>{escape(name)}</text>"
        )
        x += needed
    return "".join(parts), y + 34


def _grid(top: int, bottom: int, left: int, plot: int) -> str:
    lines = [
        f"<line x1='{left + plot * i / 4:.1f}' x2='{left + plot * i / 4:.1f}' y1='{top}' y2='{bottom}' "
        f"stroke='#e3e3e3'/>"
        for i in range(5)
    ]
    return "".join(lines)


def _row_title(title: str, left: int, middle: float) -> str:
    return (
        f"<text x='{left - 10}' y='{middle + 4:.1f}' text-anchor='end' fill='#1a1a1a'>"
        f"{escape(title)}</text>"
    )


def _bar(bar: Bar, colour: str, left: int, y: float, plot: int) -> str:
    length = plot * min(1.0, max(0.0, bar.value or 0.0))
    shape = (
        f"<rect x='{left}' y='{y + 2:.1f}' width='{length:.1f}' height='{_BAR - 4}' rx='2' "
        f"fill='{colour}'/>"
    )
    end = length
    whiskers = ""
    if bar.spread:
        low, high = (plot * min(1.0, max(0.0, edge)) for edge in bar.spread)
        end = max(length, high)
        middle = y + _BAR / 2
        whiskers = (
            f"<line x1='{left + low:.1f}' x2='{left + high:.1f}' y1='{middle:.1f}' "
            f"y2='{middle:.1f}' stroke='#1a1a1a' stroke-width='1.5'/>"
        )
    text = (
        f"<text x='{left + end + 6:.1f}' y='{y + 12:.1f}' font-size='11' fill='#333333'>"
        f"{escape(bar.label)}</text>"
    )
    return (shape if bar.value is not None else "") + whiskers + text
