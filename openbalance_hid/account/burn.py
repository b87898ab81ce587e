"""How fast credits are spent: the last hour, each of the hours before it, and a usual hour. Pure.

The spend counter is exact where samples are close to both ends of an hour. Where they leave a gap, the analytics query has the
spend by UTC hour, which may lag and is spread evenly within each: such an hour is approximate. Where neither has something, an
hour is unknown, not zero.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from openbalance_hid.account.amount import UNKNOWN, ZERO, Amount
from openbalance_hid.account.counter import Tick, gap_s, spent_between, ticks
from openbalance_hid.account.evidence import usual_at
from openbalance_hid.account.hours import HOUR
from openbalance_hid.account.snapshot import HourlySpend, Snapshot
from openbalance_hid.account.spend import SAME_POLL
from openbalance_hid.account.usual_spend import ENOUGH_DAYS
from openbalance_hid.account.utc_days import answered_at

GAP_INTERVALS = 2  # samples further apart than this say nothing about one hour
USUAL_GAP_S = 1800.0  # two intervals of the default: samples from before a restart may have another distance
FILLED = timedelta(hours=24)  # so far back, gaps of the samples are worth a request


def last_hours(snapshot: Snapshot, hours: int) -> tuple[Amount, ...]:
    """Return the spend of each of the last `hours` hours, oldest first; the last one ends with the newest answer."""
    series, hourly, longest_s = ticks(snapshot.samples), snapshot.hours.value, _longest_s(snapshot)
    end = _end(series, hourly, longest_s)
    if end is None:
        return (UNKNOWN,) * hours
    spent = []
    for back in range(hours, 0, -1):
        start, stop = end - back * HOUR, end - (back - 1) * HOUR
        stretch = spent_between(series, start, stop)
        is_covered = stretch is not None and stretch.edge_gap_s <= longest_s
        usd = stretch.usd if stretch is not None and is_covered else _filled_usd(series, hourly, start, stop, longest_s)
        spent.append(UNKNOWN if usd is None else Amount(usd, approximate=not is_covered, measured_at=end))
    return tuple(spent)


def burn_usd_per_hour(snapshot: Snapshot) -> Amount:
    """Return the spend of the hour before the newest answer."""
    (amount,) = last_hours(snapshot, 1)
    return amount


def usual_hour_usd(snapshot: Snapshot, now: datetime) -> Decimal | None:
    """Return the spend of a usual working hour, with which the spike rule compares the last hour.

    It is the mean active day, spread over the usual hours with spend. None before three days with spend are known.
    """
    usual = usual_at(snapshot, answered_at(snapshot, now).date())
    return usual.mean_usd / usual.active_hours if len(usual.days) >= ENOUGH_DAYS else None


def lacks_hours(snapshot: Snapshot, now: datetime) -> bool:
    """Return whether neither samples nor the last answer by hour have a part of the last 24 hours. `now`: the server's time."""
    hourly, longest_s = snapshot.hours.value, _longest_s(snapshot)
    for start, end in _gaps(ticks(snapshot.samples), now - FILLED, now, longest_s):
        if _reported_usd(hourly, start, end) is None:
            return True
    return False


def _longest_s(snapshot: Snapshot) -> float:
    """Return the longest time between two samples that still shows what one hour cost."""
    return max(GAP_INTERVALS * snapshot.interval_s, USUAL_GAP_S)


def _end(series: Sequence[Tick], hourly: HourlySpend | None, longest_s: float) -> datetime | None:
    """Return the end of the last hour: the newest sample, or a much newer answer by hour; None without either."""
    if hourly is None or (series and (hourly.end - series[-1].at).total_seconds() <= longest_s):
        return series[-1].at if series else None
    return hourly.end


def _gaps(series: Sequence[Tick], since: datetime, until: datetime, longest_s: float) -> Iterator[tuple[datetime, datetime]]:
    """Yield the times between `since` and `until` that samples do not cover, oldest first."""
    if not series:
        yield since, until
        return
    if series[0].at > since:
        yield since, min(series[0].at, until)
    for before, after in pairwise(series):
        if after.at > since and not _is_close(before, after, longest_s):
            yield max(before.at, since), min(after.at, until)
    if (until - series[-1].at).total_seconds() > longest_s:
        yield max(series[-1].at, since), until


def _filled_usd(
    series: Sequence[Tick], hourly: HourlySpend | None, start: datetime, end: datetime, longest_s: float
) -> Decimal | None:
    """Return the spend of a time from the samples, and from the answer by hour where they leave a gap."""
    edges = [start, *(tick.at for tick in series if start < tick.at < end), end]
    usd = ZERO
    for since, until in pairwise(edges):
        after = bisect_right(series, since, key=lambda tick: tick.at)
        if 0 < after < len(series) and _is_close(series[after - 1], series[after], longest_s):
            stretch = spent_between(series, since, until)
            part = None if stretch is None else stretch.usd
        else:
            part = _reported_usd(hourly, since, until)
        if part is None:
            return None
        usd += part
    return usd


def _is_close(before: Tick, after: Tick, longest_s: float) -> bool:
    return before.epoch == after.epoch and gap_s(before, after) <= longest_s


def _reported_usd(hourly: HourlySpend | None, start: datetime, end: datetime) -> Decimal | None:
    """Return the spend of a time by the answer by hour, evenly spread within each hour; None if it does not have all of it."""
    if hourly is None or end > hourly.end + SAME_POLL or not hourly.usd or start < min(hourly.usd):
        return None
    usd, earliest = ZERO, start - HOUR
    for hour, spent in hourly.usd.items():
        if not earliest < hour < end:
            continue
        length, inside = min(hour + HOUR, hourly.end) - hour, min(end, hour + HOUR, hourly.end) - max(start, hour)
        if inside > timedelta(0):
            usd += spent * Decimal(inside.total_seconds()) / Decimal(length.total_seconds())
    return usd
