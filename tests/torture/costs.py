"""What a process holds at this moment, as the kernel says."""

import os
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Costs:
    """`private_mib`: resident memory that no other process shares, MiB."""

    threads: int
    handles: int
    private_mib: float

    @classmethod
    def of(cls, pid: int | None = None) -> "Costs":
        """Those of a process, None: of this one. OSError where there is no /proc, or no such process."""
        place = Path("/proc") / str(pid or os.getpid())
        rollup = (place / "smaps_rollup").read_text()
        private_kib = sum(int(amount) for amount in re.findall(r"^Private_\w+:\s+(\d+) kB", rollup, re.MULTILINE))
        threads, handles = (len(list((place / part).iterdir())) for part in ("task", "fd"))
        return cls(threads, handles, private_kib / 1024)

    def __str__(self) -> str:
        return f"{self.threads} threads, {self.handles} handles, {self.private_mib:.1f} MiB"


needs_proc = "needs Linux's /proc"
has_proc = Path("/proc/self/smaps_rollup").exists()
