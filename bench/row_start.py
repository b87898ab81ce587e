"""From starting the process to the first picture on the glass, with and without a history."""

import statistics
from collections.abc import Mapping, Sequence

from bench.child import Child
from bench.counts import Counts
from bench.owner import owner
from bench.table import Goal, Row

RUN = ("run", "--deck", "virtual", "--no-browser", "--port", "0", "--log-level", "warning")
DEMO = ("demo", "--no-browser", "--port", "0", "--log-level", "warning")
FLOOR = "bare imports"
GOAL_MS = 1000.0
CPU_GOAL_MS = 350.0
NOTE = (
    "The key comes from the environment. The peer is the floor for anybody who shows pictures from Python: importing "
    "`StreamDeck.DeviceManager` and `PIL.Image`, and no picture."
)

Marks = dict[str, float]  # how far it had come, in ms since the start


def rows(counts: Counts) -> list[Row]:
    """`run` and `demo` as whole processes."""
    with owner() as new, owner() as known:
        preparing = _first_life(known)
        told = [_together(new, known, preparing) for _ in range(counts.warm_ups + counts.starts)][counts.warm_ups :]
    run, demo, again, floor = zip(*told, strict=True)
    goal, of_cpu = Goal(at_most=GOAL_MS), Goal(at_most=CPU_GOAL_MS)
    with_history = "start of `run --deck virtual`, history present, to the first picture with the last known values"
    return [
        _row("start of `run --deck virtual` to the first picture", "landed_ms", run, floor, goal, f"{_parts(run)} {NOTE}"),
        _row("start of `demo` to the first picture", "landed_ms", demo, floor, goal, _parts(demo)),
        _row(with_history, "landed_ms", again, floor, goal, _parts(again)),
        _row(
            f"CPU time of the {with_history}", "landed_cpu_ms", again, floor, of_cpu, f"all threads; {_parts(again, '_cpu_ms')}"
        ),
    ]


def _row(name: str, key: str, ours: Sequence[Marks], floor: Sequence[Marks], goal: Goal, note: str) -> Row:
    return Row(name, "ms", tuple(one[key] for one in ours), FLOOR, tuple(one[key] for one in floor), goal, note)


def _parts(told: Sequence[Marks], kind: str = "_ms") -> str:
    """Where the time goes, in words. `kind` "_cpu_ms": CPU time."""
    began, imported, made, opened, landed = (
        statistics.median(one[mark + kind] for one in told) for mark in ("began", "imported", "made", "opened", "landed")
    )
    return (
        f"medians of the parts: Python itself {began:.0f} ms; imports {imported - began:.0f} ms; configuration, control socket "
        f"and the page's server {made - imported:.0f} ms; scan {opened - made:.0f} ms; opening the deck, recalling, painting, "
        f"sending {landed - opened:.0f} ms."
    )


def _first_life(env: Mapping[str, str]) -> int:
    """Fills a history; the picture of a key that knows nothing yet."""
    with Child("bench.child_start", *RUN, env=env) as child:
        preparing = child.answer()["picture"]
        child.answer()  # the credits have come
    return int(preparing)


def _together(new: Mapping[str, str], known: Mapping[str, str], preparing: int) -> tuple[Marks, Marks, Marks, Marks]:
    """`run`, `demo`, `run` with a history, and the floor, one after the other."""
    return _start(RUN, new), _start(DEMO, new), _start(RUN, known, unlike=preparing), _floor()


def _start(command: tuple[str, ...], env: Mapping[str, str], unlike: int | None = None) -> Marks:
    """Up to the first picture, or to the first that is not `unlike`."""
    with Child("bench.child_start", *command, env=env) as child:
        while (told := child.answer())["picture"] == unlike:
            pass
        return _since(child.began_s, told["marks"])


def _floor() -> Marks:
    with Child("bench.child_floor") as child:
        return _since(child.began_s, child.answer())


def _since(began_s: float, marks: dict[str, tuple[float, float]]) -> Marks:
    """Milliseconds since the parent asked the system for the process, and milliseconds of CPU time."""
    passed = {f"{name}_ms": 1000 * (mark_s - began_s) for name, (mark_s, _) in marks.items()}
    return passed | {f"{name}_cpu_ms": 1000 * cpu_s for name, (_, cpu_s) in marks.items()}
