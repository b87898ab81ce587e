"""Own-key (BYOK) cost in a report: billed by the provider, and in no other amount of it. Pure.

The amounts of days are those of the tiles (`account.byok`). Names are from completed days and the last answer about today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.amount import ZERO, Amount
from openbalance_hid.account.byok import byok_on_usd, byok_sum
from openbalance_hid.account.leaders import LEAST_USD, sum_by_name
from openbalance_hid.account.snapshot import Snapshot, Spend
from openbalance_hid.report.period import PeriodPart


class OwnKeyNames(Struct, frozen=True):
    """Names with own-key cost, the highest first. `rest`: by none of these names; None if that is nothing."""

    names: tuple[tuple[str, Amount], ...]
    rest: Amount | None


class OwnKeyFigures(Struct, frozen=True):
    """The own-key cost of a period. `rankings`: by "model", "provider", "key"."""

    total: Amount
    parts: tuple[tuple[PeriodPart, Amount], ...]
    rankings: Mapping[str, OwnKeyNames]


def own_key_figures(
    snapshot: Snapshot,
    in_period: Sequence[date],
    parts: Sequence[PeriodPart],
    named_days: Mapping[str, Sequence[Mapping[str, Spend]]],
    now: datetime,
) -> OwnKeyFigures | None:
    """Return the own-key cost; None where none is known. `named_days`: "model", "provider", "key" → the days by name."""
    by_day = {day: byok_on_usd(snapshot, day, now) for day in in_period}
    whole = byok_sum(list(by_day.values()))
    if not whole.usd:
        return None
    of_parts = tuple((part, byok_sum([by_day[day] for day in part.days])) for part in parts)
    return OwnKeyFigures(whole, of_parts, {by: _names(days, whole) for by, days in named_days.items()})


def _names(days: Sequence[Mapping[str, Spend]], whole: Amount) -> OwnKeyNames:
    sums = {name: spend.byok for name, spend in sum_by_name(days).items() if spend.byok.usd}
    rest_usd = (whole.usd or ZERO) - sum((each.usd or ZERO for each in sums.values()), ZERO)
    is_lower = whole.lower_bound or rest_usd >= LEAST_USD
    names = {name: replace(each, lower_bound=is_lower or each.lower_bound) for name, each in sums.items()}
    in_order = sorted(names.items(), key=lambda item: (-(item[1].usd or ZERO), item[0]))
    return OwnKeyNames(tuple(in_order), Amount(rest_usd, whole.lower_bound) if rest_usd >= LEAST_USD else None)
