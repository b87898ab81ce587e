"""How long the balance lasts at the present pace, in days. Idle days count as days without spend. Pure."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.account.spend import completed_usd
from openbalance_hid.account.utc_days import answered_at, utc_now

SHORT_DAYS, LONG_DAYS = 7, 30  # a pace is the mean of so many days
ENOUGH_DAYS = 3  # of history, below which there is no runway
SLOWEST_USD = Decimal("0.01")  # a day; a runway at a slower pace would mean nothing


class Runway(Struct, frozen=True):
    """Days left at the pace of the last 7 completed days, and of the last 30 (None below `SLOWEST_USD` a day)."""

    days: Decimal
    days_at_long_pace: Decimal | None


def runway(snapshot: Snapshot, now: datetime) -> Runway | None:
    """Return the runway; None while balance or history is unknown, or below `SLOWEST_USD` a day. 0 days below zero."""
    credits_, activity = snapshot.credits.value, snapshot.activity.value
    if credits_ is None or activity is None or not activity.by_model:
        return None
    today = utc_now(snapshot, answered_at(snapshot, now)).date()
    if is_young(snapshot, now):
        return None
    balance_usd = max(Decimal(0), credits_.balance_usd)
    short, long = (_pace_usd(snapshot, today, days) for days in (SHORT_DAYS, LONG_DAYS))
    if short < SLOWEST_USD:
        return None
    return Runway(balance_usd / short, balance_usd / long if long >= SLOWEST_USD else None)


def is_young(snapshot: Snapshot, now: datetime) -> bool:
    """Return whether the history has fewer than `ENOUGH_DAYS` days; False without any history."""
    days = snapshot.activity.value.by_model if snapshot.activity.value is not None else {}
    today = utc_now(snapshot, answered_at(snapshot, now)).date()
    return bool(days) and today - min(days) < timedelta(days=ENOUGH_DAYS)


def _pace_usd(snapshot: Snapshot, today: date, days: int) -> Decimal:
    """Return the mean USD a day over the last `days` completed UTC days; without yesterday while it is unknown."""
    newest = 1 if completed_usd(snapshot, today - timedelta(days=1)) is not None else 2
    spent = [completed_usd(snapshot, today - timedelta(days=age)) or Decimal(0) for age in range(newest, newest + days)]
    return sum(spent, Decimal(0)) / days
