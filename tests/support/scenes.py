"""The screens in all their states, brought about as a reader would: for pictures of them.

A scene is a coroutine that takes a `Stage`. Nothing in it may depend on the day, the machine or the
speed at which it is played.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from sinc_tui import events, paths
from sinc_tui.errors import SincError
from sinc_tui.history import History, Run
from sinc_tui.sinc.bands import Band
from sinc_tui.sinc.document import SincDocument
from sinc_tui.sinc.draft import Draft
from sinc_tui.sinc.invariants import check
from sinc_tui.tui.screens.main import MainScreen
from sinc_tui.tui.state import Phase
from sinc_tui.tui.widgets.bands import Bands
from sinc_tui.tui.widgets.prompt_editor import PromptEditor
from tests.support.fake_engine import FakeEngine
from tests.support.scripted_worker import TEXTS
from tests.support.waiting import until

PROMPT = "fix line 3 in app.py, it fails since 14:30"
GROUNDED = TEXTS | {Band.DATA: "Line 3 of app.py fails since 14:30."}
NO_MODEL = SincError(
    "No model is installed.",
    hint="Name a file with --model, or install the embedded one with: "
    "/home/ada/sinc-tui/.venv/bin/python -m pip install -e '/home/ada/sinc-tui[tiny]'",
)
NOON = 1_790_000_000.0
"""A moment in the past, in seconds since 1970."""

_EARLIER = [
    "write a polite mail to the landlord: heating broken since Monday, 3 small children",
    "SELECT is slow on orders, 2 million rows, postgres 16, what now",
    "翻译这封信成英文,语气正式一点",
    "plan a trip to Lisbon for 4 days, budget 600 EUR, we don't like museums",
    "why does my python script eat 8 GB of memory",
    "name ideas for a bakery 🥐 in Kraków",
]


@dataclass(slots=True)
class Stage:
    """What a scene acts on."""

    screen: MainScreen
    engine: FakeEngine
    pilot: Pilot[None]

    @property
    def bands(self) -> Bands:
        """The six panels."""
        return self.screen.query_one(Bands)


Scene = Callable[[Stage], Awaitable[None]]


async def empty(stage: Stage) -> None:
    """Loaded, nothing typed."""
    await until(lambda: stage.screen.state.info)


async def loading(stage: Stage) -> None:
    """A run waits for the model."""
    await begin(stage)
    await until(lambda: stage.screen.state.running and stage.screen.state.loaded)


async def no_model(stage: Stage) -> None:
    """There is none to load."""
    await until(lambda: stage.screen.state.error)


async def streaming(stage: Stage) -> None:
    """In the middle of CONSTRAINTS."""
    await begin(stage)
    await until(lambda: stage.engine.prompts)
    written = {band: GROUNDED[band] for band in list(Band)[:4]}
    written[Band.CONSTRAINTS] = written[Band.CONSTRAINTS][:120]
    stage.engine.write(written, unfinished=Band.CONSTRAINTS)
    draft = Draft(dict.fromkeys(Band, "") | written, set(list(Band)[:3]))
    stage.engine.say(*map(events.InvariantChanged, check(draft)))
    await until(lambda: len(stage.screen.state.verdicts) == 5)


async def finished(stage: Stage) -> None:
    """A valid document."""
    await begin(stage)
    await until(lambda: stage.engine.prompts)
    await end(stage, GROUNDED)


async def failed_badge(stage: Stage) -> None:
    """The reader typed a second sentence into TASK, and DATA lost a fact and has a foreign one."""
    await finished(stage)
    stage.bands.rewrite({Band.DATA: "Line 3 of app.py, about 90 lines long."})
    stage.bands.rewrite({Band.TASK: "Fix line 3 of the code. Then explain it."})
    await until(lambda: stage.screen.state.document is None)


async def error(stage: Stage) -> None:
    """The engine died in mid-run; what was written stays."""
    await streaming(stage)
    draft = stage.screen.state.draft
    stage.engine.say(
        events.Failed(
            SincError(
                "The engine ended unexpectedly (signal 9).",
                hint="Press Enter to start a new one; memory may have run out.",
                retryable=True,
            ),
            draft,
        )
    )
    await until(lambda: stage.screen.state.phase is Phase.FAILED)


async def edited(stage: Stage) -> None:
    """The reader is in a band and changed it."""
    await finished(stage)
    stage.bands.focus_band(Band.PERSONA)
    await until(lambda: stage.bands.focused_band is Band.PERSONA)
    await stage.pilot.press("N", "o", "w", ":", "space")
    await until(lambda: stage.screen.state.result.edits)


async def locked(stage: Stage) -> None:
    """A band is locked and another variation was written around it."""
    await finished(stage)
    stage.bands.focus_band(Band.CONTEXT)
    await until(lambda: stage.bands.focused_band is Band.CONTEXT)
    await stage.pilot.press("ctrl+l", "ctrl+t")
    await until(lambda: len(stage.engine.prompts) == 2)
    stage.screen.action_lock()
    stage.screen.action_lock()
    varied = GROUNDED | {Band.PERSONA: "You review code and mend it line by line."}
    await end(stage, varied, given={Band.CONTEXT})


async def long_texts(stage: Stage) -> None:
    """Bands that do not fit, in scripts of every width."""
    await begin(stage, "translate: 日本語のマニュアル, שלום עולם, cafe\u0301 👩‍👩‍👧 " * 3)
    await until(lambda: stage.engine.prompts)
    words = "日本語の文章 and Latin, שלום עולם, مرحبا, e\u0301te\u0301, नमस्ते, 👩‍👩‍👧 🏳️‍🌈 👍🏽. "
    texts = dict.fromkeys(Band, (words * 3).strip()) | {
        Band.CONSTRAINTS: (words * 14).strip(),
        Band.TASK: "日本語のマニュアルを英語に訳してください。",
    }
    await end(stage, texts)


async def history_empty(stage: Stage) -> None:
    """Nothing ran yet."""
    await empty(stage)
    await opened(stage, "f7", "#preview Static")


async def history_filled(stage: Stage) -> None:
    """Some runs, one of them pinned, one stopped, one failed."""
    _keep_runs()
    await empty(stage)
    await stage.pilot.press("f7")
    await until(lambda: _listed(stage) == len(_EARLIER))


async def history_search(stage: Stage) -> None:
    """Two runs hold the word, and the chosen one is about to be deleted."""
    await history_filled(stage)
    await stage.pilot.press(*"trip")
    await until(lambda: _listed(stage) == 1)
    await stage.pilot.press("f8")


async def settings(stage: Stage) -> None:
    """As they are before anything was changed."""
    await empty(stage)
    await opened(stage, "f10", "#rows")


async def help_main(stage: Stage) -> None:
    """The keys of the main screen."""
    await empty(stage)
    await opened(stage, "f1", "#help")


async def help_history(stage: Stage) -> None:
    """The keys of a dialog."""
    await history_filled(stage)
    await opened(stage, "f1", "#help")


async def copy_as(stage: Stage) -> None:
    """Formats, parts, bands."""
    await finished(stage)
    await opened(stage, "ctrl+e", "#formats")


async def copy_as_invalid(stage: Stage) -> None:
    """What cannot be copied says why."""
    await failed_badge(stage)
    await opened(stage, "ctrl+e", "#formats")


async def compare_prompt(stage: Stage) -> None:
    """The prompt beside its bands."""
    await failed_badge(stage)
    await opened(stage, "f9", "#compare .pair")


async def compare_results(stage: Stage) -> None:
    """Two results and their differences."""
    await locked(stage)
    await opened(stage, "f9", "#compare .pair")
    await stage.pilot.press("right")
    await until(lambda: len(stage.pilot.app.screen.query("#compare .pair")) == 7)


async def save_dialog(stage: Stage) -> None:
    """Where to save; a file of that name is there already."""
    _make_files()
    await finished(stage)
    await opened(stage, "ctrl+s", "#path-line")
    await _answered(stage, "notes.md")


async def open_dialog(stage: Stage) -> None:
    """A document that is none is refused with its reasons."""
    _make_files()
    await empty(stage)
    await opened(stage, "ctrl+o", "#path-line")
    await _answered(stage, "broken.sinc.json")
    stage.pilot.app.screen.query_one(Input).focus()


async def too_small(stage: Stage) -> None:
    """The plea for a larger window."""
    await until(lambda: stage.screen.state.info and len(stage.pilot.app.screen_stack) == 2)


async def opened(stage: Stage, key: str, selector: str) -> None:
    """A key was pressed, and what it opens is there."""
    await stage.pilot.press(key)
    await until(lambda: stage.pilot.app.screen.query(selector))


async def _answered(stage: Stage, name: str) -> None:
    """A name was typed into the dialog for a file, which has something to say on it."""
    stage.pilot.app.screen.query_one(Input).value = name
    await stage.pilot.pause()
    await stage.pilot.press("enter")
    await until(lambda: stage.pilot.app.screen.query_one("#path-notice").display)


async def begin(stage: Stage, prompt: str = PROMPT) -> None:
    """The prompt is there and runs."""
    editor = stage.screen.query_one(PromptEditor)
    await until(lambda: editor.has_focus and stage.screen.session._engine)
    await stage.pilot.pause()
    editor.load_text(prompt)
    stage.screen.action_run()


async def end(stage: Stage, texts: dict[Band, str], given: set[Band] | None = None) -> None:
    """The engine writes what is not given, and the run ends well."""
    stage.engine.write({band: text for band, text in texts.items() if band not in (given or ())})
    stage.engine.say(*map(events.InvariantChanged, check(Draft.finished(texts))))
    stage.engine.finish(SincDocument.from_bands(texts))
    await until(lambda: stage.screen.state.phase is Phase.FINISHED)
    await until(lambda: not stage.screen._drawing)


def _listed(stage: Stage) -> int:
    runs = stage.pilot.app.screen.query("#runs")
    return cast(OptionList, runs.first()).option_count if runs else -1


def _keep_runs() -> None:
    history = History(paths.history_file())
    ends = ["finished", "finished", "stopped", "finished", "failed", "finished"]
    for number, (prompt, ended) in enumerate(zip(_EARLIER, ends, strict=True)):
        done = frozenset(Band) if ended == "finished" else frozenset(list(Band)[:2])
        texts = {band: TEXTS[band] if band in done else "" for band in Band}
        history.save(
            Run(
                prompt=prompt, created=NOON - number * 93_000.0, texts=texts, done=done,
                written=texts | {Band.PERSONA: "You are somebody else."} if number == 1 else texts,
                model="tiny", seed=number % 3, ended=ended, pinned=number == 3,
            )
        )  # fmt: skip
    history.close()


def _make_files() -> None:
    """Into the working folder, which is one of the test."""
    for name in ("invoices", "prompts"):
        Path(name).mkdir()
    for name in ("landlord.sinc.json", "notes.md", "todo.txt"):
        Path(name).write_text("x", encoding="utf-8")
    Path("broken.sinc.json").write_text(
        '{"formula": "", "T": "specification-axis", "fragments": []}', encoding="utf-8"
    )
