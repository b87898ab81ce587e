"""The costs of ten command tiles on an idle deck, with a run of each program once a minute."""

from bench.child import Child
from bench.row_idle import idle_costs
from bench.sample_sizes import SampleSizes
from bench.table import Goal, Row
from bench.user_environment import user_environment

MODEL = "mk2"
TILES = 10
GOAL_PER_S = 2.0
PEER = "the same daemon with ten keys less"
KEYS = "[[decks]]\n" + "".join(
    f'[[decks.keys]]\nkey = {key}\ntile = "command"\nshow = ["/bin/date", "+%H:%M {key}"]\nevery_seconds = 60\n'
    for key in range(5, 5 + TILES)
)
BLANK = "[[decks]]\n" + "".join(f'[[decks.keys]]\nkey = {key}\ntile = "blank"\n' for key in range(5, 5 + TILES))


def rows(sizes: SampleSizes) -> list[Row]:
    """Return the rows; both daemons are idle in the same windows, each of which has one run of every program."""
    with (
        user_environment(KEYS) as with_tiles,
        user_environment(BLANK) as without,
        Child("bench.child_daemon", MODEL, "1", env=with_tiles) as ours,
        Child("bench.child_daemon", MODEL, "1", env=without) as theirs,
    ):
        switches, cpu_ms = idle_costs(ours, theirs, sizes.minutes, sizes.minute_s)
    return [
        Row(
            "idle, ten command tiles at 60 s: voluntary context switches of the whole process",
            "a second",
            tuple(a for a, _ in switches),
            PEER,
            tuple(b for _, b in switches),
            Goal(at_most=GOAL_PER_S),
            "whole `run`; the programs are children, started together once a minute, and each changes its key. Windows of "
            f"{sizes.minute_s:g} s for both at once. In turns with the program of 2026-11-25 on one busy machine: then 3.7 and "
            "5.0, now 3.9 and 3.9; on a quiet one, on 2026-11-30, 1.7.",
        ),
        Row(
            "idle, ten command tiles at 60 s: CPU time",
            "ms a minute",
            tuple(a for a, _ in cpu_ms),
            PEER,
            tuple(b for _, b in cpu_ms),
            Goal(),
            "the same windows; without the programs themselves.",
        ),
    ]
