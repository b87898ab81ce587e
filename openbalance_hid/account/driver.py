"""What drives the spend: the model, or the API key, with the largest excess over its own mean in USD. Pure."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from openbalance_hid.account.leaders import sum_by_name
from openbalance_hid.account.remembered import remembered, remembered_by_account
from openbalance_hid.account.snapshot import Activity, ApiKey, Days, Snapshot, Spend
from openbalance_hid.account.utc_days import utc_now

WINDOW_FRESH = timedelta(minutes=90)  # the age limit of the window by model, which is requested once an hour
NEW_USD = Decimal("0.01")  # a model with a smaller daily mean is "new"
KEYS_EXPLAIN = Decimal("1.2")  # a key is named if its excess is this many times that of the best model

DAY = timedelta(hours=24)
DRIVES_FROM = Decimal("0.6")  # of what all keys have spent today
UNUSUAL_FROM = 3  # times the key's own usual day, as for the account
USUAL_DAYS = 30


class Driver(Struct, frozen=True):
    """`times`: its spend in its own daily means; None: it is new. `is_key`: an API key, not a model.

    `is_matched`: False for a display name that OpenRouter's list of models does not have (it may not have been read): it may be
    any model of the completed days, which have slugs.
    """

    name: str
    times: Decimal | None
    approximate: bool
    is_key: bool = False
    is_matched: bool = True


def find_driver(
    snapshot: Snapshot, now: datetime, days: tuple[date, ...], window_usd: Decimal, length: timedelta
) -> Driver | None:
    """Return what spent the largest excess over its own mean of `days`; None while no model is known.

    `window_usd`: spent in the window, which is `length` long. A key is named only where it explains more than any model: one
    key may use several models, and several keys one model.
    """
    activity = snapshot.activity.value
    if activity is None or activity.newest is None or not days:
        return None
    spent, approximate = _by_model(snapshot, activity, now, window_usd, length)
    usual = _means(snapshot.account, _OfDays(activity, days))
    model = _largest_excess(spent, usual, approximate, is_key=False)
    key = _largest_excess(_by_key(snapshot, now, window_usd), _key_means(snapshot, days), True, is_key=True)
    if key is not None and (model is None or key[0] > KEYS_EXPLAIN * model[0]):
        return key[1]
    return model[1] if model is not None else None


def _largest_excess(
    spent: Mapping[str, Spend], usual: Mapping[str, Decimal], approximate: bool, is_key: bool
) -> tuple[Decimal, Driver] | None:
    best: tuple[Decimal, Driver] | None = None
    largest_usd = max((mean for name, mean in usual.items() if name not in spent), default=Decimal(0))
    for name, spend in sorted(spent.items()):
        is_matched = is_key or name in usual or "/" in name or largest_usd < NEW_USD
        mean = usual.get(name, Decimal(0)) if is_matched else largest_usd  # of what it may be at most
        excess = spend.usd - mean
        if spend.usd > 0 and (best is None or excess > best[0]):
            times = spend.usd / mean if is_matched and mean >= NEW_USD else None
            best = excess, Driver(name, times, approximate, is_key, is_matched)
    return best


def _by_model(
    snapshot: Snapshot, activity: Activity, now: datetime, window_usd: Decimal, length: timedelta
) -> tuple[Mapping[str, Spend], bool]:
    """Return the window's spend by model, and whether that is approximate.

    From the window query; else from today, if it holds most of the window; else from the newest completed day.
    """
    window, today, at = snapshot.window.value, snapshot.today.value, now
    if window is not None and length == DAY and not window.truncated and timedelta(0) <= at - window.end <= WINDOW_FRESH:
        return window.by_model, False
    if today is not None and today.day == at.date() and today.usd * 2 >= window_usd:
        return today.by_model, True
    return (activity.by_model[activity.newest] if activity.newest is not None else {}), True


def _by_key(snapshot: Snapshot, now: datetime, window_usd: Decimal) -> dict[str, Spend]:
    """Return today's spend by key, if it holds most of the window and the keys' usual days are known; else nothing."""
    keys, read_at = snapshot.keys.value, snapshot.keys.measured_at
    if not keys or read_at is None or not snapshot.key_days.value:
        return {}
    if read_at.date() != now.date():
        return {}
    spent = {key.name: Spend(key.today_usd) for key in keys if key.today_usd is not None}
    return spent if sum((each.usd for each in spent.values()), Decimal(0)) * 2 >= window_usd else {}


@remembered
def _key_means(snapshot: Snapshot, days: tuple[date, ...]) -> Mapping[str, Decimal]:
    return _mean_by_name(snapshot.key_days.value or {}, days)


def _mean_by_name(by_name: Days, days: tuple[date, ...]) -> dict[str, Decimal]:
    return {name: spend.usd / len(days) for name, spend in sum_by_name([by_name.get(day, {}) for day in days]).items()}


class _OfDays:
    """A cache key: this answer of `/activity`, compared by identity, and these days."""

    __slots__ = ("activity", "days")

    def __init__(self, activity: Activity, days: tuple[date, ...]) -> None:
        self.activity = activity
        self.days = days

    def __hash__(self) -> int:
        return hash(self.days)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _OfDays) and other.activity is self.activity and other.days == self.days


@remembered_by_account
def _means(of: _OfDays) -> Mapping[str, Decimal]:
    """Return the mean USD a day of each model."""
    return _mean_by_name(of.activity.by_model, of.days)


def driving_key(snapshot: Snapshot, now: datetime) -> ApiKey | None:
    """Return the key behind most of today's spend of all keys, if that is unusual for it; None without one, or if unknown."""
    read_at, keys = snapshot.keys.measured_at, snapshot.keys.value or ()
    today = utc_now(snapshot, now).date()
    if read_at is None or utc_now(snapshot, read_at).date() != today:
        return None
    spent = {key.hash: key.today_usd or Decimal(0) for key in keys}
    top = max(keys, key=lambda key: spent[key.hash], default=None)
    if top is None or spent[top.hash] <= 0 or spent[top.hash] < DRIVES_FROM * sum(spent.values()):
        return None
    days = snapshot.key_days.value
    if days is None:  # its usual day is not known
        return None
    since = today - timedelta(days=USUAL_DAYS)
    usual = [names[top.name].usd for day, names in days.items() if since <= day < today and top.name in names]
    if usual and spent[top.hash] < UNUSUAL_FROM * sum(usual) / len(usual):
        return None
    return top
