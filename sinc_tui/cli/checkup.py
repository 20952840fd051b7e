"""Looking at everything that `sinc-tui doctor` reports. Nothing here is changed by looking."""

from __future__ import annotations

import locale
import os
import platform
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sinc_tui import __version__, paths
from sinc_tui import settings as user_settings
from sinc_tui.cli import mends
from sinc_tui.cli.inputs import model_in_settings
from sinc_tui.clipboard_route import Route, plan, remote
from sinc_tui.engine.gguf_check import check_gguf
from sinc_tui.engine.gguf_facts import ModelFacts, model_parts, read_facts
from sinc_tui.engine.machine import Machine, detect
from sinc_tui.engine.plan import gpus, make_plan
from sinc_tui.engine.probe import PROBE, Build, probe
from sinc_tui.engine.protocol import EngineOptions
from sinc_tui.errors import NoFolder, NoModel, SincError
from sinc_tui.extras import install_line, pip_install, repair_line
from sinc_tui.models.catalog import EMBEDDED, catalog, gone, model_for
from sinc_tui.models.catalog import named as from_catalog
from sinc_tui.models.default import ModelFile, Student

_FOLDERS: dict[str, Callable[[], Path]] = {
    "cache": paths.cache,
    "state": paths.state,
    "data": paths.data,
}
_LINUX_HELPERS = ("wl-copy", "xclip", "xsel")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong: what, the command that mends it, whether the app cannot run with it."""

    what: str
    mend: str
    stops: bool


@dataclass
class Checkup:
    """What was found, section by section, and what is wrong."""

    sections: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def healthy(self) -> bool:
        """Whether the app can run."""
        return not any(problem.stops for problem in self.problems)

    def wrong(self, what: str, mend: str, *, stops: bool = False) -> None:
        """Note a problem."""
        self.problems.append(Problem(what, mend, stops))


def examine(
    model: ModelFile | None, options: EngineOptions, environment: Mapping[str, str]
) -> Checkup:
    """Look at everything, and plan for a model; None: the one in use.

    Where that one cannot be opened, the plan is for none, and the app opens on its list of models.
    Raises `SincError` where the options contradict each other.
    """
    checkup, machine, build = Checkup(), detect(), probe(PROBE)
    checkup.sections["machine"] = asdict(machine) | {"release": platform.release()}
    checkup.sections["python"] = {
        "version": platform.python_version(),
        "executable": sys.executable,
        "sinc-tui": __version__,
    }
    _look_at_build(checkup, machine, build)
    _look_at_folders(checkup)
    path = _look_at_model(checkup, model)
    devices = build.devices if build.gpu else ()
    facts = read_facts(path) if path else None
    chosen = make_plan(machine, devices, facts, options)
    checkup.sections["engine"] = asdict(chosen)
    if facts is not None and not chosen.n_gpu_layers:
        _look_at_memory(checkup, machine, facts)
    _look_at_clipboard(checkup, environment)
    _look_at_terminal(checkup, environment)
    return checkup


def _look_at_build(checkup: Checkup, machine: Machine, build: Build) -> None:
    checkup.sections["llama-cpp-python"] = asdict(build) | {"wanted": mends.LLAMA_CPP}
    name = "llama-cpp-python"
    if build.missing:
        line = pip_install(f"{name}=={mends.LLAMA_CPP}")
        checkup.wrong(f"{name} is not installed.", line, stops=True)
    elif build.trouble:
        checkup.wrong(f"{name} is broken. {build.trouble}", mends.compile_line(), stops=True)
    elif build.version != mends.LLAMA_CPP:
        line = pip_install(f"{name}=={mends.LLAMA_CPP}")
        checkup.wrong(f"{name} is {build.version}, made for is {mends.LLAMA_CPP}.", line)
    if not gpus(build.devices):
        _look_for_gpu(checkup, machine, build)


def _look_for_gpu(checkup: Checkup, machine: Machine, build: Build) -> None:
    """A GPU of the machine that the build cannot use."""
    card = mends.find_nvidia()
    if card is not None:
        names = ", ".join(card.names)
        checkup.sections["nvidia"] = asdict(card)
        wheel = mends.cuda_build(card, machine.system)
        if build.gpu:
            checkup.wrong(f"The build has a GPU backend, but cannot use {names}.", "nvidia-smi")
        elif wheel is None:
            checkup.wrong(
                f"{names}: the driver is too old for every wheel.", mends.wheel_line("vulkan")
            )
        else:
            what = f"{names} is not used: llama-cpp-python was built without CUDA."
            checkup.wrong(what, mends.wheel_line(wheel))
    elif (machine.system, machine.arch) == ("Darwin", "arm64"):
        what = "The GPU is not used: llama-cpp-python was built without Metal."
        checkup.wrong(what, mends.wheel_line("metal"))
    elif machine.system == "Linux" and not build.gpu and mends.has_amd_card():
        what = "An AMD card is not used: llama-cpp-python was built without Vulkan."
        checkup.wrong(what, mends.wheel_line("vulkan"))


def _look_at_folders(checkup: Checkup) -> None:
    found = []
    for name, folder in _FOLDERS.items():
        path, reason = _try_folder(folder)
        free = None if reason else shutil.disk_usage(path).free
        found.append({"name": name, "path": str(path), "free": free})
        if reason:
            what = f"The {name} folder {path} cannot be written: {reason}."
            checkup.wrong(what, _mend_folder(path), stops=True)
    settings = paths.settings_file()
    checkup.sections["folders"] = found
    checkup.sections["settings"] = {"path": str(settings), "exists": settings.exists()}
    for problem in user_settings.load(settings).problems:
        checkup.wrong(problem.message, mends.edit_line(settings))


def _try_folder(folder: Callable[[], Path]) -> tuple[Path, str]:
    """A folder, and why nothing can be written into it, empty when something can."""
    try:
        path = folder()
    except NoFolder as error:
        return error.path, error.reason
    try:
        with tempfile.TemporaryFile(dir=path):
            return path, ""
    except OSError as error:
        return path, error.strerror or str(error)


def _mend_folder(path: Path) -> str:
    """Move a file out of the way, take over a folder that is there, or make the one that is not."""
    there = next((place for place in (path, *path.parents) if place.exists()), path)
    if there.is_file():
        return f"mv {shlex.quote(str(there))} {shlex.quote(str(there) + '.old')}"
    name = shlex.quote(str(path))
    if there == path:
        return f'sudo chown -R "$(id -un)" {name}'
    return f'sudo install -d -o "$(id -un)" {name}'


def _look_at_model(checkup: Checkup, named: ModelFile | None) -> Path | None:
    """The file whose sizes the plan is made for, None when there is none."""
    checkup.sections["models"] = []
    model = named or _model_in_use(checkup)
    if model is None:
        return None
    if model.student is not None:
        return _look_at_student(checkup, model.name, model.student)
    found: dict[str, Any] = {"name": model.name, "path": str(model.path), "size": None}
    checkup.sections["models"] = [found]
    try:
        check_gguf(model.path)
    except SincError as error:
        checkup.wrong(error.message, error.hint, stops=named is not None)
        return None
    found["size"] = sum(p.stat().st_size for p in model_parts(model.path) if p.exists())
    return model.path


def _model_in_use(checkup: Checkup) -> ModelFile | None:
    """The model that runs when none is named; None, and a problem, where there is none."""
    name = model_in_settings() or EMBEDDED
    try:
        return from_catalog(name)
    except NoFolder as error:
        mend = _mend_folder(error.path)
        if all(problem.mend != mend for problem in checkup.problems):  # else it is told already
            checkup.wrong(error.message, mend, stops=True)
    except SincError as error:
        if name == EMBEDDED and isinstance(error, NoModel):
            checkup.wrong(error.message, install_line("tiny"), stops=True)
        else:
            checkup.wrong(error.message, _mend_choice(name))
    return None


def _mend_choice(name: str) -> str:
    """What to do where the settings name a model that cannot be had."""
    try:
        catalog()
    except SincError:
        return mends.edit_line(paths.user_catalog())
    try:
        lost = gone(model_for(name)) is not None
    except SincError:
        lost = True
    if lost:
        return f"sinc-tui models use {EMBEDDED}"
    return f"sinc-tui models pull {shlex.quote(name)}"


def _look_at_student(checkup: Checkup, name: str, student: Student) -> Path:
    """A student: its two parts, and the file that is made of them on first use."""
    ready = student.ready()
    parts = {"base": student.base, "adapter": student.adapter, "merged": student.merged}
    sizes = {part: path.stat().st_size if path.exists() else None for part, path in parts.items()}
    checkup.sections["models"].append(
        {"name": name, "ready": ready}
        | {part: {"path": str(path), "size": sizes[part]} for part, path in parts.items()}
    )
    if not student.adapter.exists():
        checkup.wrong(f"{student.adapter} is missing.", repair_line(), stops=True)
    if not ready and student.adapter.exists() and (obstacle := student.obstacle()):
        what = f"The model will run unmerged, which is slower: {obstacle}."
        checkup.wrong(what, f"df -h {shlex.quote(str(student.merged.parent))}")
    return student.merged if ready else student.base


def _look_at_memory(checkup: Checkup, machine: Machine, facts: ModelFacts) -> None:
    """Whether the CPU's memory holds the model; with less, it is read from the disk for every token."""
    if machine.available is not None and facts.size > machine.available:
        what = (
            f"The model takes {facts.size >> 20} MiB of memory, and {machine.available >> 20} are free: "
            "it will be very slow. Close other programs, or use a smaller model."
        )
        checkup.wrong(what, "sinc-tui doctor --model SMALLER.gguf")


def _look_at_clipboard(checkup: Checkup, environment: Mapping[str, str]) -> None:
    ways = list(plan(environment))
    if Route.NATIVE in ways and sys.platform == "linux" and not _helper(checkup, environment):
        ways.remove(Route.NATIVE)
    if Route.TMUX in ways:
        mode = mends.output_of(("tmux", "show", "-gv", "set-clipboard")).strip()
        if mode == "off":
            what = "tmux does not pass copied text on to the terminal."
            checkup.wrong(what, "tmux set -g set-clipboard on")
    checkup.sections["clipboard"] = {"route": str(ways[0]), "ways": [str(way) for way in ways]}


def _helper(checkup: Checkup, environment: Mapping[str, str]) -> bool:
    """Whether a desktop's clipboard can be reached; without a desktop there is none to reach."""
    wayland, x11 = environment.get("WAYLAND_DISPLAY"), environment.get("DISPLAY")
    if not wayland and not x11:
        return False
    if any(shutil.which(name) for name in _LINUX_HELPERS):
        return True
    package = "wl-clipboard" if wayland else "xclip"
    what = "No program reaches the desktop's clipboard; only the terminal can be asked."
    checkup.wrong(what, f"sudo apt install {package}")
    return False


def _look_at_terminal(checkup: Checkup, environment: Mapping[str, str]) -> None:
    terminal = sys.__stdout__ is not None and sys.__stdout__.isatty()
    size = os.get_terminal_size(sys.__stdout__.fileno()) if sys.__stdout__ and terminal else None
    kind, encoding = environment.get("TERM", ""), locale.getencoding()
    checkup.sections["terminal"] = {
        "terminal": terminal,
        "TERM": kind,
        "COLORTERM": environment.get("COLORTERM", ""),
        "tmux": bool(environment.get("TMUX")),
        "ssh": remote(environment),
        "encoding": encoding,
        "columns": size.columns if size else None,
        "rows": size.lines if size else None,
    }
    if terminal and kind in ("", "dumb") and sys.platform != "win32":
        checkup.wrong("TERM names no terminal that can draw.", "export TERM=xterm-256color")
    if encoding.lower().replace("-", "") != "utf8":
        checkup.wrong(f"The locale's encoding is {encoding}.", "export LC_ALL=C.UTF-8")
