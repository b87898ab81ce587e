"""Threads, open files and memory of a process, from /proc."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ResourceUsage:
    """`private_mib`: resident memory that no other process shares, MiB."""

    threads: int
    handles: int
    private_mib: float

    @classmethod
    def of(cls, pid: int | None = None) -> "ResourceUsage":
        """Return the usage of a process; None: of this one. Raises OSError without /proc, or for a missing process."""
        number = pid or os.getpid()
        try:
            return cls(*_counted(number))
        except PermissionError:  # a process that holds a key protects its memory: only root can read its usage
            return cls(*_counted_by_root(number))

    def __str__(self) -> str:
        return f"{self.threads} threads, {self.handles} handles, {self.private_mib:.1f} MiB"


def _counted(pid: int) -> tuple[int, int, float]:
    place = Path("/proc") / str(pid)
    rollup = (place / "smaps_rollup").read_text()
    private_kib = sum(int(amount) for amount in re.findall(r"^Private_\w+:\s+(\d+) kB", rollup, re.MULTILINE))
    threads, handles = (len(list((place / part).iterdir())) for part in ("task", "fd"))
    return threads, handles, private_kib / 1024


def _counted_by_root(pid: int) -> tuple[int, int, float]:
    import pytest

    from tests.other_user import as_root

    prefix = as_root()
    if prefix is None:
        pytest.skip("only root can read the usage of a process that protects its memory")
    ended = subprocess.run([*prefix, sys.executable, "-I", __file__, str(pid)], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise OSError(ended.stderr.strip().rpartition("\n")[2])
    threads, handles, private_mib = json.loads(ended.stdout)
    return threads, handles, private_mib


needs_proc = "needs Linux's /proc"
has_proc = Path("/proc/self/smaps_rollup").exists()

if __name__ == "__main__":
    sys.stdout.write(json.dumps(_counted(int(sys.argv[1]))))
