"""`sinc-tui doctor`: what is here, what was chosen, what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sinc_tui.cli.diagnostics import DONE, FAILED
from sinc_tui.cli.engine_options import engine_options, take_engine_options
from sinc_tui.cli.inputs import model_file
from sinc_tui.cli.output import write
from sinc_tui.sinc.controls import one_line

if TYPE_CHECKING:
    from sinc_tui.cli.checkup import Checkup


@click.command(short_help="Look at machine, engine, models, terminal; say what is wrong.")
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
@click.option("--model", metavar="MODEL", help="Plan for this model instead of the one in use.")
@engine_options
def doctor(as_json: bool, model: str | None, **values: Any) -> int:
    """Report machine, llama.cpp build, devices, the engine's settings, models, folders, terminal.

    For each thing that is wrong, the command that mends it. The exit code is 1 when the app cannot run.
    """
    import json
    import os

    from sinc_tui.cli.checkup import examine

    chosen = model_file(model) if model else None
    checkup = examine(chosen, take_engine_options(values), os.environ)
    if as_json:
        problems = [
            {"what": problem.what, "mend": problem.mend, "stops": problem.stops}
            for problem in checkup.problems
        ]
        report = {"healthy": checkup.healthy} | checkup.sections | {"problems": problems}
        write(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        for line in _lines(checkup):
            write(one_line(line))
    return DONE if checkup.healthy else FAILED


def _lines(checkup: Checkup) -> Iterator[str]:
    """The report for people: a line for each section, then what is wrong."""
    sections = checkup.sections
    rows = {
        "machine": _machine(sections["machine"]),
        "python": "{version}, sinc-tui {sinc-tui}, {executable}".format(**sections["python"]),
        "llama.cpp": _build(sections["llama-cpp-python"]),
        "devices": "; ".join(map(_device, sections["llama-cpp-python"]["devices"])) or "none known",
        "engine": _engine(sections["engine"]),
        "models": "; ".join(map(_model, sections["models"])) or "none",
        "folders": "; ".join(map(_folder, sections["folders"])),
        "settings": _settings(sections["settings"]),
        "clipboard": "first {}, then {}".format(
            sections["clipboard"]["route"], ", ".join(sections["clipboard"]["ways"][1:]) or "none"
        ),
        "terminal": _terminal(sections["terminal"]),
    }
    for name, text in rows.items():
        yield f"{name:<10} {text}"
    for problem in checkup.problems:
        yield ""
        yield f"{'✗' if problem.stops else '!'} {problem.what}"
        if problem.mend:
            yield f"  {problem.mend}"
    yield ""
    yield "The app can run." if checkup.healthy else "The app cannot run until ✗ is mended."


def _machine(machine: dict[str, Any]) -> str:
    memory = _size(machine["memory"])
    return (
        f"{machine['system']} {machine['release']} {machine['arch']}, {machine['processor']}, "
        f"{machine['cores']} physical cores, {memory} of memory, {_size(machine['available'])} free"
    )


def _build(build: dict[str, Any]) -> str:
    if build["trouble"]:
        return f"llama-cpp-python {build['wanted']} is wanted; {build['trouble']}"
    support = "with a GPU backend" if build["gpu"] else "CPU only"
    features = build["features"].replace(" = 1", "").replace(" |", "")
    return f"llama-cpp-python {build['version']}, {support}; {features}"


def _device(device: dict[str, Any]) -> str:
    memory = f", {_size(device['free'])} of {_size(device['total'])} free"
    return f"{device['name']} ({device['description']}, {device['backend']}{memory})"


def _engine(plan: dict[str, Any]) -> str:
    from sinc_tui.engine.plan import EnginePlan

    chosen = EnginePlan(**plan)
    return " ".join([chosen.in_words + ".", *chosen.notes])


def _model(model: dict[str, Any]) -> str:
    if "merged" not in model:
        return f"{model['path']} ({_size(model['size'])})"
    if model["ready"]:
        merged = model["merged"]
        return f"{model['name']}, ready: {merged['path']} ({_size(merged['size'])})"
    parts = " and ".join(f"{model[name]['path']} ({_size(model[name]['size'])})"
                         for name in ("base", "adapter"))  # fmt: skip
    return f"{model['name']}, made on first use of {parts}"


def _folder(folder: dict[str, Any]) -> str:
    if folder["free"] is None:
        return f"{folder['name']} {folder['path']} (not writable)"
    return f"{folder['name']} {folder['path']} ({_size(folder['free'])} free)"


def _settings(settings: dict[str, Any]) -> str:
    return f"{settings['path']}{'' if settings['exists'] else ' (none, so all is as by default)'}"


def _terminal(terminal: dict[str, Any]) -> str:
    parts = [
        f"TERM={terminal['TERM']}",
        f"COLORTERM={terminal['COLORTERM']}",
        terminal["encoding"],
        *(name for name in ("tmux", "ssh") if terminal[name]),
    ]
    if not terminal["terminal"]:
        return ", ".join([*parts, "the output is no terminal now"])
    return ", ".join([*parts, f"{terminal['columns']} x {terminal['rows']}"])


def _size(count: int | None) -> str:
    """Bytes for people."""
    if count is None:
        return "unknown"
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} bytes"
