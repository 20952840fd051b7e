"""The models as lines of text: a row of columns for each, and the sentences about one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from sinc_tui.engine.fitting import Verdict
from sinc_tui.sinc.controls import one_line
from sinc_tui.sizes import clock, on_disk
from sinc_tui.tui.downloads import Stage, Transfer
from sinc_tui.tui.literal import visible
from sinc_tui.tui.model_room import ModelRoom, way_to
from sinc_tui.tui.shelf import Entry, Presence
from sinc_tui.tui.theme import MUTED

_GAP = 2
_LEAST_ABOUT = 24
"""Cells below which a column of text is not worth having."""
_NAMES = (8, 28)
"""The least and the most cells of the first column."""
_LEAST_STATE = 18
"""Cells of the second one below which the speed gives way to it."""
_VERDICTS = {
    Verdict.FITS: ("✓", "$success"),
    Verdict.TIGHT: ("!", "$warning"),
    Verdict.NO: ("✗", "$error"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A text with its style."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """Cells of each column, 0 for one that has no room."""

    name: int
    state: int = 31
    fits: int = 7
    speed: int = 11
    licence: int = 0
    about: int = 0

    @classmethod
    def of(cls, entries: Iterable[Entry], width: int) -> Columns:
        """What fits into a width; the columns that matter least go first."""
        least, most = _NAMES
        name = min(most, max([least, *(cell_len(one_line(entry.name)) for entry in entries)]))
        columns = cls(name)
        columns = replace(columns, name=max(least, name - columns._excess(width)))
        columns = replace(columns, state=max(_LEAST_STATE, columns.state - columns._excess(width)))
        if columns._excess(width):
            columns = cls(least, speed=0)
            columns = replace(columns, state=max(1, columns.state - columns._excess(width)))
        rest = width - columns._total - _GAP
        licence = 12 if rest >= 12 + _GAP else 0
        rest -= licence + _GAP if licence else 0
        about = rest - _GAP if rest - _GAP >= _LEAST_ABOUT else 0
        return replace(columns, licence=licence, about=about)

    @property
    def widths(self) -> list[int]:
        """Of the columns that are shown."""
        every = (self.name, self.state, self.fits, self.speed, self.licence, self.about)
        return [width for width in every if width]

    @property
    def _total(self) -> int:
        return sum(self.widths) + _GAP * (len(self.widths) - 1)

    def _excess(self, width: int) -> int:
        return max(0, self._total - width)

    def line(self, cells: Sequence[Cell]) -> Content:
        """The cells side by side, cut or filled up to their columns."""
        parts = [
            Content.styled(_fitted(cell.text, width), cell.style)
            for cell, width in zip(cells, self.widths, strict=False)
        ]
        return Content(" " * _GAP).join(parts)


def head(columns: Columns) -> Content:
    """What the columns are."""
    names = ("Model", "On this machine", "Fits", "Speed", "Licence", "About")
    return columns.line([Cell(name, MUTED) for name in names])


def row(room: ModelRoom, entry: Entry, columns: Columns) -> Content:
    """One model's line."""
    expected = room.expected(entry)
    cells = [
        Cell(one_line(entry.name), "bold"),
        state(room, entry),
        _fits(room, entry),
        Cell(expected.brief, "" if expected.measured else MUTED) if expected else Cell("–", MUTED),
        Cell(one_line(entry.licence or "unknown"), MUTED),
        Cell(one_line(entry.about), MUTED),
    ]
    return columns.line(cells)


def state(room: ModelRoom, entry: Entry) -> Cell:
    """Where a model is, or how far it is on its way."""
    if word := room.busy.get(entry.name):
        return Cell(f"◌ {word}", "$secondary")
    if transfer := room.downloads[entry.name]:
        cell = _transfer(transfer)
        if cell is not None:
            return cell
    if room.in_use(entry):
        return Cell("● in use", "bold $primary")
    if room.loading and entry.name == (room.coming or room.chosen):
        return Cell(f"◌ loading {room.share:.0%}", "$secondary")
    if entry.presence is Presence.HERE:
        return Cell("✓ here", "$success")
    if entry.presence is Presence.DAMAGED:
        return Cell("✗ damaged", "$error")
    if entry.presence is Presence.GONE:
        return Cell("✗ file is gone", "$error")
    if entry.presence is Presence.PARTLY:
        return Cell(f"■ paused at {_share(entry)}", "$warning")
    if entry.package:
        return Cell("not installed", MUTED)
    return Cell(f"{on_disk(entry.size)} to download" if entry.size else "to download", MUTED)


def details(room: ModelRoom, entry: Entry) -> list[Content]:
    """The sentences about one model: what it is, why it fits or not, how fast, what can be done."""
    about = [entry.about, f"{entry.licence}." if entry.licence else "Licence unknown."]
    if not entry.trained:
        about.append("Untrained for this job: its own chat template and a worked example.")
    lines = [
        Content.assemble(
            (visible(one_line(entry.name)), "bold"),
            "  ",
            (visible(one_line(" ".join(filter(None, about)))), MUTED),
        )
    ]
    fit = room.fit(entry)
    if fit is None:
        lines.append(Content.styled("… looking at this machine", MUTED))
    else:
        lines += [_marked(*_VERDICTS[reason.verdict], reason.text) for reason in fit.reasons]
        lines.append(_speed(room, entry))
    lines += _next(room, entry)
    return lines


def _speed(room: ModelRoom, entry: Entry) -> Content:
    if expected := room.expected(entry):
        mark = ("✓", "$success") if expected.measured else ("~", MUTED)
        again = " again" if expected.measured else ""
        more = f" m measures it{again}." if room.in_use(entry) else ""
        return _marked(*mark, expected.in_words + more)
    hint = "m measures it." if room.in_use(entry) else "Load it to measure it."
    return _marked("–", MUTED, f"Speed not measured yet. {hint}")


def _next(room: ModelRoom, entry: Entry) -> Iterator[Content]:
    """What stands in the way, and the keys that do something about it."""
    transfer = room.downloads[entry.name]
    if transfer and transfer.error and transfer.stage is Stage.FAILED:
        yield _marked("✗", "$error", transfer.error.message)
        hint = transfer.error.hint or "d tries again."
        yield Content.styled(f"  {visible(one_line(hint))}", MUTED)
        return
    if entry.problem:
        yield _marked("✗", "$error", entry.problem)
    if transfer and transfer.stage is Stage.RUNNING:
        if transfer.progress and transfer.progress.note:
            yield _marked("!", "$warning", transfer.progress.note)
        yield _marked(
            "→", "$primary", "It goes on while you write. p pauses it and keeps what has arrived."
        )
    elif room.in_use(entry):
        yield _marked("→", "$primary", "In use. Another one can be loaded at any time.")
    elif entry.presence is Presence.HERE:
        yield _marked("→", "$primary", "⏎ uses it from now on. The prompt and the bands stay.")
    else:
        yield _marked("→", "$primary", way_to(entry, transfer))


def _transfer(transfer: Transfer) -> Cell | None:
    """A download's state; None for one that is finished."""
    percent = transfer.percent
    if transfer.stage is Stage.DONE:
        return None
    if transfer.stage is Stage.PAUSED:
        return Cell(f"■ paused at {percent}" if percent else "■ paused", "$warning")
    if transfer.stage is Stage.FAILED:
        begun = transfer.progress is not None and transfer.progress.done
        return Cell(f"✗ stopped at {percent}" if begun and percent else "✗ failed", "$error")
    if transfer.stopping:
        return Cell("■ pausing", "$warning")
    return Cell(f"↓ {progress_words(transfer)}", "$accent")


def progress_words(transfer: Transfer) -> str:
    """How far a download under way is, how fast, how long it still takes."""
    progress = transfer.progress
    if progress is None or progress.phase == "looking":
        return "asking the server"
    if progress.phase == "waiting":
        return "waiting"
    if progress.phase == "checking":
        return f"checking {transfer.percent}"
    parts = [transfer.percent or on_disk(progress.done)]
    if progress.speed:
        parts.append(f"{on_disk(progress.speed)}/s")
    if progress.seconds_left is not None:
        parts.append(f"{clock(progress.seconds_left)} left")
    return " · ".join(parts)


def _fits(room: ModelRoom, entry: Entry) -> Cell:
    fit = room.fit(entry)
    if fit is None or fit.verdict is None:
        return Cell("…" if fit is None else "?", MUTED)
    mark, style = _VERDICTS[fit.verdict]
    return Cell(f"{mark} {fit.verdict.value}", style)


def _share(entry: Entry) -> str:
    return f"{entry.partial * 100 // entry.size}%" if entry.size else on_disk(entry.partial)


def _marked(mark: str, style: str, text: str) -> Content:
    return Content.assemble((mark, style), " ", visible(one_line(text)))


def _fitted(text: str, width: int) -> str:
    """A text in exactly so many cells; one that is too long ends in an ellipsis."""
    shown = visible(text)
    return set_cell_size(
        shown if cell_len(shown) <= width else set_cell_size(shown, width - 1) + "…", width
    )
