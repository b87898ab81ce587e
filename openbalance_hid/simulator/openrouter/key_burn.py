"""The spend of one API key that runs away, until it is disabled. Pure: a function of time and of the changes of the key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

OffSpans = Sequence[tuple[datetime, datetime | None]]  # when a key was disabled; None: it still is

RUNAWAY_KEY = 1  # the number of the key
BEGAN_BEFORE = timedelta(hours=2)  # the scenario was chosen


@dataclass(frozen=True, slots=True)
class KeyBurn:
    """`start`: aware UTC; `off`: returns when the key was disabled."""

    start: datetime
    usd_an_hour: float
    off: Callable[[], OffSpans]

    def usd(self, since: datetime, until: datetime) -> float:
        """Return the spend of the key from `since` to `until`."""
        since = max(since, self.start)
        active_s = max(0.0, (until - since).total_seconds())
        for start, end in self.off():
            active_s -= max(0.0, (min(until, end or until) - max(since, start)).total_seconds())
        return self.usd_an_hour * max(0.0, active_s) / 3600
