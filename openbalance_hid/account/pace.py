"""How long the balance lasts at the present pace, in days. Idle days count as days without spend. Pure.

A pace is a mean of completed days. Days that are not known, or not as a whole, are left out of it.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum

from msgspec import Struct

from openbalance_hid.account.amount import UNKNOWN, Amount, mean
from openbalance_hid.account.remembered import remembered
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.account.spend import day_usd
from openbalance_hid.account.utc_days import answered_at, utc_now

SHORT_DAYS, LONG_DAYS = 7, 30  # a pace is the mean of so many days
ENOUGH_DAYS = 3  # of history, below which there is no runway
SLOWEST_USD = Decimal("0.01")  # a day; a runway at a slower pace would mean nothing
FARTHEST_DAYS = 36_500  # a date beyond it would mean nothing, and the calendar has an end


class NoRunway(Enum):
    """Why there is no runway."""

    UNKNOWN = "unknown"  # balance or history
    YOUNG = "young"  # fewer than `ENOUGH_DAYS` days of history
    IDLE = "idle"  # below `SLOWEST_USD` a day
    NOT_PREPAID = "not prepaid"  # there is no balance


class Runway(Struct, frozen=True):
    """Days left at the pace of the last 7 completed days, and of the last 30 (None below `SLOWEST_USD` a day).

    `pace`: USD a day of the last 7, approximate where days of it are not known.
    """

    days: Decimal
    days_at_long_pace: Decimal | None
    pace: Amount = UNKNOWN
    measured_at: datetime | None = None

    @property
    def approximate(self) -> bool:
        """Whether days of the pace are not known."""
        return self.pace.approximate


def runway(snapshot: Snapshot, now: datetime) -> Runway | None:
    """Return the runway; None while balance or history is unknown, or below `SLOWEST_USD` a day. 0 days below zero."""
    found = find_runway(snapshot, now)
    return found if isinstance(found, Runway) else None


@remembered
def find_runway(snapshot: Snapshot, now: datetime) -> Runway | NoRunway:
    """Return the runway, or why there is none."""
    credits_ = snapshot.credits.value
    if credits_ is None or snapshot.activity.value is None:
        return NoRunway.UNKNOWN
    if not is_prepaid(snapshot):
        return NoRunway.NOT_PREPAID
    if is_young(snapshot, now):
        return NoRunway.YOUNG
    balance_usd = max(Decimal(0), credits_.balance_usd)
    today = answered_at(snapshot, now).date()
    short, long = (_pace(snapshot, today, days) for days in (SHORT_DAYS, LONG_DAYS))
    if short.usd is None:
        return NoRunway.UNKNOWN
    if short.usd < SLOWEST_USD:
        return NoRunway.UNKNOWN if short.approximate else NoRunway.IDLE
    slow = long.usd is None or long.usd < SLOWEST_USD
    times = [each for each in (snapshot.credits.measured_at, short.measured_at) if each is not None]
    return Runway(
        balance_usd / short.usd, None if slow or long.usd is None else balance_usd / long.usd, short, min(times, default=None)
    )


def empty_on(snapshot: Snapshot, left: Runway, now: datetime) -> date | None:
    """Return the UTC day on which the balance is used up, counted from its last answer; None if it is too far away."""
    if left.days > FARTHEST_DAYS:
        return None
    at = utc_now(snapshot, now)
    return (min(at, snapshot.credits.measured_at or at) + timedelta(days=float(left.days))).date()


def is_young(snapshot: Snapshot, now: datetime) -> bool:
    """Return whether the history has fewer than `ENOUGH_DAYS` days; False without any history."""
    days = snapshot.activity.value.by_model if snapshot.activity.value is not None else {}
    return bool(days) and answered_at(snapshot, now).date() - min(days) < timedelta(days=ENOUGH_DAYS)


def _pace(snapshot: Snapshot, today: date, days: int) -> Amount:
    """Return the mean USD a day over the last `days` completed UTC days; unknown with fewer than `ENOUGH_DAYS` known days."""
    spent = [day_usd(snapshot, today - timedelta(days=age)) for age in range(1, days + 1)]
    known = [each if each.is_whole else UNKNOWN for each in spent]
    return mean(known) if sum(each.is_known for each in known) >= ENOUGH_DAYS else UNKNOWN


def is_prepaid(snapshot: Snapshot) -> bool:
    """Return the user's `prepaid` of the account, else whether anything was ever bought; True while that is unknown."""
    if snapshot.prepaid is not None:
        return snapshot.prepaid
    credits_ = snapshot.credits.value
    return credits_ is None or credits_.total_credits_usd != 0 or credits_.total_usage_usd <= 0
