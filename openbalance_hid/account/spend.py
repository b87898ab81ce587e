"""Spend of UTC days and periods, USD, and the daily trend. Pure.

Sources, the best one first:

- a completed day: `/activity` once it is settled; before that, and where it has no row, the counter across the day's two
  midnights; else the day is unknown. A partly published day never replaces what the counter has seen;
- today: the counter from midnight on; the analytics query, which may lag, only where the samples do not cover the day. Its sum
  is a lower bound: OpenRouter does not publish how far behind it is.

No source makes a known amount smaller. Days and periods are in `utc_days`, models and providers in `leaders`.
"""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.amount import SMALLEST_USD, UNKNOWN, ZERO, Amount, as_of, larger, raised, rounded, total
from openbalance_hid.account.counter import BOOKED_WITHIN, Bounds, bounds, ticks
from openbalance_hid.account.days import ACTIVITY_DAYS
from openbalance_hid.account.endpoints import current_until
from openbalance_hid.account.remembered import remembered
from openbalance_hid.account.snapshot import Health, Snapshot, Today
from openbalance_hid.account.utc_days import answered_at, completed_days, midnight, period_end, utc_now

SAME_POLL = timedelta(seconds=5)  # between `/credits` and the analytics query of one poll
SETTLED_AFTER = timedelta(hours=6)  # a day without rows is idle if `/activity` was read this long after its end, else late
TREND_GAP_S = 3600.0  # the longest gap between samples at either end of "by this time yesterday"
ROUGH_SHARE = Decimal("0.1")  # of an amount: with more than this unplaced around its midnights it is a lower bound
# A settled day below the counter by more than this is still being published: share of the day, and USD.
GROWS_SHARE, GROWS_USD = Decimal("0.05"), Decimal("0.05")


class Trend(Struct, frozen=True):
    """The spend of a day and of the day before. `basis`: "today" (both by this time of day) or "yesterday" (both completed)."""

    spent: Amount
    before: Amount
    basis: str

    @property
    def spent_usd(self) -> Decimal:
        return self.spent.usd or ZERO

    @property
    def before_usd(self) -> Decimal:
        return self.before.usd or ZERO

    @property
    def difference_usd(self) -> Decimal:
        """Above zero: more was spent."""
        return self.spent_usd - self.before_usd

    @property
    def approximate(self) -> bool:
        """Whether either side is."""
        return self.spent.approximate or self.before.approximate


# --- one day ---------------------------------------------------------------------------------------------------------


@remembered
def day_usd(snapshot: Snapshot, day: date) -> Amount:
    """Return the spend of a completed UTC day."""
    listed_usd, is_settled = published(snapshot, day)
    counted = _counted(snapshot, midnight(day), midnight(day + timedelta(days=1)))
    if listed_usd is None:
        return counted
    listed = Amount(listed_usd, measured_at=current_until(snapshot, "activity"))
    if is_settled:
        grows = counted.is_whole and (counted.usd or ZERO) - listed_usd > max(GROWS_USD, listed_usd * GROWS_SHARE)
        return counted if grows else listed
    return raised(counted, listed) if counted.is_whole else replace(larger(listed, counted), lower_bound=True)


def published_usd(snapshot: Snapshot, day: date) -> Decimal | None:
    """Return the spend of a completed UTC day from `/activity` alone; None while it is not published or not read."""
    return published(snapshot, day)[0]


def is_incomplete(snapshot: Snapshot, day: date) -> bool:
    """Return whether `/activity` lacks a part of a completed day: it has no row of it, or less than the counter has seen."""
    listed_usd, is_settled = published(snapshot, day)
    counted = _counted(snapshot, midnight(day), midnight(day + timedelta(days=1)))
    if listed_usd is None:
        return not (counted.is_whole and counted.usd == 0)
    seen = counted.usd or ZERO
    return (counted.is_whole or not is_settled) and seen - listed_usd > max(GROWS_USD, listed_usd * GROWS_SHARE)


@remembered
def today_usd(snapshot: Snapshot, now: datetime) -> Amount:
    """Return the spend since UTC midnight; after a reset of the account's usage what is known of it, at least.

    Between midnight and the poll just after it, it is about 0: an answer of `/credits` may be as old as that itself.
    """
    start = midnight(utc_now(snapshot, now).date())
    by_analytics = _reported(snapshot, start.date())
    series = [tick for tick in ticks(snapshot.samples) if tick.at >= start]
    if not series:
        begun = by_analytics if by_analytics.is_known else _just_begun(snapshot, start, utc_now(snapshot, now))
        return _at_most_all(snapshot, begun)
    counted = _counted(snapshot, start, series[-1].at)
    was_reset = series[0].epoch != series[-1].epoch
    if was_reset and not by_analytics.is_known and ticks(snapshot.samples)[0].at > start + BOOKED_WITHIN:
        return UNKNOWN  # what the samples have is the part since the reset, or little more
    best = larger(counted, by_analytics)
    reported_at = _today_at(snapshot)
    is_newer = best is not counted and reported_at is not None and reported_at > series[-1].at + SAME_POLL
    return _at_most_all(snapshot, raised(counted, by_analytics) if counted.is_whole and not is_newer else best)


def _at_most_all(snapshot: Snapshot, amount: Amount) -> Amount:
    """Return what is known of a period's spend as exact, if it is all that the account has ever used: there is no more."""
    account, activity, series = snapshot.credits.value, snapshot.activity.value, ticks(snapshot.samples)
    if amount.is_whole or account is None or (series and series[0].epoch != series[-1].epoch):  # not after a reset of the usage
        return amount
    listed = (spend.usd for models in (activity.by_model.values() if activity is not None else ()) for spend in models.values())
    all_usd = account.total_usage_usd
    if abs((amount.usd or ZERO) - all_usd) > SMALLEST_USD or sum(listed, ZERO) > all_usd + SMALLEST_USD:
        return amount
    return Amount(amount.usd or ZERO, measured_at=amount.measured_at or snapshot.credits.measured_at)


def misses_part_of_today(snapshot: Snapshot, now: datetime) -> bool:
    """Return whether the samples of today begin after midnight, and the analytics query fails, which has the time before."""
    if snapshot.today.health in (Health.OK, Health.PREPARING):
        return False
    start = midnight(utc_now(snapshot, now).date())
    first = next((tick.at for tick in ticks(snapshot.samples) if tick.at >= start), None)
    if first is None or not today_usd(snapshot, now).lower_bound:
        return False
    reported_at = _today_at(snapshot)
    return not _reported(snapshot, start.date()).is_known or reported_at is None or reported_at < first


def _just_begun(snapshot: Snapshot, start: datetime, at: datetime) -> Amount:
    """Return 0, approximate, for a day that has just begun while polls succeed; unknown later, or after a gap of polls."""
    sampled_at = _sampled_at(snapshot)
    if sampled_at is None or at - start > BOOKED_WITHIN or (start - sampled_at).total_seconds() > 2 * snapshot.interval_s:
        return UNKNOWN
    return Amount(ZERO, approximate=True, measured_at=sampled_at, low_usd=ZERO)


def today_since(snapshot: Snapshot, now: datetime) -> tuple[Decimal, datetime] | None:
    """Return what the counter has of today (USD) and from when on (aware UTC), where the samples start after midnight.

    None with fewer than two samples of today.
    """
    start = midnight(utc_now(snapshot, now).date())
    series = [tick for tick in ticks(snapshot.samples) if tick.at >= start]
    series = [tick for tick in series if tick.epoch == series[-1].epoch]
    if len(series) < 2:
        return None
    return series[-1].counter_usd - series[0].counter_usd, series[0].at


def counted_after(snapshot: Snapshot, start: datetime) -> Decimal:
    """Return the spend that the counter has seen since the sample at `start`, or the first one after it; 0 without one."""
    series = ticks(snapshot.samples)
    index = bisect_right(series, start, key=lambda tick: tick.at)
    if index and start - series[index - 1].at <= SAME_POLL:
        index -= 1
    return series[-1].counter_usd - series[index].counter_usd if index < len(series) else ZERO


def published(snapshot: Snapshot, day: date) -> tuple[Decimal | None, bool]:
    """Return the spend of a day in `/activity`, None while it is unknown, and whether it is settled."""
    activity, read_at = snapshot.activity.value, snapshot.activity.measured_at
    if activity is None:
        return None, False
    settled_at = midnight(day + timedelta(days=1)) + SETTLED_AFTER
    is_settled = read_at is not None and read_at >= settled_at
    if day in activity.by_model:
        return sum((spend.usd for spend in activity.by_model[day].values()), ZERO), is_settled
    if read_at is None or day < read_at.date() - timedelta(days=ACTIVITY_DAYS) or day >= read_at.date():
        return None, False
    is_before_newest = activity.newest is not None and day < activity.newest
    return (ZERO if is_settled or is_before_newest else None), is_settled


def _counted(snapshot: Snapshot, start: datetime, end: datetime) -> Amount:
    """Return the spend from `start` to `end` by the counter: whole where the samples cover it, else a lower bound."""
    found = bounds(ticks(snapshot.samples), start, end)
    if found is None:
        return UNKNOWN
    measured_at = _sampled_at(snapshot)
    if not _is_covered(found):
        return Amount(found.low_usd, lower_bound=True, measured_at=measured_at) if found.low_usd > 0 else UNKNOWN
    assert found.usd is not None  # noqa: S101  covered
    is_exact = found.high_usd == found.low_usd
    low_usd = None if is_exact else rounded(found.low_usd)
    return Amount(rounded(found.usd), approximate=not is_exact, measured_at=measured_at, low_usd=low_usd)


def _is_covered(found: Bounds) -> bool:
    """Return whether little of the spend could belong to the time before or after."""
    return found.high_usd is not None and found.high_usd - found.low_usd <= found.high_usd * ROUGH_SHARE


def _reported(snapshot: Snapshot, day: date) -> Amount:
    """Return the sum of the analytics query for `day`, with what the counter has certainly seen since."""
    today, reported_at = _today(snapshot, day), _today_at(snapshot)
    if today is None or reported_at is None:
        return UNKNOWN
    usd = today.usd + counted_after(snapshot, reported_at)
    until = [each for each in (_sampled_at(snapshot), current_until(snapshot, "today")) if each is not None]
    return Amount(usd, lower_bound=True, measured_at=max(until, default=None))


def _today(snapshot: Snapshot, day: date) -> Today | None:
    today = snapshot.today.value
    return today if today is not None and today.day == day else None


def _today_at(snapshot: Snapshot) -> datetime | None:
    """Return the time of which the analytics answer is."""
    today, measured_at = snapshot.today.value, snapshot.today.measured_at
    cached_at = today.cached_at if today is not None else None
    return min(cached_at, measured_at) if cached_at is not None and measured_at is not None else measured_at


def _sampled_at(snapshot: Snapshot) -> datetime | None:
    """Return the time of the newest sample that counts; a large fall counts only once it is confirmed."""
    series = ticks(snapshot.samples)
    return series[-1].at if series else None


# --- several days ----------------------------------------------------------------------------------------------------


@remembered
def used_usd(snapshot: Snapshot, period: str, now: datetime) -> Amount:
    """Return the credits used in `period`: "today", "7d", "30d", "month" (UTC, to date) or "all".

    The rolling periods are the last 7 or 30 completed UTC days and today so far. Without one completed day that is known at
    all, the period is unknown.
    """
    if period == "all":
        used = snapshot.credits.value.total_usage_usd if snapshot.credits.value is not None else None
        return Amount(used, measured_at=snapshot.credits.measured_at if used is not None else None)
    if period == "today":
        return today_usd(snapshot, now)
    at = period_end(snapshot, period, now)
    days = {day: day_usd(snapshot, day) for day in completed_days(period, at)}
    if days and not any(amount.is_known for amount in days.values()):
        return _at_most_all(snapshot, UNKNOWN)
    return _at_most_all(snapshot, joined_usd(snapshot, {at.date(): _today_at_end(snapshot, at, now), **days}))


def joined_usd(snapshot: Snapshot, days: Mapping[date, Amount]) -> Amount:
    """Return the sum of consecutive days, newest first. What the counter has seen over several unknown days is part of it."""
    parts: list[Amount] = []
    for is_whole, group in groupby(days.items(), key=lambda item: item[1].is_whole):
        run = list(group)
        known = total(amount for _, amount in run)
        if not is_whole and len(run) > 1:
            counted = _counted(snapshot, midnight(run[-1][0]), midnight(run[0][0] + timedelta(days=1)))
            known = raised(counted, known)
        parts.append(known)
    return total(parts)


def percent_used(snapshot: Snapshot, period: str, now: datetime) -> Decimal | None:
    """Return `used_usd` in percent of everything purchased; None while unknown or without any purchase."""
    used = used_usd(snapshot, period, now).usd
    account = snapshot.credits.value
    if used is None or account is None or account.total_credits_usd <= 0:
        return None
    return used * 100 / account.total_credits_usd


@remembered
def daily_usd(snapshot: Snapshot, days: int, now: datetime) -> tuple[Amount, ...]:
    """Return the spend of each of the last `days` UTC days, oldest first, the last one being today so far."""
    at = answered_at(snapshot, now)
    completed = [day_usd(snapshot, at.date() - timedelta(days=age)) for age in range(days - 1, 0, -1)]
    return (*completed, _today_at_end(snapshot, at, now))


@remembered
def trend(snapshot: Snapshot, now: datetime) -> Trend | None:
    """Return today against yesterday by the same time if both are known, else the last two completed days."""
    # Today is known up to the last sample, so yesterday is compared up to the same time of day, not up to now.
    today, sampled_at = today_usd(snapshot, now), _sampled_at(snapshot)
    if today.is_whole and sampled_at is not None and sampled_at.date() == utc_now(snapshot, now).date():
        before = _yesterday_by(snapshot, sampled_at)
        if before is not None:
            return Trend(today, before, "today")
    day = utc_now(snapshot, now).date()
    newer, older = (day_usd(snapshot, day - timedelta(days=age)) for age in (1, 2))
    return Trend(newer, older, "yesterday") if newer.is_whole and older.is_whole else None


def _today_at_end(snapshot: Snapshot, at: datetime, now: datetime) -> Amount:
    """Return the spend of the day in which a period ends."""
    return today_usd(snapshot, now - (utc_now(snapshot, now) - at))


def _yesterday_by(snapshot: Snapshot, at: datetime) -> Amount | None:
    """Return the spend of the day before `at` by the same time of day; None if samples are too far apart."""
    start, end = midnight(at.date() - timedelta(days=1)), at - timedelta(days=1)
    if end - start <= BOOKED_WITHIN:
        return None
    found = bounds(ticks(snapshot.samples), start, end)
    if found is None or found.usd is None or found.high_usd is None or found.edge_gap_s > TREND_GAP_S:
        return None
    rough = found.high_usd - found.low_usd > found.high_usd * ROUGH_SHARE
    return as_of(Amount(rounded(found.usd), approximate=rough), _sampled_at(snapshot))
