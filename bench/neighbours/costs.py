"""The costs of a process so far, from /proc: read from outside, so that they do not include the measuring."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PAGES = ("Private_Clean:", "Private_Dirty:")


@dataclass(frozen=True, slots=True)
class Costs:
    """Since the start of the process, over all threads that still run."""

    switches: int  # voluntary: each is a wait that ended, so a wake-up
    cpu_s: float
    private_mib: float  # pages that no other process shares: what its end would free
    resident_mib: float


def has_costs() -> bool:
    """Return whether this system has the files that `costs_of` reads."""
    return Path("/proc/self/smaps_rollup").exists()


def costs_of(pid: int) -> Costs:
    """Return the costs. Raises OSError when the process has ended."""
    process = Path("/proc", str(pid))
    switches, cpu_ns = 0, 0
    for thread in (process / "task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            switches += _field(thread / "status", "voluntary_ctxt_switches:")
            cpu_ns += int((thread / "schedstat").read_text().split()[0])
    rollup = process / "smaps_rollup"
    private_kib = sum(_field(rollup, name) for name in PAGES)
    return Costs(switches, cpu_ns / 1e9, private_kib / 1024, _field(rollup, "Rss:") / 1024)


def _field(file: Path, name: str) -> int:
    return next(int(line.split()[1]) for line in file.read_text().splitlines() if line.startswith(name))
