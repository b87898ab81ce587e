"""How fast credits are spent: the last hour, each of the hours before it, and a usual hour. Pure.

Only the spend counter can say this: rows of OpenRouter are of whole days. An hour without samples close to both of its ends is
unknown, not zero.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from openbalance_hid.account.amount import UNKNOWN, Amount, mean
from openbalance_hid.account.counter import spent_between, ticks
from openbalance_hid.account.hours import HOUR, active_hours, hourly_usd
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.account.spend import day_usd
from openbalance_hid.account.utc_days import answered_at

GAP_INTERVALS = 2  # samples further apart than this say nothing about one hour
USUAL_GAP_S = 1800.0  # two intervals of the default: samples from before a restart may have another distance
USUAL_DAYS = 30
FEWEST_DAYS = 3  # with spend, before an hour can be called usual


def last_hours_usd(snapshot: Snapshot, hours: int) -> tuple[Decimal | None, ...]:
    """Return the spend of each of the last `hours` hours in USD, oldest first; the last one ends with the newest sample.

    None: unknown.
    """
    series = ticks(snapshot.samples)
    if not series:
        return (None,) * hours
    end, longest_s = series[-1].at, max(GAP_INTERVALS * snapshot.interval_s, USUAL_GAP_S)
    spent = []
    for back in range(hours, 0, -1):
        stretch = spent_between(series, end - back * HOUR, end - (back - 1) * HOUR)
        spent.append(stretch.usd if stretch is not None and stretch.edge_gap_s <= longest_s else None)
    return tuple(spent)


def burn_usd_per_hour(snapshot: Snapshot) -> Amount:
    """Return the spend of the hour before the newest sample, USD."""
    (usd,) = last_hours_usd(snapshot, 1)
    return UNKNOWN if usd is None else Amount(usd, measured_at=snapshot.samples[-1].at)


def usual_hour_usd(snapshot: Snapshot, now: datetime) -> Decimal | None:
    """Return the spend of a usual working hour: the mean active day of the last 30, spread over the usual hours with spend.

    None before three days with spend are known.
    """
    today = answered_at(snapshot, now).date()
    days = [day_usd(snapshot, today - timedelta(days=age)) for age in range(1, USUAL_DAYS + 1)]
    active = [day for day in days if day.usd is not None and day.usd > 0]
    if len(active) < FEWEST_DAYS:
        return None
    usual = mean(active).usd
    if usual is None:
        return None
    return usual / active_hours(hourly_usd(ticks(snapshot.samples)), usual)
