"""How long the money lasts at the present pace. Idle days count: time passes on those, too."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.account.spend import completed_usd
from openbalance_hid.account.utc_days import answered_at, utc_now

SHORT_DAYS, LONG_DAYS = 7, 30  # the paces that are compared
ENOUGH_DAYS = 3  # of history
SLOWEST_USD = Decimal("0.01")  # a day; below it a runway says nothing


class Runway(Struct, frozen=True):
    """Days left at the pace of the last 7 completed days, and at that of the last 30 (None while that pace says nothing)."""

    days: Decimal
    days_at_long_pace: Decimal | None


def runway(snapshot: Snapshot, now: datetime) -> Runway | None:
    """None while balance or history is not known, or hardly anything is spent. A balance below zero lasts no day."""
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
    """Whether there is history, and too little of it."""
    days = snapshot.activity.value.by_model if snapshot.activity.value is not None else {}
    today = utc_now(snapshot, answered_at(snapshot, now)).date()
    return bool(days) and today - min(days) < timedelta(days=ENOUGH_DAYS)


def _pace_usd(snapshot: Snapshot, today: date, days: int) -> Decimal:
    """USD a day over the last `days` completed calendar days; yesterday is none of them while nobody knows it."""
    newest = 1 if completed_usd(snapshot, today - timedelta(days=1)) is not None else 2
    spent = [completed_usd(snapshot, today - timedelta(days=age)) or Decimal(0) for age in range(newest, newest + days)]
    return sum(spent, Decimal(0)) / days
