"""Spend of UTC days and periods, USD, and the daily trend. Pure.

A period is the last 7 or 30 *completed* UTC days of `/activity`, plus today so far where it is known. An unknown amount is
None, never zero. Days and periods are in `utc_days`, models and providers in `leaders`.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from openbalance_hid.account.counter import spent_between, ticks
from openbalance_hid.account.days import ACTIVITY_DAYS
from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.account.utc_days import answered_at, completed_days, midnight, period_end, server_shift, utc_now

SETTLED_AFTER = timedelta(hours=6)  # a day without rows is idle if `/activity` was read this long after its end, else late
TREND_GAP_S = 3600.0  # the longest gap between samples at either end of "by this time yesterday"


class Trend(Struct, frozen=True):
    """Spend compared with the day before. `basis`: "today" (by this time of day) or "yest" (last completed day)."""

    difference_usd: Decimal  # above zero: more was spent
    basis: str


# --- one day ---------------------------------------------------------------------------------------------------------


def day_usd(snapshot: Snapshot, day: date) -> Decimal | None:
    """Return the spend of a completed UTC day from `/activity`; None while it is not published or not read."""
    activity = snapshot.activity.value
    if activity is None:
        return None
    if day in activity.by_model:
        return sum((spend.usd for spend in activity.by_model[day].values()), Decimal(0))
    newest, measured_at = activity.newest, snapshot.activity.measured_at
    read_at = None if measured_at is None else measured_at + server_shift(snapshot)
    if read_at is not None and day < read_at.date() - timedelta(days=ACTIVITY_DAYS):
        return None
    settled = read_at is not None and read_at >= midnight(day + timedelta(days=1)) + SETTLED_AFTER
    return Decimal(0) if settled or (newest is not None and day < newest) else None


def completed_usd(snapshot: Snapshot, day: date) -> Decimal | None:
    """Return the spend of a completed UTC day from `/activity`, until then from the counter; None if neither has it."""
    published = day_usd(snapshot, day)
    if published is not None:
        return published
    start = midnight(day) - server_shift(snapshot)
    stretch = spent_between(ticks(snapshot.samples), start, start + timedelta(days=1))
    return stretch.usd if stretch is not None else None


def today_usd(snapshot: Snapshot, now: datetime) -> Decimal | None:
    """Return the spend since UTC midnight; None while unknown.

    From the analytics query, which is sent a few times a day, plus the counter since then; else from the counter alone.
    """
    day = utc_now(snapshot, now).date()
    reading = snapshot.today
    today = reading.value if reading.value is not None and reading.value.day == day else None
    usd = None if today is None or reading.measured_at is None else today.usd + _counted_after(snapshot, reading.measured_at)
    if usd is not None and today is not None and reading.health in (Health.OK, Health.PREPARING) and not today.truncated:
        return usd
    counted = counted_usd(snapshot, midnight(day) - server_shift(snapshot))
    return counted if counted is not None else usd


def today_since(snapshot: Snapshot, now: datetime) -> tuple[Decimal, datetime] | None:
    """Return what the counter has of today (USD) and from when on (aware UTC), where the samples start after midnight.

    None with fewer than two samples of today.
    """
    start = midnight(utc_now(snapshot, now).date()) - server_shift(snapshot)
    series = [tick for tick in ticks(snapshot.samples) if tick.at >= start]
    series = [tick for tick in series if tick.epoch == series[-1].epoch]
    if len(series) < 2:
        return None
    return series[-1].counter_usd - series[0].counter_usd, series[0].at + server_shift(snapshot)


def counted_usd(snapshot: Snapshot, start: datetime) -> Decimal | None:
    """Return the spend from `start` (local clock) to the newest sample; None if the samples do not reach back."""
    series = ticks(snapshot.samples)
    if not series or series[-1].at < start:
        return None
    stretch = spent_between(series, start, series[-1].at)
    return stretch.usd if stretch is not None else None


def _counted_after(snapshot: Snapshot, start: datetime) -> Decimal:
    """Return the spend after `start`; 0 if the samples do not reach back."""
    return counted_usd(snapshot, start) or Decimal(0)


# --- several days ----------------------------------------------------------------------------------------------------


def used_usd(snapshot: Snapshot, period: str, now: datetime) -> Decimal | None:
    """Return the credits used in `period`: "today", "7d", "30d", "month" (UTC, to date) or "all"; None while unknown."""
    if period == "all":
        return snapshot.credits.value.total_usage_usd if snapshot.credits.value is not None else None
    if period == "today":
        return today_usd(snapshot, now)
    if snapshot.activity.value is None:
        return None
    at = period_end(snapshot, period, now)
    days = [completed_usd(snapshot, day) for day in completed_days(snapshot, period, at)]
    known = [usd for usd in (*days, today_usd(snapshot, at)) if usd is not None]
    return sum(known, Decimal(0)) if known else None


def percent_used(snapshot: Snapshot, period: str, now: datetime) -> Decimal | None:
    """Return `used_usd` in percent of everything purchased; None while unknown or without any purchase."""
    used = used_usd(snapshot, period, now)
    account = snapshot.credits.value
    if used is None or account is None or account.total_credits_usd <= 0:
        return None
    return used * 100 / account.total_credits_usd


def daily_usd(snapshot: Snapshot, days: int, now: datetime) -> tuple[Decimal | None, ...]:
    """Return the spend of each of the last `days` UTC days, oldest first, the last one being today so far."""
    at = answered_at(snapshot, now)
    today = utc_now(snapshot, at).date()
    completed = [completed_usd(snapshot, today - timedelta(days=age)) for age in range(days - 1, 0, -1)]
    return (*completed, today_usd(snapshot, at))


def trend(snapshot: Snapshot, now: datetime) -> Trend | None:
    """Return today against yesterday by the same time if both are known, else the last two completed days."""
    day, at = utc_now(snapshot, now).date(), utc_now(snapshot, answered_at(snapshot, now))
    # Today is known up to the last answer, so yesterday is compared up to the same time of day, not up to now.
    today, before = today_usd(snapshot, now), _yesterday_by(snapshot, at)
    if today is not None and before is not None:
        return Trend(today - before, "today")
    newer, older = (completed_usd(snapshot, day - timedelta(days=age)) for age in (1, 2))
    return Trend(newer - older, "yest") if newer is not None and older is not None else None


def _yesterday_by(snapshot: Snapshot, at: datetime) -> Decimal | None:
    """Return the spend of the day before `at` (server's clock) by the same time of day; None if samples are too far apart."""
    start, shift = midnight(at.date() - timedelta(days=1)), server_shift(snapshot)
    stretch = spent_between(ticks(snapshot.samples), start - shift, at - timedelta(days=1) - shift)
    return stretch.usd if stretch is not None and stretch.edge_gap_s <= TREND_GAP_S else None
