"""Models and providers by their part of a period. Pure.

`/activity` and the analytics query report who spent; how much was spent is in `spend`. Where they lag behind it, the parts are
lower bounds. What is unknown is None; a period without spend is an empty tuple.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.amount import ZERO, Amount
from openbalance_hid.account.remembered import remembered
from openbalance_hid.account.snapshot import ZERO_SPEND, Snapshot, Spend
from openbalance_hid.account.spend import ROUGH_SHARE, used_usd
from openbalance_hid.account.utc_days import completed_days, period_end

_Named = Literal["model", "provider"]

LEAST_USD = Decimal("0.005")  # less than this is not visible in an amount with cents


class Leader(Struct, frozen=True):
    """One model or provider of a period. `share`: 0 to 1 of the measure that ranks them.

    `lower_bound`: a part of the period's spend is not reported by name yet. `is_certain`: that part cannot change who is next.
    """

    name: str
    spend: Spend
    share: float
    lower_bound: bool = False
    is_certain: bool = True


@remembered
def leaders(snapshot: Snapshot, period: str, by: str, now: datetime) -> tuple[Leader, ...] | None:
    """Return models by `by` ("spend", "requests", "tokens"), largest first; None while unknown, () without spend.

    `period`: "today", "7d", "30d" or "month". Sources: completed days from `/activity`, today from the analytics query.
    """
    return _leaders(snapshot, "model", period, by, now)


@remembered
def providers(snapshot: Snapshot, period: str, by: str, now: datetime) -> tuple[Leader, ...] | None:
    """Return the upstream providers of `period`, as `leaders`."""
    return _leaders(snapshot, "provider", period, by, now)


def is_leader_known(snapshot: Snapshot, now: datetime) -> bool:
    """Return whether today's leading model is certain; also without any spend."""
    found = leaders(snapshot, "today", "spend", now)
    return found is not None and all(leader.is_certain for leader in found[:1])


def _leaders(snapshot: Snapshot, of: _Named, period: str, by: str, now: datetime) -> tuple[Leader, ...] | None:
    at = period_end(snapshot, period, now)
    today = snapshot.today.value
    named: Mapping[str, Spend] = {}
    if today is not None and today.day == at.date():
        named = today.by_model if of == "model" else today.by_provider
    if period != "today" and snapshot.activity.value is None:
        return None
    sums = sum_by_name([_completed(snapshot, of, tuple(completed_days(period, at))), named])
    used = used_usd(snapshot, period, now)
    rest_usd = None if used.usd is None else max(ZERO, used.usd - sum((spend.usd for spend in sums.values()), ZERO))
    found = ranked(sums, by)
    if not found and (rest_usd is None or rest_usd >= LEAST_USD or (period == "today" and used.lower_bound)):
        return None  # spent, but on what is not reported yet
    is_exact = used.is_whole and not used.approximate and rest_usd is not None and rest_usd < LEAST_USD
    return found if is_exact else _as_lower_bounds(found, by, _largest_rest(used, sums))


@remembered
def _completed(snapshot: Snapshot, of: _Named, days: tuple[date, ...]) -> Mapping[str, Spend]:
    """Return the spend of each name in these completed days."""
    activity = snapshot.activity.value
    if activity is None:
        return {}
    by_day = activity.by_model if of == "model" else activity.by_provider
    return sum_by_name(by_day.get(day, {}) for day in days)


def _largest_rest(used: Amount, sums: Mapping[str, Spend]) -> Decimal | None:
    """Return the most that may not be reported by name, USD; None without a limit. At most a tenth of an amount is unplaced."""
    if used.usd is None or not used.is_whole:
        return None
    most_usd = used.usd / (1 - ROUGH_SHARE) if used.approximate else used.usd
    return max(ZERO, most_usd - sum((spend.usd for spend in sums.values()), ZERO))


def _as_lower_bounds(found: tuple[Leader, ...], by: str, rest_usd: Decimal | None) -> tuple[Leader, ...]:
    """Return the leaders, each certain if its lead is larger than what is not reported by name."""
    leads = [one.spend.usd - other.spend.usd for one, other in pairwise(found)]
    leads.append(found[-1].spend.usd if found else ZERO)
    return tuple(
        replace(leader, lower_bound=True, is_certain=by == "spend" and rest_usd is not None and lead > rest_usd)
        for leader, lead in zip(found, leads, strict=bool(found))
    )


def ranked(sums: Mapping[str, Spend], by: str) -> tuple[Leader, ...]:
    """Return names by their part of the sum, largest first; a name whose refunds are larger than its spend has no share."""
    if not any(_measure(spend, by) for spend in sums.values()):
        by = "spend"  # an answer without tokens: rank by money, and leave the tokens unknown
    parts = {name: part for name, spend in sums.items() if (part := _measure(spend, by)) != 0}
    total = sum((part for part in parts.values() if part > 0), ZERO)
    in_order = sorted(parts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Leader(name, sums[name], float(max(ZERO, part) / total) if total else 0.0) for name, part in in_order)


def sum_by_name(days: Iterable[Mapping[str, Spend]]) -> dict[str, Spend]:
    """Return the spend of each name, added up over several days."""
    sums: dict[str, Spend] = {}
    for day in days:
        for name, spend in day.items():
            sums[name] = sums.get(name, ZERO_SPEND) + spend
    return sums


def _measure(spend: Spend, by: str) -> Decimal:
    return spend.usd if by == "spend" else Decimal(spend.requests if by == "requests" else spend.tokens)
