"""The prompt beside what came of it, or one result beside another with the differences marked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sinc_tui.sinc.bands import Band
from sinc_tui.tui.differences import Piece, differences
from sinc_tui.tui.literal import visible
from sinc_tui.tui.screens.dialog import Dialog
from sinc_tui.tui.theme import FAINT, MUTED

if TYPE_CHECKING:
    from sinc_tui.tui.results import Result
    from sinc_tui.tui.state import RunState
    from sinc_tui.tui.widgets.safe_area import Mark

_LOOKS = {"left": "$error strike", "right": "$success bold underline"}
_MARKS = {"kept": "underline", "lost": "$error strike", "invented": "italic reverse"}


class CompareScreen(Dialog[None]):
    """Left, what arrow keys choose: the prompt or another result. Right, the result in view."""

    CSS_PATH = "compare.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left", "other(-1)", "Other", tooltip="The one before, at the left", id="compare_before"
        ),
        Binding(
            "right", "other(1)", "Other", tooltip="The one after, at the left", id="compare_after"
        ),
        Binding("up", "scroll(-1)", "Up", show=False, id="compare_up"),
        Binding("down", "scroll(1)", "Down", show=False, id="compare_down"),
        Binding("pageup", "scroll(-10)", "Page up", show=False, id="compare_page_up"),
        Binding("pagedown,space", "scroll(10)", "Page down", show=False, id="compare_page_down"),
        Binding("f9,q", "close", "Close", show=False, id="compare_close"),
    ]

    def __init__(self, state: RunState) -> None:
        super().__init__()
        self._state = state
        self._number, _ = state.results.place
        self._others = [
            (number, result)
            for number, result in enumerate(state.results.all(), 1)
            if result is not state.result
        ]
        self._chosen = 0

    def compose(self) -> ComposeResult:
        """Rows of two, which scroll together."""
        with VerticalScroll(id="compare") as box:
            box.border_title = "Compare"
            yield from self._rows()

    def on_mount(self) -> None:
        """Say how to go on."""
        self._say()

    async def action_other(self, by: int) -> None:
        """Choose what stands at the left."""
        self._chosen = (self._chosen + by) % (len(self._others) + 1)
        box = self.query_one("#compare", VerticalScroll)
        with self.app.batch_update():
            await box.remove_children()
            await box.mount_all(self._rows())
        self._say()

    def action_scroll(self, by: int) -> None:
        """Scroll both sides."""
        self.query_one("#compare", VerticalScroll).scroll_relative(y=by, animate=False)

    def _say(self) -> None:
        other = "←→ other result · " if self._others else ""
        self.query_one("#compare").border_subtitle = f"{other}↑↓ scroll · Esc closes"

    def _rows(self) -> Iterable[Horizontal]:
        if self._chosen == 0:
            return self._with_prompt()
        return self._with_result(*self._others[self._chosen - 1])

    def _with_prompt(self) -> Iterable[Horizontal]:
        from sinc_tui.tui.facts import view

        result = self._state.result
        facts = view(result.prompt, result.draft.texts)
        left = _marked(result.prompt, facts.prompt_marks if facts else [])
        blocks = []
        for band in Band:
            marks = facts.band_marks.get(band, []) if facts else []
            blocks += [_name(band), _marked(result.draft.texts[band], marks), Content("")]
        yield _row(_title("Prompt", "struck through: lost"), _title(self._of(self._number), ""))
        yield _row(left, Content("\n").join(blocks))

    def _with_result(self, number: int, other: Result) -> Iterable[Horizontal]:
        yield _row(
            _title(self._of(number), "struck through: only here"),
            _title(self._of(self._number), "underlined: only here"),
        )
        for band in Band:
            lefts, rights = differences(other.draft.texts[band], self._state.draft.texts[band])
            same = (" =", MUTED) if lefts == rights else ""
            head = Content.assemble(_name(band), same)
            yield _row(*(Content("\n").join([head, _pieces(p)]) for p in (lefts, rights)))

    def _of(self, number: int) -> str:
        return f"Result {number}" if self._others else "Result"


def _row(left: Content, right: Content) -> Horizontal:
    return Horizontal(Static(left, markup=False), Static(right, markup=False), classes="pair")


def _title(words: str, note: str) -> Content:
    return Content.assemble((words, "bold $primary"), "  ", (note, FAINT))


def _name(band: Band) -> Content:
    return Content.styled(band.value, "bold $secondary")


def _pieces(pieces: list[Piece]) -> Content:
    return Content.assemble(*((visible(text), _LOOKS.get(side, "")) for text, side in pieces))


def _marked(text: str, marks: list[Mark]) -> Content:
    parts: list[tuple[str, str]] = []
    at = 0
    for start, end, look in sorted(marks):
        parts += [(visible(text[at:start]), ""), (visible(text[start:end]), _MARKS[look])]
        at = end
    return Content.assemble(*parts, (visible(text[at:]), ""))
