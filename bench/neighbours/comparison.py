"""The measurement: starts in turns, then the same idle windows for all programs, then presses in turns."""

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bench.neighbours.costs import Costs
from bench.neighbours.deck_socket import DeckSocket
from bench.neighbours.home_assistant import empty_home_assistant
from bench.neighbours.installation import CannotRunError, Installation, install, install_ourselves
from bench.neighbours.programs import PROGRAMS, Stage, Start
from bench.neighbours.running_program import RunningProgram, build_library
from bench.user_environment import user_environment

OURS = "openbalance-hid"
MODEL = "mk2"
PRESSED_KEY = 14  # no program uses it
LONGEST_PAUSE_S = 0.1  # two polls of a reader that polls 20 times a second
REST_S = 15.0  # after the last picture, until the work of the start has ended: the process for HTTP requests stays 10 s


@dataclass(frozen=True, slots=True)
class Amounts:
    """Numbers and durations. `starts`: counted starts, after one for byte code and file cache."""

    starts: int = 3
    windows: int = 3
    window_s: float = 20.0
    presses: int = 40
    rest_s: float = REST_S


@dataclass(slots=True)
class Found:
    """The measurements of one program."""

    installation: Installation
    first_picture_ms: list[float] = field(default_factory=list)
    private_mib: list[float] = field(default_factory=list)
    resident_mib: list[float] = field(default_factory=list)
    switches_per_s: list[float] = field(default_factory=list)
    cpu_ms_per_minute: list[float] = field(default_factory=list)
    press_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Measured programs by name, ours first; the other programs with the reason."""

    found: Mapping[str, Found]
    missing: Mapping[str, str]


def compare(amounts: Amounts) -> Outcome:
    """Measure all programs. Raises CannotRunError when ours cannot run."""
    missing: dict[str, str] = {}
    library = build_library()
    installations = _installations(missing)
    found = {name: Found(home) for name, home in installations.items()}
    with _stages(installations) as starts:
        for number in range(amounts.starts + 1):
            for name, (start, folder) in starts.items():
                if name in missing:
                    continue
                _progress(f"start {number} of {name}")
                try:
                    with _running(start, folder, library) as running:
                        if number:
                            found[name].first_picture_ms.append(1000 * running.first_picture_s)
                except CannotRunError as error:
                    missing[name] = str(error)
        if OURS in missing:
            raise CannotRunError(f"{OURS}: {missing[OURS]}")
        _measure_all({name: each for name, each in starts.items() if name not in missing}, found, library, amounts)
    return Outcome({name: each for name, each in found.items() if name not in missing}, missing)


def _installations(missing: dict[str, str]) -> dict[str, Installation]:
    _progress("installing")
    installations = {OURS: install_ourselves()}
    for program in PROGRAMS:
        try:
            installations[program.name] = install(program.name, program.wanted, program.manager)
        except CannotRunError as error:
            missing[program.name] = str(error)
    return installations


@contextmanager
def _stages(installations: Mapping[str, Installation]) -> Iterator[dict[str, tuple[Start, Path]]]:
    """Yield how each program is started, and its home folder."""
    with ExitStack() as stack:
        home_assistant = stack.enter_context(empty_home_assistant())
        whole = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="neighbours-")))
        starts = {}
        for number, (name, home) in enumerate(installations.items()):
            folder = whole / str(number)
            folder.mkdir()
            if name == OURS:
                command = (str(home.folder / "bin" / OURS), "run", "--no-browser", "--log-level", "warning")
                starts[name] = Start(command, stack.enter_context(user_environment()), preload=True), folder
            else:
                program = next(each for each in PROGRAMS if each.name == name)
                starts[name] = program.start(home, Stage(folder, _serial(number), home_assistant)), folder
        yield starts


@contextmanager
def _running(start: Start, folder: Path, library: Path) -> Iterator[RunningProgram]:
    with (
        DeckSocket(MODEL, _serial(int(folder.name)), folder) as deck_socket,
        RunningProgram(start, deck_socket, folder, library) as running,
    ):
        yield running


def _measure_all(starts: Mapping[str, tuple[Start, Path]], found: Mapping[str, Found], library: Path, amounts: Amounts) -> None:
    with ExitStack() as stack:
        all_running = {name: stack.enter_context(_running(*each, library)) for name, each in starts.items()}
        for running in all_running.values():
            running.settle()
        time.sleep(amounts.rest_s)
        for number in range(amounts.windows):
            _progress(f"idle window {number + 1}")
            _idle(all_running, found, amounts.window_s)
        _progress("presses")
        rng = Random(2)  # the same pauses every time
        for _ in range(amounts.presses):
            for name, running in all_running.items():
                time.sleep(rng.uniform(0, LONGEST_PAUSE_S))
                found[name].press_ms.append(1000 * running.press(PRESSED_KEY))


def _idle(all_running: Mapping[str, RunningProgram], found: Mapping[str, Found], window_s: float) -> None:
    before = {name: (time.monotonic(), running.costs()) for name, running in all_running.items()}
    time.sleep(window_s)
    for name, running in all_running.items():
        started_s, first = before[name]
        passed_s, last = time.monotonic() - started_s, running.costs()
        _note(found[name], first, last, passed_s)


def _note(one: Found, first: Costs, last: Costs, passed_s: float) -> None:
    one.private_mib.append(last.private_mib)
    one.resident_mib.append(last.resident_mib)
    one.switches_per_s.append((last.switches - first.switches) / passed_s)
    one.cpu_ms_per_minute.append(60_000 * (last.cpu_s - first.cpu_s) / passed_s)


def _serial(number: int) -> str:
    return f"BENCH000000{number}"


def _progress(text: str) -> None:
    sys.stderr.write(f"{text}\n")
