"""What the process for HTTP requests costs: its memory while it runs, and the CPU time that each poll starts it for."""

from bench.child import Child
from bench.child_polls import INTERVAL_S
from bench.neighbours.costs import has_costs
from bench.sample_sizes import SampleSizes
from bench.table import Goal, Row
from bench.user_environment import user_environment

HERE = "the same in the daemon itself, its HTTP loaded"
CPU_GOAL_MS = 300.0  # of a poll: 20 ms a minute


def rows(sizes: SampleSizes) -> list[Row]:
    """Return the rows: a poll with a new process, and one without, in turns."""
    if not has_costs():
        return []
    apart: list[dict[str, float]] = []
    here: list[dict[str, float]] = []
    with user_environment() as env, Child("bench.child_polls", env=env) as child:
        for _ in range(sizes.warm_ups + sizes.starts):
            apart.append(child.request("apart"))
            here.append(child.request("here"))
    apart, here = apart[sizes.warm_ups :], here[sizes.warm_ups :]

    def both(part: str) -> tuple[tuple[float, ...], str, tuple[float, ...]]:
        return tuple(each[part] for each in apart), HERE, tuple(each[part] for each in here)

    return [
        Row(
            "memory of the HTTP process, while something is requested",
            "MiB",
            tuple(each["private_mib"] for each in apart),
            "",
            (),
            Goal(at_most=30.0),
            "private memory at the end of a poll. It ends 10 s after the last request: a few seconds in each interval of "
            f"{INTERVAL_S / 60:.0f} minutes.",
        ),
        Row(
            "CPU time of a poll, with the start of the HTTP process",
            "ms",
            *both("cpu_ms"),
            Goal(at_most=CPU_GOAL_MS),
            "all endpoints, both processes. What it costs to keep no HTTP in memory between the polls. The key comes from the "
            "environment; on Linux a read of the keyring starts another process. Measured once, with gnome-keyring: the "
            "daemon then had 27.1 MiB of its own in place of 34.3, and of 39.0 with HTTP in it as well.",
        ),
        Row(
            "time of a poll to the balance, with the start of the HTTP process",
            "ms",
            *both("balance_ms"),
            Goal(at_most=500.0),
        ),
    ]
