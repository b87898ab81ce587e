"""The costs of an idle daemon: one deck and its tiles, with a poll every 15 minutes."""

from fractions import Fraction

from bench.child import Child
from bench.sample_sizes import SampleSizes
from bench.table import Goal, Row
from bench.user_environment import user_environment

MODEL = "mk2"
LIBRARY = "the library as shipped"
GOAL_PER_S = 1.5
PART = Fraction(1, 10)
Pair = tuple[float, float]  # of ours, and of the peer


def rows(sizes: SampleSizes) -> list[Row]:
    """Return the rows; both processes are idle in the same windows."""
    with (
        user_environment() as env,
        Child("bench.child_daemon", MODEL, "1", env=env) as ours,
        Child("bench.child_library", MODEL) as theirs,
    ):
        switches, cpu_ms = idle_costs(ours, theirs, sizes.idle_windows, sizes.idle_window_s)
    return [
        Row(
            "idle, one deck: voluntary context switches of the whole process",
            "a second",
            tuple(a for a, _ in switches),
            LIBRARY,
            tuple(b for _, b in switches),
            Goal(at_most=GOAL_PER_S, ratio=PART),
            "whole `run` with seven tiles and a poll every 15 minutes; the peer is the library's own reader with one callback. "
            f"Windows of {sizes.idle_window_s:g} s for both at once, each with one switch of the measuring thread in it.",
        ),
        Row(
            "idle, one deck: CPU time",
            "ms a minute",
            tuple(a for a, _ in cpu_ms),
            LIBRARY,
            tuple(b for _, b in cpu_ms),
            Goal(ratio=Fraction(1, 5)),
            "the same windows, converted to a minute.",
        ),
    ]


def idle_costs(ours: Child, theirs: Child, windows: int, window_s: float) -> tuple[list[Pair], list[Pair]]:
    """Return the context switches a second and the CPU milliseconds a minute of both, in the same windows."""
    switches: list[Pair] = []
    cpu_ms: list[Pair] = []
    for child in (ours, theirs):
        child.request("settle")
    for _ in range(windows):
        for child in (ours, theirs):
            child.send(f"idle {window_s}")
        one, other = (child.reply() for child in (ours, theirs))
        switches.append((one["switches"] / one["passed_s"], other["switches"] / other["passed_s"]))
        cpu_ms.append((60_000 * one["cpu_s"] / one["passed_s"], 60_000 * other["cpu_s"] / other["passed_s"]))
    return switches, cpu_ms
