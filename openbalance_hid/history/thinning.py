"""Which samples are kept: all of the last 48 hours, the last of each UTC hour for 7 days, the first and last of each UTC day
forever: with these two the counter knows what the day cost.

Pure, and therefore apart from the statements in `writes`.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

ALL_FOR = timedelta(hours=48)  # keeps today and yesterday, with the readings around their midnights
HOURLY_FOR = timedelta(days=7)


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
