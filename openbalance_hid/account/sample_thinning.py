"""Which samples are kept: all of the last 48 hours, the last of each UTC hour for 35 days, the first and last of each UTC day
forever: with these two the counter knows what the day cost.

Pure. A snapshot has those of `RECENT_FOR`: the spike rule compares the last hours with the hours of five weeks.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

ALL_FOR = timedelta(hours=48)  # keeps today and yesterday, with the readings around their midnights
HOURLY_FOR = timedelta(days=35)
RECENT_FOR = HOURLY_FOR + timedelta(hours=1)  # includes the reading before the oldest midnight


def thin(instants: Iterable[datetime], now: datetime) -> frozenset[datetime]:
    """Return the aware `instants` to keep, always with the newest one. Thinning often gives the same result as thinning once.

    Instants later than `now` are kept: either clock may have been wrong.
    """
    last: dict[tuple[str, datetime], datetime] = {}
    first: dict[date, datetime] = {}
    for at in sorted(instants):
        last[_slot(at.astimezone(UTC), now - at)] = at
        first.setdefault(at.astimezone(UTC).date(), at)
    return frozenset((*first.values(), *last.values()))


def _slot(at: datetime, age: timedelta) -> tuple[str, datetime]:
    """Return the slot that keeps only one instant."""
    if age <= ALL_FOR:
        return "all", at
    if age <= HOURLY_FOR:
        return "hour", at.replace(minute=0, second=0, microsecond=0)
    return "day", at.replace(hour=0, minute=0, second=0, microsecond=0)
