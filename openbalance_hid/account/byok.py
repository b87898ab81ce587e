"""Own-key (BYOK) inference: the provider bills it, and it costs no credits. Pure. USD.

No amount of `spend` includes it, and no counter counts it. Completed days are from `/activity`. Today, and a day that is not
published yet, are from the analytics query or the counters of the API keys: both may lag, so that they are lower bounds.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from openbalance_hid.account.amount import NOTHING, UNKNOWN, Amount, as_of, larger, total
from openbalance_hid.account.endpoints import current_until, next_due
from openbalance_hid.account.key_spend import key_byok_usd
from openbalance_hid.account.leaders import sum_by_name
from openbalance_hid.account.remembered import remembered
from openbalance_hid.account.snapshot import Reading, Snapshot, Spend, Today
from openbalance_hid.account.spend import is_incomplete, published
from openbalance_hid.account.utc_days import completed_days, period_end, utc_now


class ByokParts(Struct, frozen=True):
    """Own-key inference of a period by name. `other`: of a name that is not in `named`."""

    named: Mapping[str, Amount] = field(default_factory=dict)
    other: Amount = UNKNOWN

    def of(self, name: str) -> Amount:
        """Return the amount of a model or provider."""
        return self.named.get(name, self.other)


@remembered
def byok_usd(snapshot: Snapshot, period: str, now: datetime) -> Amount:
    """Return the own-key inference of "today", "yesterday", "7d", "30d", "month" or "all", as the periods of `used_usd`.

    All: as far as the present API keys know; unknown without a completed day that is known, as there.
    """
    now_day = utc_now(snapshot, now).date()
    if period == "all":
        amounts = [Amount(key.byok_usd) for key in snapshot.keys.value or ()]
        return _at_least(as_of(total(amounts), next_due(snapshot, "keys"))) if amounts else UNKNOWN
    if period == "yesterday":
        return byok_on_usd(snapshot, now_day - timedelta(days=1), now)
    at = period_end(snapshot, period, now)
    days = [byok_on_usd(snapshot, day, now) for day in completed_days(period, at)]
    if days and not any(day.is_known for day in days):
        return UNKNOWN
    return byok_sum([byok_on_usd(snapshot, at.date(), now), *days])


def byok_on_usd(snapshot: Snapshot, day: date, now: datetime) -> Amount:
    """Return the own-key inference of a completed UTC day, or of today so far."""
    if day < utc_now(snapshot, now).date():
        return _completed(snapshot, day)
    return larger(_reported(snapshot, day), _by_keys(snapshot, now))


def byok_sum(days: Sequence[Amount]) -> Amount:
    """Return the sum of days. Zero with an unknown day is unknown: "at least nothing" is no number."""
    found = total(days)
    return found if found.usd or all(day.is_known for day in days) else UNKNOWN


@remembered
def byok_parts(snapshot: Snapshot, by: str, period: str, now: datetime) -> ByokParts:
    """Return the own-key inference by "model" or "provider" of "today", "7d", "30d" or "month"; at least that, as today's."""
    at = period_end(snapshot, period, now)
    days = [_names(snapshot, by, day) for day in completed_days(period, at)]
    names = [_reported_names(snapshot, by, at.date()), *days]
    known = [each for each in names if each is not None]
    if not known or (days and not any(day is not None for day in days)):
        return ByokParts()
    measured_at = byok_usd(snapshot, period, now).measured_at
    is_all_known = len(known) == len(names)

    def amount(found: Amount) -> Amount:
        is_number = found.usd or (is_all_known and not found.lower_bound)
        return _at_least(as_of(found, measured_at)) if is_number else UNKNOWN

    return ByokParts({name: amount(spend.byok) for name, spend in sum_by_name(known).items()}, amount(NOTHING))


def uses_own_keys(snapshot: Snapshot, now: datetime) -> bool:
    """Return whether own-key inference is known of the last 7 completed days or of today."""
    return (byok_usd(snapshot, "7d", now).usd or byok_usd(snapshot, "today", now).usd or 0) != 0


def _completed(snapshot: Snapshot, day: date) -> Amount:
    """Return the own-key inference of a completed UTC day."""
    usd, is_settled = published(snapshot, day)
    if usd is None:
        return _reported(snapshot, day)
    names = _names(snapshot, "model", day) or {}
    listed = as_of(_sum(names), current_until(snapshot, "activity"))
    is_whole = is_settled and not is_incomplete(snapshot, day)
    return listed if is_whole else larger(_at_least(listed), _reported(snapshot, day))


def _reported(snapshot: Snapshot, day: date) -> Amount:
    """Return what the analytics query has of a day: at least that."""
    names = _reported_names(snapshot, "model", day)
    measured_at = next_due(snapshot, "today") if _is_of(snapshot.today, day) else snapshot.yesterday.measured_at
    return UNKNOWN if names is None else _at_least(as_of(_sum(names), measured_at))


def _by_keys(snapshot: Snapshot, now: datetime) -> Amount:
    """Return what the present API keys have of today: at least that, because deleted keys are not among them."""
    amounts = [Amount(key_byok_usd(snapshot, key, "today", now)) for key in snapshot.keys.value or ()]
    return _at_least(as_of(total(amounts), next_due(snapshot, "keys"))) if amounts else UNKNOWN


def _names(snapshot: Snapshot, by: str, day: date) -> Mapping[str, Spend] | None:
    """Return the spend of a completed day by name; None if it is not published, nor reported."""
    usd, _ = published(snapshot, day)
    activity = snapshot.activity.value
    if usd is None or activity is None:
        return _reported_names(snapshot, by, day)
    return (activity.by_model if by == "model" else activity.by_provider).get(day, {})


def _reported_names(snapshot: Snapshot, by: str, day: date) -> Mapping[str, Spend] | None:
    for reading in (snapshot.today, snapshot.yesterday):
        if reading.value is not None and _is_of(reading, day):
            names = reading.value.by_model if by == "model" else reading.value.by_provider
            return None if by == "provider" and not names and reading.value.by_model else names
    return None


def _is_of(reading: Reading[Today], day: date) -> bool:
    return reading.value is not None and reading.value.day == day


def _sum(names: Mapping[str, Spend]) -> Amount:
    return total(spend.byok for spend in names.values())


def _at_least(amount: Amount) -> Amount:
    return replace(amount, lower_bound=True) if amount.is_known else UNKNOWN
