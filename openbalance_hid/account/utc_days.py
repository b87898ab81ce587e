"""Which UTC days a moment belongs to: the server's time, midnights, and the days of a period. Pure.

Periods end with the last good answer: while none comes, no day drops out of them, and a value gets old instead of small.
"""

from datetime import UTC, date, datetime, time, timedelta

from openbalance_hid.account.snapshot import Snapshot

PERIOD_DAYS = {"7d": 7, "30d": 30}  # completed UTC days of the rolling periods; today so far comes on top
SKEW_LIMIT_S = 120.0  # from here on, days follow the server's clock


def utc_now(snapshot: Snapshot, now: datetime) -> datetime:
    """Return `now` (aware) in UTC by the server's clock if the two differ by more than 120 s, else by the local clock."""
    return now.astimezone(UTC) + server_shift(snapshot)


def server_shift(snapshot: Snapshot) -> timedelta:
    """Return what turns an instant of the local clock, such as a sample's, into one of the server's."""
    skew_s = snapshot.server_skew_s
    return timedelta(seconds=skew_s) if skew_s is not None and abs(skew_s) > SKEW_LIMIT_S else timedelta(0)


def answered_at(snapshot: Snapshot, now: datetime) -> datetime:
    """Return the time of the last good answer, at most `now`; `now` if there was none."""
    readings = (snapshot.credits, snapshot.activity, snapshot.today, snapshot.window)
    return min(now, max((each.measured_at for each in readings if each.measured_at is not None), default=now))


def midnight(day: date) -> datetime:
    """Return the start of a UTC day."""
    return datetime.combine(day, time(0), tzinfo=UTC)


def period_end(snapshot: Snapshot, period: str, now: datetime) -> datetime:
    """Return the end of a period: the last good answer; `now` for a calendar day or month that started after it."""
    at = answered_at(snapshot, now)
    if period in PERIOD_DAYS:
        return at
    then, today = utc_now(snapshot, at).date(), utc_now(snapshot, now).date()
    return at if period == "month" and then.replace(day=1) == today.replace(day=1) else now


def completed_days(snapshot: Snapshot, period: str, at: datetime) -> list[date]:
    """Return the completed UTC days of a period that ends at `at`, newest first."""
    today = utc_now(snapshot, at).date()
    count = today.day - 1 if period == "month" else PERIOD_DAYS[period]
    return [today - timedelta(days=age) for age in range(1, count + 1)]
