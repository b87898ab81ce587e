"""Commands that are called again and again, as whole processes: from their start to their end, a running daemon beside them."""

import subprocess
import sys
import time
from collections.abc import Mapping

from bench.child import Child, bare_environment
from bench.counts import Counts
from bench.owner import owner
from bench.table import Goal, Row

MODEL = "mk2"
BARE = "an empty Python process"
GOAL_MS = 120.0
COMMANDS = ("bar", "status")


def rows(counts: Counts) -> list[Row]:
    """Each command, and Python doing nothing, in turns."""
    told: dict[str, list[float]] = {name: [] for name in (*COMMANDS, "")}
    with owner() as env, Child("bench.child_daemon", MODEL, "1", env=env) as daemon:
        daemon.ask("settle")
        for number in range(counts.warm_ups + counts.starts):
            for name, taken in told.items():
                took_ms = _took_ms(name, env)
                if number >= counts.warm_ups:
                    taken.append(took_ms)
    bare = tuple(told[""])
    return [
        Row(f"`{name}`, the whole process", "ms", tuple(told[name]), BARE, bare, Goal(at_most=GOAL_MS), note)
        for name, note in zip(COMMANDS, ("from the start of Python to its end, asked of a running daemon.", ""), strict=True)
    ]


def _took_ms(command: str, env: Mapping[str, str]) -> float:
    words = ["-m", "openbalance_hid", command] if command else ["-c", ""]
    began_s = time.perf_counter()
    subprocess.run([sys.executable, *words], env={**bare_environment(), **env}, stdout=subprocess.DEVNULL, check=True)
    return 1000 * (time.perf_counter() - began_s)
