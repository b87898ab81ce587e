"""The start where fsync takes two seconds: the first number must come from the network meanwhile."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.row_history import first_number_ms
from bench.sample_sizes import SampleSizes
from bench.table import Goal, Row
from bench.user_environment import user_environment

SOURCE = Path(__file__).with_name("slow_fsync.c")


def rows(sizes: SampleSizes) -> list[Row]:
    """Return the row; none where no C compiler is installed, or where libraries are preloaded in another way."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        return []
    slow, fast = [], []
    with tempfile.TemporaryDirectory(prefix="openbalance-bench-") as folder:
        library = str(Path(folder, "slow_fsync.so"))
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
        for _ in range(max(1, sizes.starts // 3)):
            with user_environment() as env:  # a new one each time: to make the file of the history takes most writes
                slow.append(first_number_ms({**env, "LD_PRELOAD": library}))
            with user_environment() as env:
                fast.append(first_number_ms(env))
    note = "with a preloaded `fsync` and `fdatasync` that wait; the file of the history does not exist yet."
    goal = Goal(at_most=1500.0)
    name = "first number where fsync takes 2 s"
    return [Row(name, "ms", tuple(slow), "the same on this machine's disk", tuple(fast), goal, note)]
