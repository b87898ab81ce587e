"""How low a balance is by a limit: an amount of the user, or `auto`, the days that it lasts. Pure.

`auto` is low below `LOW_DAYS` days of runway, and very low below `VERY_LOW_DAYS`. While the runway is unknown, only a balance
below zero is low.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from openbalance_hid.account.alert import BalanceLevel, balance_level
from openbalance_hid.account.pace import is_prepaid, runway
from openbalance_hid.account.snapshot import Snapshot

AUTO, OFF = "auto", "off"
LOW_DAYS, VERY_LOW_DAYS = 7, 2

Limit = Decimal | str  # USD, `AUTO` or `OFF`


def low_level(snapshot: Snapshot, limit: Limit, now: datetime) -> BalanceLevel:
    """Return how low the balance is by a limit; normal while it is unknown, and without prepaid credits."""
    credits_ = snapshot.credits.value
    if credits_ is None or not is_prepaid(snapshot):
        return BalanceLevel.NORMAL
    level = balance_level(credits_.balance_usd, limit if isinstance(limit, Decimal) else None)
    if level is not BalanceLevel.NORMAL or limit != AUTO:
        return level
    left = runway(snapshot, now)
    if left is None or left.days >= LOW_DAYS:
        return BalanceLevel.NORMAL
    return BalanceLevel.VERY_LOW if left.days < VERY_LOW_DAYS else BalanceLevel.LOW


def lowest_level(snapshot: Snapshot, limits: Iterable[Limit], now: datetime) -> BalanceLevel:
    """Return the highest level by any of the limits; `OFF` is none, and without one no balance is judged."""
    return max((low_level(snapshot, limit, now) for limit in limits if limit != OFF), default=BalanceLevel.NORMAL)
