"""What comes round by itself while a house stands: the turn of cycling tiles, the end of a "Preparing…", a pulse. Pure."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.clock import Moment
from openbalance_hid.tiles.states import PATIENCE

TURN_S = 60.0  # a page of models stands this long; ages are read again as often
PULSE_S = 1.0  # each half of a pulse: one picture a second


class Ticks(Struct, frozen=True):
    """Counted from when the house began. Monotonic seconds, where no moment is asked for."""

    started_s: float

    def turn(self, now_s: float) -> int:
        """Which page of a cycling tile it is, counting up."""
        return self._whole(now_s, TURN_S)

    def has_news(self, since: Moment, now: Moment, snapshots: Iterable[Snapshot]) -> bool:
        """Whether time alone has given tiles something else to say."""
        turned = self.turn(now.mono_s) != self.turn(since.mono_s)
        return turned or any(since.utc < end <= now.utc for end in _ends_of_patience(snapshots))

    def next_news_s(self, now: Moment, snapshots: Iterable[Snapshot]) -> float:
        """When it does the next time."""
        waits_s = [(end - now.utc).total_seconds() for end in _ends_of_patience(snapshots)]
        turn_s = self.started_s + (self.turn(now.mono_s) + 1) * TURN_S
        return min([turn_s, *(now.mono_s + wait_s for wait_s in waits_s if wait_s > 0)])

    def is_quiet(self, now_s: float) -> bool:
        """Whether it is the quiet half of a pulse."""
        return self._whole(now_s, PULSE_S) % 2 == 1

    def next_half_s(self, now_s: float) -> float:
        """When the other half begins."""
        return self.started_s + (self._whole(now_s, PULSE_S) + 1) * PULSE_S

    def _whole(self, now_s: float, part_s: float) -> int:
        """Whole parts since the start; a rounding error short of a part is the part, or time would stand still."""
        return int((now_s - self.started_s) / part_s + 1e-6)


def _ends_of_patience(snapshots: Iterable[Snapshot]) -> list[datetime]:
    """When each "Preparing…" ends, or has ended."""
    return [snapshot.started_at + PATIENCE for snapshot in snapshots]
