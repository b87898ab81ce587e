"""The time from the start of the process to the first picture, with and without a history."""

import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.child import ROOT, Child
from bench.neighbours.deck_socket import DeckSocket
from bench.neighbours.programs import Start
from bench.neighbours.running_program import RunningProgram, build_library
from bench.sample_sizes import SampleSizes
from bench.table import Goal, Row
from bench.user_environment import user_environment

RUN = ("run", "--deck", "virtual", "--no-browser", "--port", "0", "--log-level", "warning")
DEMO = ("demo", "--no-browser", "--port", "0", "--log-level", "warning")
USB = ("-m", "openbalance_hid", "run", "--no-browser", "--log-level", "warning")
FLOOR = "bare imports"
GOAL_MS = 1000.0
CPU_GOAL_MS = 350.0
USB_GOAL_MS = 170.0
USB_NOTE = (
    "The unchanged command without a web server, as with a deck on USB: a preloaded library with the simulator in another "
    "process replaces the functions of the compiled hidapi. From the start of the process until a key shows something. The "
    "interpreter takes 14 ms of it and imports 125: 55 for the 245 modules of this program, 46 for Python's own, 23 for "
    "Pillow, click, msgspec and the library of the decks. Imported later are HTTP, D-Bus, the page, metrics and the loop of "
    "programs; what is left of that kind takes 4 ms in all. On another machine, on 2026-11-30: 170 ms (161 to 186), 3.70 times "
    "the peer."
)
GROWN = (
    "More than on 2026-11-25 (207 ms, 211 ms of CPU time): 245 modules of this program in place of 143 since there are alerts "
    "to other programs, command tiles, switches of keys, MQTT and metrics."
)
DEMO_GROWN = (
    "More than on 2026-11-25 (200 ms): as below; and the first picture has the values of two days before, where it was empty."
)
NOTE = (
    "The key comes from the environment. The peer is the lower bound for any Python program: importing "
    "`StreamDeck.DeviceManager` and `PIL.Image`, and no picture."
)

Marks = dict[str, float]  # mark -> ms since the start


def rows(sizes: SampleSizes) -> list[Row]:
    """Return the rows of `run` and `demo` as whole processes. The one on USB: Linux with a C compiler only."""
    with user_environment() as new, user_environment() as known:
        preparing = _fill_history(known)
        library = build_library() if sys.platform == "linux" and shutil.which("cc") else None
        runs = [_start_all(new, known, preparing, library) for _ in range(sizes.warm_ups + sizes.starts)][sizes.warm_ups :]
    run, demo, again, floor, usb = zip(*runs, strict=True)
    goal, of_cpu = Goal(at_most=GOAL_MS), Goal(at_most=CPU_GOAL_MS)
    with_history = "start of `run --deck virtual`, history present, to the first picture with the last known values"
    on_usb = Goal(at_most=USB_GOAL_MS)
    usb_name = "start of `run` with a deck on USB to the first picture"
    with_usb = [] if library is None else [_row(usb_name, "shown_ms", usb, floor, on_usb, USB_NOTE)]
    return [
        *with_usb,
        _row("start of `run --deck virtual` to the first picture", "shown_ms", run, floor, goal, f"{_parts(run)} {NOTE}"),
        _row("start of `demo` to the first picture", "shown_ms", demo, floor, goal, f"{_parts(demo)} {DEMO_GROWN}"),
        _row(with_history, "shown_ms", again, floor, goal, f"{_parts(again)} {GROWN}"),
        _row(
            f"CPU time of the {with_history}",
            "shown_cpu_ms",
            again,
            floor,
            of_cpu,
            f"all threads; {_parts(again, '_cpu_ms')} More than on 2026-11-25: as above.",
        ),
    ]


def _row(name: str, key: str, ours: Sequence[Marks], floor: Sequence[Marks], goal: Goal, note: str) -> Row:
    return Row(name, "ms", tuple(one[key] for one in ours), FLOOR, tuple(one[key] for one in floor), goal, note)


def _parts(runs: Sequence[Marks], kind: str = "_ms") -> str:
    """Return the medians of the parts in words. `kind` "_cpu_ms": CPU time."""
    started, imported, created, opened, shown = (
        statistics.median(one[mark + kind] for one in runs) for mark in ("started", "imported", "created", "opened", "shown")
    )
    return (
        f"medians of the parts: Python itself {started:.0f} ms; imports {imported - started:.0f} ms; configuration, control "
        f"socket and the page's server {created - imported:.0f} ms; scan {opened - created:.0f} ms; opening the deck, "
        f"recalling, painting, sending {shown - opened:.0f} ms."
    )


def _fill_history(env: Mapping[str, str]) -> int:
    """Fill a history; return the checksum of the picture of a key without values."""
    with Child("bench.child_start", *RUN, env=env) as child:
        preparing = child.reply()["picture"]
        child.reply()  # with the balance
    return int(preparing)


def _start_all(new: Mapping[str, str], known: Mapping[str, str], preparing: int, library: Path | None) -> tuple[Marks, ...]:
    """Start `run`, `demo`, `run` with a history, the bare imports and `run` on USB, one after the other."""
    on_usb = _start_on_usb(new, library) if library is not None else {}
    return _start(RUN, new), _start(DEMO, new), _start(RUN, known, unlike=preparing), _floor(), on_usb


def _start_on_usb(env: Mapping[str, str], library: Path) -> Marks:
    start = Start((sys.executable, *USB), {**env, "PYTHONPATH": str(ROOT)}, preload=True)
    with (
        tempfile.TemporaryDirectory(prefix="openbalance-bench-") as home,
        DeckSocket("mk2", "BENCH0000001", Path(home)) as deck,
        RunningProgram(start, deck, Path(home), library) as running,
    ):
        return {"shown_ms": 1000 * running.first_picture_s}


def _start(command: tuple[str, ...], env: Mapping[str, str], unlike: int | None = None) -> Marks:
    """Return the marks up to the first picture, or to the first that is not `unlike`."""
    with Child("bench.child_start", *command, env=env) as child:
        while (runs := child.reply())["picture"] == unlike:
            pass
        return _since(child.started_s, runs["marks"])


def _floor() -> Marks:
    with Child("bench.child_floor") as child:
        return _since(child.started_s, child.reply())


def _since(started_s: float, marks: dict[str, tuple[float, float]]) -> Marks:
    """Return milliseconds since the parent started the process, and milliseconds of CPU time."""
    passed = {f"{name}_ms": 1000 * (mark_s - started_s) for name, (mark_s, _) in marks.items()}
    return passed | {f"{name}_cpu_ms": 1000 * cpu_s for name, (_, cpu_s) in marks.items()}
