"""Which UTC days a moment belongs to: the server's time, midnights, and the days of a period. Pure.

Every instant in a snapshot is in the server's time, which the `Date` header of each answer has: a local clock that is wrong,
or is put right, moves none of them. `utc_now` turns the local time into it. Periods end with the last good answer: while none
comes, no day drops out of them, and a value gets old instead of small.
"""

from datetime import UTC, date, datetime, time, timedelta

from openbalance_hid.account.snapshot import Snapshot

PERIOD_DAYS = {"7d": 7, "30d": 30}  # completed UTC days of the rolling periods; today so far comes on top
CLOCKS_APART_S = 60.0  # wall against monotonic, between two moments: the machine slept, or its clock was set
_NO_SHIFT = timedelta(0)
SKEW_LIMIT_S = 120.0  # from here on, days follow the server's clock


def utc_now(snapshot: Snapshot, now: datetime) -> datetime:
    """Return `now` (aware) in UTC by the server's clock if the two differ by more than 120 s, else by the local clock."""
    return now.astimezone(UTC) + server_shift(snapshot)


def carried_time(snapshot: Snapshot, now: datetime, mono_s: float) -> datetime:
    """Return the present in the server's time, also just after the local clock was set: then by the monotonic clock.

    It counts from the newest sample; after a sleep of the machine, which looks the same, the time of the sleep is missing.
    """
    by_wall = utc_now(snapshot, now)
    if not snapshot.samples:
        return by_wall
    newest = snapshot.samples[-1]
    by_mono = newest.at + timedelta(seconds=mono_s - newest.mono_s)
    return by_wall if abs((by_wall - by_mono).total_seconds()) <= CLOCKS_APART_S else by_mono


def server_shift(snapshot: Snapshot) -> timedelta:
    """Return what turns an instant of the local clock into one of the server's; zero while the two agree.

    Never zero without a key: the instants of such a snapshot are by the clock of the machine that published it.
    """
    skew_s = snapshot.server_skew_s
    if skew_s is None or (abs(skew_s) <= SKEW_LIMIT_S and snapshot.origin is None):
        return _NO_SHIFT
    return timedelta(seconds=skew_s)


def last_contact(snapshot: Snapshot) -> datetime | None:
    """Return the time of the last good answer of any endpoint; None: there was none."""
    readings = (snapshot.credits, snapshot.activity, snapshot.today, snapshot.keys, snapshot.window)
    return max((each.measured_at for each in readings if each.measured_at is not None), default=None)


def answered_at(snapshot: Snapshot, now: datetime) -> datetime:
    """Return the time of the last good answer, at most the present time; that time if there was none."""
    at = utc_now(snapshot, now)
    return min(at, last_contact(snapshot) or at)


def midnight(day: date) -> datetime:
    """Return the start of a UTC day."""
    return datetime.combine(day, time(0), tzinfo=UTC)


def period_end(snapshot: Snapshot, period: str, now: datetime) -> datetime:
    """Return the end of a period: the last good answer; the present for a calendar day or month that started after it."""
    at, present = answered_at(snapshot, now), utc_now(snapshot, now)
    if period in PERIOD_DAYS:
        return at
    return at if period == "month" and at.date().replace(day=1) == present.date().replace(day=1) else present


def completed_days(period: str, at: datetime) -> list[date]:
    """Return the completed UTC days of a period that ends at `at`, newest first."""
    today = at.date()
    count = {"month": today.day - 1, "today": 0}.get(period, 0) or PERIOD_DAYS.get(period, 0)
    return [today - timedelta(days=age) for age in range(1, count + 1)]
