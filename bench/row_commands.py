"""Commands that status bars call again and again, as whole processes beside a running daemon."""

import subprocess
import sys
import time
from collections.abc import Mapping

from bench.child import Child, bare_environment
from bench.sample_sizes import SampleSizes
from bench.table import Goal, Row
from bench.user_environment import user_environment

MODEL = "mk2"
NOTE = (
    "from the start of Python to its end, with a running daemon. On another machine, on 2026-11-30: 40.4 ms (39.9 to 40.9), "
    "3.84 times the peer."
)
STATUS_NOTE = (
    "More than on 2026-11-25 as a ratio (5.6): the answer also has the state of alerts, programs, brokers and metrics, and the "
    "command the types to read it with."
)
BARE = "an empty Python process"
GOALS_MS = {"bar": 60.0, "status": 120.0}  # by command


def rows(sizes: SampleSizes) -> list[Row]:
    """Return the rows: each command and an empty Python process, in turns."""
    measured: dict[str, list[float]] = {name: [] for name in (*GOALS_MS, "")}
    with user_environment() as env, Child("bench.child_daemon", MODEL, "1", env=env) as daemon:
        daemon.request("settle")
        for number in range(sizes.warm_ups + sizes.starts):
            for name, taken in measured.items():
                took_ms = _took_ms(name, env)
                if number >= sizes.warm_ups:
                    taken.append(took_ms)
    bare = tuple(measured[""])
    return [
        Row(f"`{name}`, the whole process", "ms", tuple(measured[name]), BARE, bare, Goal(at_most=goal_ms), note)
        for (name, goal_ms), note in zip(GOALS_MS.items(), (NOTE, STATUS_NOTE), strict=True)
    ]


def _took_ms(command: str, env: Mapping[str, str]) -> float:
    words = ["-m", "openbalance_hid", command] if command else ["-c", ""]
    started_s = time.perf_counter()
    subprocess.run([sys.executable, *words], env={**bare_environment(), **env}, stdout=subprocess.DEVNULL, check=True)
    return 1000 * (time.perf_counter() - started_s)
