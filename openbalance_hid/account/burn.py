"""How fast credits are spent: the last hour, each of the hours before it, and a usual hour. Pure.

Only the spend counter can say this: rows of OpenRouter are of whole days. An hour without samples close to both of its ends is
unknown, not zero.
"""

from datetime import datetime
from decimal import Decimal

from openbalance_hid.account.amount import UNKNOWN, Amount
from openbalance_hid.account.counter import spent_between, ticks
from openbalance_hid.account.evidence import usual_at
from openbalance_hid.account.hours import HOUR
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.account.usual_spend import ENOUGH_DAYS
from openbalance_hid.account.utc_days import answered_at

GAP_INTERVALS = 2  # samples further apart than this say nothing about one hour
USUAL_GAP_S = 1800.0  # two intervals of the default: samples from before a restart may have another distance


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
    """Return the spend of a usual working hour, with which the spike rule compares the last hour.

    It is the mean active day, spread over the usual hours with spend. None before three days with spend are known.
    """
    usual = usual_at(snapshot, answered_at(snapshot, now).date())
    return usual.mean_usd / usual.active_hours if len(usual.days) >= ENOUGH_DAYS else None
