"""`python -m bench.neighbours`: measure and print the table. `--write` also writes it into bench/NEIGHBOURS.md."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from bench.machine import heading
from bench.neighbours.comparison import OURS, Amounts, Found, Outcome, compare
from bench.neighbours.installation import CannotRunError
from bench.neighbours.programs import PROGRAMS
from bench.table import Goal, Row, markdown

RESULTS = Path(__file__).parent.parent / "NEIGHBOURS.md"
AHEAD = Goal(ratio=Fraction(1))
MIB = 1024 * 1024
ABOUT = """\
# Next to the neighbours

The output of `make bench-neighbours`. Each program is installed from its registry as it is, with what it asks for, and runs
unchanged on a simulated MK.2 of its own: only the hidapi under it is a small library with the simulator at its other end,
the same for all of them. Ours is the whole `run` with its ordinary keys and an account (a local one) asked every 15 minutes;
theirs show eight static pictures and poll nothing. Starts are taken in turns; idle windows are the same for all, with all of
them running; presses are taken in turns. An amount is the median, in brackets the range without the lowest and the highest
tenth (all values where there are fewer than ten). The ratio is ours as a part of theirs.
"""
UNDER = """\
- **private memory**, **resident memory**: `/proc/PID/smaps_rollup`. Private pages are those that would be free without it.
- **wake-ups**, **CPU time**: voluntary context switches and run time of all threads, from `/proc/PID/task`. The library in
  hidapi's place has no thread of its own and lists devices without walking through sysfs: both would cost a program that reads
  through libusb, or that lists devices again and again, more than is seen here.
  Where no udevd runs, as on most machines of a data centre, ours lists the devices every 2 s, and most of its wake-ups are
  these; with udevd it is every 30 s, and RESULTS.md has the wake-ups of that.
- **press**: from the key press to the moment when the program's hidapi has the report, by the clock in its process, on a key
  with nothing on it, at random moments. What the program does with it is not measured.
- **start**: from the start of the process to the first picture that is not black.
- **install size**: everything that the package manager put there, byte code included, without interpreter and package manager.

Where ours is behind, and why:

- **memory**: 24 MiB of it are imports: this program 8, Python itself 6 (RESULTS.md has the list). The others poll nothing: ours
  has polled an account, and has its history open in SQLite. It is measured between two polls; while one runs, the HTTP process
  takes 19 MiB more.
- **start**: four fifths are imports; RESULTS.md has the parts.
- **install size**: Pillow 21 MiB and cryptography 15, which keyring needs for the Secret Service of Linux, are more than half.
  The rest is this program with its byte code (7.5), the fonts (1.6), the web page's server (1.9) and twenty small packages.
"""
ABSENT = """\
What is not measured, and why:

- **deckmaster** (Go) compiles hidapi and libusb into itself: no simulated library can take their place.
- **OpenDeck** (Rust, Tauri) compiles hidapi in as well, and needs a display and a web view.
- **StreamController** (Python, GTK 4) comes as a Flatpak and needs a graphical session.
- **Companion** (Node.js) comes as its own download with an interface of its own, not from a registry of packages.
- **streamdeckd** (Rust) and **OpenRouter Usage Monitor** run on macOS only; **OpenBalance** needs Elgato's app, which is for
  macOS and Windows.
"""
MEASURES: tuple[tuple[str, str, Callable[[Found], Sequence[float]]], ...] = (
    ("idle: private memory", "MiB", lambda one: one.private_mib),
    ("idle: resident memory", "MiB", lambda one: one.resident_mib),
    ("idle: wake-ups", "a second", lambda one: one.switches_per_s),
    ("idle: CPU time", "ms a minute", lambda one: one.cpu_ms_per_minute),
    ("press to report taken", "ms", lambda one: one.press_ms),
    ("start to first picture", "ms", lambda one: one.first_picture_ms),
    ("install size", "MiB", lambda one: (one.installation.bytes_on_disk / MIB,)),
)


def main() -> None:
    """Print the table on stdout, progress on stderr."""
    parser = argparse.ArgumentParser(prog="python -m bench.neighbours", description="Measure next to other programs.")
    parser.add_argument("--write", action="store_true", help="also write bench/NEIGHBOURS.md")
    parser.add_argument("--once", action="store_true", help="short windows, one start, to check that it runs")
    options = parser.parse_args()
    if options.write and options.once:
        parser.error("--write needs the whole measurement")
    if sys.platform != "linux":
        parser.error("the other programs are measured on Linux only, from /proc")
    logging.getLogger("openbalance_hid").setLevel(logging.CRITICAL)
    above = heading()
    try:
        outcome = compare(Amounts(starts=1, windows=1, window_s=2.0, presses=5, rest_s=0.0) if options.once else Amounts())
    except CannotRunError as error:
        sys.exit(f"cannot compare: {error}")
    text = "\n".join((ABOUT, above, "", markdown(_rows(outcome)) + UNDER, _about_programs(outcome), ABSENT))
    print(text)
    if options.write:
        RESULTS.write_text(text, encoding="utf-8")


def _rows(outcome: Outcome) -> list[Row]:
    ours = outcome.found[OURS]
    return [
        Row(name, unit, tuple(value(ours)), f"{neighbour} {found.installation.version}", tuple(value(found)), AHEAD)
        for name, unit, value in MEASURES
        for neighbour, found in outcome.found.items()
        if neighbour != OURS
    ]


def _about_programs(outcome: Outcome) -> str:
    lines = ["What each of them was given:", ""]
    for program in PROGRAMS:
        missing = outcome.missing.get(program.name)
        lines.append(f"- **{program.name}**: {f'not measured: {missing}' if missing else program.note}")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
