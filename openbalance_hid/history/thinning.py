"""Which samples are kept: all of the last 48 hours, the last of each UTC hour for 7 days, the last of each UTC day for ever.

Pure: instants and the time go in, the instants that stay come out.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

ALL_FOR = timedelta(hours=48)  # so that today and yesterday, and the readings round their midnights, are whole
HOURLY_FOR = timedelta(days=7)


def thin(instants: Iterable[datetime], now: datetime) -> frozenset[datetime]:
    """Those of `instants` (aware) that stay. The newest one always does; thinning in steps ends where thinning at once does.

    Instants later than `now` were written by a clock that ran ahead; they are kept, for now may be what is wrong.
    """
    last: dict[tuple[str, datetime], datetime] = {}
    for at in sorted(instants):
        last[_place(at.astimezone(UTC), now - at)] = at
    return frozenset(last.values())


def _place(at: datetime, age: timedelta) -> tuple[str, datetime]:
    """The place that only one instant can have."""
    if age <= ALL_FOR:
        return "all", at
    if age <= HOURLY_FOR:
        return "hour", at.replace(minute=0, second=0, microsecond=0)
    return "day", at.replace(hour=0, minute=0, second=0, microsecond=0)
