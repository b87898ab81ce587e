"""Alerts: lasting conditions that the user should know of. How one starts, rises and ends, and what was done about it. Pure.

An alert starts when its level rises above `NORMAL` and ends when the level is `NORMAL` again (for a spike, for 60 minutes). A
level below `NORMAL` means that nothing is known now, for example during an outage: it changes nothing.

A new kind of alert is a member of `AlertKind`, its row in `LEVEL_NAMES`, and a rule that returns its level.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Reading, Snapshot
from openbalance_hid.account.spend_budget import NEAR_SHARE, find_budget
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.account.utc_days import utc_now

NORMAL = int(Level.NORMAL)
RED_SHARE = Decimal("0.2")  # of the user's limit: below that a balance is very low


class AlertKind(Enum):
    """An account has one alert of a kind at a time; of spikes, one for each rule."""

    SPIKE = "spike"
    BALANCE = "balance"
    BUDGET = "budget"
    KEY = "key"
    STALE = "stale"


class BalanceLevel(IntEnum):
    """Ordered, so that a fall of the balance is `>`."""

    NORMAL = NORMAL
    LOW = 3
    VERY_LOW = 4
    BELOW_ZERO = 5


class BudgetLevel(IntEnum):
    """Ordered, so that a rise of the spend is `>`."""

    NORMAL = NORMAL
    NEAR = 3
    OVER = 4


STALE_LEVEL = 3
ACTIVITY_LAG = timedelta(hours=24)  # `/activity` is requested about once a day, so that its data is this old at most
KEY_TROUBLE_LEVELS = {Health.NO_KEY: 3, Health.NOT_MANAGEMENT_KEY: 4, Health.KEY_REJECTED: 5}  # different, not ordered
# The names of the levels from NORMAL up, as the history stores them.
LEVEL_NAMES: Mapping[AlertKind, tuple[str, ...]] = {
    AlertKind.SPIKE: ("normal", "spike", "critical"),
    AlertKind.BALANCE: ("normal", "low", "very low", "below zero"),
    AlertKind.BUDGET: ("normal", "near", "over"),
    AlertKind.KEY: ("normal", *(health.value for health in KEY_TROUBLE_LEVELS)),
    AlertKind.STALE: ("normal", "old"),
}
ENDS_AFTER: Mapping[AlertKind, timedelta] = {AlertKind.SPIKE: timedelta(minutes=60)}  # of NORMAL; the other kinds at once

AlertKey = tuple[AlertKind, str, SpikeRule | None]  # kind, account, rule of a spike


class Alert(Struct, frozen=True):
    """`level`: the highest so far; `acknowledged` and `notified`: the highest that the user has acknowledged and was shown.

    A key trouble has no order: there `level` and `notified` are the last ones. An alert that is over stays as long as its
    `usual_usd` is needed (`is_over`).
    """

    kind: AlertKind
    account: str
    level: int
    since: datetime
    acknowledged: int = NORMAL
    notified: int = NORMAL
    normal_since: datetime | None = None
    rule: SpikeRule | None = None
    usual_usd: Decimal | None = None  # a day, of a week that the user has acknowledged: the usual one from then on

    @property
    def key(self) -> AlertKey:
        """The identity of the alert: one alert is open for each key."""
        return self.kind, self.account, self.rule


def advance(alert: Alert | None, key: AlertKey, level: int, now: datetime) -> Alert | None:
    """Return the alert after its rule returned `level`; None when there is none."""
    if level < NORMAL:
        return alert
    kind, account, rule = key
    if level > NORMAL:
        if alert is None:
            return Alert(kind, account, level, now, rule=rule)
        return replace(alert, level=_highest(kind, alert.level, level), normal_since=None)
    if alert is None:
        return None
    since = min(alert.normal_since or now, now)  # later than now: the clock was set back
    return None if now - since >= ENDS_AFTER.get(kind, timedelta(0)) else replace(alert, normal_since=since)


def is_over(alert: Alert, now: datetime) -> bool:
    """Return whether the alert has ended and is only kept for its `usual_usd`."""
    ended_after = ENDS_AFTER.get(alert.kind, timedelta(0))
    return alert.usual_usd is not None and alert.normal_since is not None and now - alert.normal_since >= ended_after


def is_of_earlier_month(alert: Alert, now: datetime) -> bool:
    """Return whether the alert started in an earlier UTC month than `now` (aware)."""
    start, present = alert.since.astimezone(UTC), now.astimezone(UTC)
    return (start.year, start.month) < (present.year, present.month)


def acknowledge(alert: Alert, level: int, week_usd: Decimal | None = None) -> Alert:
    """Return the alert after the user has acknowledged `level`, and a week of `week_usd` a day if it is a leak."""
    return replace(alert, acknowledged=max(alert.acknowledged, level), usual_usd=week_usd or alert.usual_usd)


def notified(alert: Alert, level: int) -> Alert:
    """Return the alert after a notification of `level` was delivered."""
    return replace(alert, notified=_highest(alert.kind, alert.notified, level))


def is_news(kind: AlertKind, level: int, known: int) -> bool:
    """Return whether the user, who was notified of `known`, must be notified of `level`."""
    return level > NORMAL and (level != known if kind is AlertKind.KEY else level > known)


def calls_for_attention(alert: Alert | None, level: int) -> bool:
    """Return whether the level is higher than the user has acknowledged."""
    return level > NORMAL and (alert is None or level > alert.acknowledged)


def level_name(kind: AlertKind, level: int) -> str:
    """Return the name of a level that is at least `NORMAL`."""
    return LEVEL_NAMES[kind][level - NORMAL]


def level_named(kind: AlertKind, name: str) -> int:
    """Return the level of that name. ValueError for an unknown name."""
    return NORMAL + LEVEL_NAMES[kind].index(name)


def balance_level(balance_usd: Decimal, low_usd: Decimal | None) -> BalanceLevel:
    """Return how low a balance is. `low_usd`: the user's limit; None: only a balance below zero is low."""
    if balance_usd < 0:
        return BalanceLevel.BELOW_ZERO
    if low_usd is None or balance_usd >= low_usd:
        return BalanceLevel.NORMAL
    return BalanceLevel.VERY_LOW if balance_usd < low_usd * RED_SHARE else BalanceLevel.LOW


def budget_level(snapshot: Snapshot, now: datetime) -> int | None:
    """Return the level of the account's budget of this UTC month; None while unknown. Without a budget it is normal.

    A lower bound proves only that a limit is reached, not that it is kept.
    """
    if snapshot.budget_usd is None:
        return NORMAL
    budget = find_budget(snapshot, "month", snapshot.budget_usd, now)
    if budget.share is None:
        return None
    if budget.share > 1:
        return BudgetLevel.OVER
    if budget.share >= NEAR_SHARE:
        return BudgetLevel.NEAR
    return NORMAL if budget.spent.is_whole else None


def account_levels(snapshot: Snapshot, balance: BalanceLevel) -> Mapping[AlertKind, int]:
    """Return the levels of balance and key. A kind of which nothing is known now is missing. `balance`: how low it is.

    A balance counts only if it was read since the start. A missing key is an alert only if there was one before: a user who
    has never stored a key needs no notification, and neither does one who shows the account of another machine.
    """
    if snapshot.health is Health.OK:
        levels: dict[AlertKind, int] = {AlertKind.KEY: NORMAL}
        if snapshot.credits.value is not None:
            levels[AlertKind.BALANCE] = balance
        return levels
    level = KEY_TROUBLE_LEVELS.get(snapshot.health)
    if level is None or snapshot.origin is not None or (snapshot.health is Health.NO_KEY and snapshot.credits.value is None):
        return {}
    return {AlertKind.KEY: level}


def too_old(snapshot: Snapshot, stale_hours: int, now: datetime) -> Reading[Any] | None:
    """Return what is older than this: the balance, or completed days if their request fails. None: neither, or no poll yet."""
    if not snapshot.polls or snapshot.health is Health.NO_KEY:
        return None
    limit, credits_, activity = timedelta(hours=stale_hours), snapshot.credits, snapshot.activity
    at = utc_now(snapshot, now)
    if credits_.measured_at is not None and at - credits_.measured_at > limit:
        return credits_
    fails = activity.health not in (Health.OK, Health.PREPARING)
    is_old = activity.measured_at is not None and at - activity.measured_at > limit + ACTIVITY_LAG
    return activity if fails and is_old else None


def _highest(kind: AlertKind, before: int, level: int) -> int:
    return level if kind is AlertKind.KEY else max(before, level)
