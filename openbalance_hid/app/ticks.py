"""What changes by time alone: the turn of cycling tiles, the end of a "Preparing…", the two halves of a pulse. Pure."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.clock import Moment
from openbalance_hid.tiles.states import PREPARING_TIME

CYCLE_S = 60.0  # how long a cycling tile shows one part; ages are evaluated as often
PULSE_S = 1.0  # each half of a pulse: one picture a second
MOST_PULSES = 32


class Ticks(Struct, frozen=True):
    """Counted from the start of the controller, in monotonic seconds."""

    started_s: float

    def cycle(self, now_s: float) -> int:
        """Return the number of the cycle, from 0: it selects the part that a cycling tile shows."""
        return self._whole(now_s, CYCLE_S)

    def changes_tiles(self, since: Moment, now: Moment, snapshots: Iterable[Snapshot]) -> bool:
        """Return whether tiles may show something else than at `since`, by time alone."""
        turned = self.cycle(now.mono_s) != self.cycle(since.mono_s)
        return turned or any(since.utc < end <= now.utc for end in _preparing_ends(snapshots))

    def next_change_s(self, now: Moment, snapshots: Iterable[Snapshot]) -> float:
        """Return when they may the next time."""
        waits_s = [(end - now.utc).total_seconds() for end in _preparing_ends(snapshots)]
        cycle_s = self.started_s + (self.cycle(now.mono_s) + 1) * CYCLE_S
        return min([cycle_s, *(now.mono_s + wait_s for wait_s in waits_s if wait_s > 0)])

    def is_quiet(self, now_s: float, tiles: int = 1) -> bool:
        """Return whether it is the quiet half of a pulse, while so many tiles pulse."""
        return self._whole(now_s, pulse_s(tiles)) % 2 == 1

    def next_half_s(self, now_s: float, tiles: int = 1) -> float:
        """Return when the other half starts."""
        half_s = pulse_s(tiles)
        return self.started_s + (self._whole(now_s, half_s) + 1) * half_s

    def _whole(self, now_s: float, part_s: float) -> int:
        """Return the whole parts since the start. The tolerance keeps a rounding error from repeating a deadline forever."""
        return int((now_s - self.started_s) / part_s + 1e-6)


def pulse_s(tiles: int) -> float:
    """Return the length of half a pulse: of many tiles slower, for no more than `MOST_PULSES` pictures a second."""
    return PULSE_S * max(1, -(-tiles // MOST_PULSES))


def _preparing_ends(snapshots: Iterable[Snapshot]) -> list[datetime]:
    """Return when "Preparing…" ends, or has ended, for each snapshot."""
    return [snapshot.started_at + PREPARING_TIME for snapshot in snapshots]
