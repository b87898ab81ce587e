"""What one API key has spent of its period and of its limit. Pure. USD.

The row of a key is as old as its answer: an amount of a day, week or month that has ended since is unknown, and so is what is
left of a limit that has been reset since.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from openbalance_hid.account.snapshot import ApiKey, Snapshot
from openbalance_hid.account.utc_days import utc_now

_PERIOD_OF_RESET = {"daily": "today", "weekly": "week", "monthly": "month"}


def key_usd(snapshot: Snapshot, key: ApiKey, period: str, now: datetime) -> Decimal | None:
    """Return the spend in `period`: "today", "week" (from Monday) or "month", in UTC; None while it is unknown."""
    if _has_ended(snapshot, period, now):
        return None
    return {"today": key.today_usd, "week": key.week_usd, "month": key.month_usd}[period]


def key_byok_usd(snapshot: Snapshot, key: ApiKey, period: str, now: datetime) -> Decimal | None:
    """Return the own-key inference in `period`, as `key_usd`."""
    if _has_ended(snapshot, period, now):
        return None
    return {"today": key.byok_today_usd, "week": key.byok_week_usd, "month": key.byok_month_usd}[period]


def limit_left_usd(snapshot: Snapshot, key: ApiKey, now: datetime) -> Decimal | None:
    """Return what is left of the key's limit; None without a limit, and while that is unknown."""
    period = _PERIOD_OF_RESET.get(key.limit_reset or "")
    if key.limit_usd is None or (period is not None and _has_ended(snapshot, period, now)):
        return None
    return key.limit_left_usd


def limit_share(snapshot: Snapshot, key: ApiKey, now: datetime) -> Decimal | None:
    """Return the used share of the limit, 0 to 1 or more; 1 for a limit of 0, which allows nothing; None as above."""
    if key.limit_usd is not None and key.limit_usd <= 0:
        return Decimal(1)
    left_usd = limit_left_usd(snapshot, key, now)
    if key.limit_usd is None or left_usd is None:
        return None
    return max(Decimal(0), key.limit_usd - left_usd) / key.limit_usd


def without_ended_periods(key: ApiKey, read_at: datetime, now: datetime) -> ApiKey:
    """Return the row of an earlier answer for a later one: amounts of a day, week or month that has ended since are unknown."""
    ended = {period for period in _PERIOD_OF_RESET.values() if _first_day(read_at, period) != _first_day(now, period)}
    return replace(
        key,
        today_usd=None if "today" in ended else key.today_usd,
        week_usd=None if "week" in ended else key.week_usd,
        month_usd=None if "month" in ended else key.month_usd,
        byok_today_usd=None if "today" in ended else key.byok_today_usd,
        byok_week_usd=None if "week" in ended else key.byok_week_usd,
        byok_month_usd=None if "month" in ended else key.byok_month_usd,
        limit_left_usd=None if _PERIOD_OF_RESET.get(key.limit_reset or "") in ended else key.limit_left_usd,
    )


def _has_ended(snapshot: Snapshot, period: str, now: datetime) -> bool:
    """Return whether the period in which the keys were read is over."""
    read_at = snapshot.keys.measured_at
    return read_at is None or _first_day(read_at, period) != _first_day(utc_now(snapshot, now), period)


def _first_day(at: datetime, period: str) -> date:
    day = at.date()
    if period == "today":
        return day
    return day - timedelta(days=day.weekday()) if period == "week" else day.replace(day=1)
