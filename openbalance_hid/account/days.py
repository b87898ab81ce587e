"""What is kept of completed days: the newest answer of `/activity`, older days, and the samples around midnights. Pure."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Protocol, TypeVar

from openbalance_hid.account.snapshot import ZERO_SPEND, Activity, Days, Spend

ACTIVITY_DAYS = 30  # in an answer of `/activity`
DAYS_KEPT = 400  # a year and what a comparison with it needs

_T = TypeVar("_T")


def joined(known: Activity | None, answer: Activity) -> Activity:
    """Return the newest answer, with the days of `known` before its oldest and after its newest day.

    Between them the answer is complete: a missing day had no spend. At most `DAYS_KEPT` days, counted back from the newest.
    """
    if known is None or not known.by_model:
        return answer
    days = answer.by_model
    inside = (min(days), max(days)) if days else (date.max, date.min)
    newest = max([*days, *known.by_model])
    oldest = newest - timedelta(days=DAYS_KEPT - 1)
    return Activity(
        _outside(known.by_model, inside, oldest) | dict(days),
        _outside(known.by_provider, inside, oldest) | dict(answer.by_provider),
    )


class _Dated(Protocol):
    @property
    def at(self) -> datetime: ...


_S = TypeVar("_S", bound=_Dated)


def around_midnights(samples: Iterable[_S]) -> list[_S]:
    """Return the first and the last sample of each UTC day, oldest first: with them the counter knows what a day cost."""
    days: dict[date, list[_S]] = {}
    for sample in samples:
        days.setdefault(sample.at.astimezone(UTC).date(), []).append(sample)
    return [sample for of_day in days.values() for sample in (of_day[:1] if len(of_day) == 1 else (of_day[0], of_day[-1]))]


def with_key(known: Days, name: str, answer: Activity, today: date, names: Collection[str]) -> Days:
    """Return the days by key, with the answer of `/activity` for one key in place of what was known of it.

    The answer is complete for the `ACTIVITY_DAYS` before `today`; at most `DAYS_KEPT` days are kept. `names`: of all present
    keys. Days under a former name of this key move to its new name.
    """
    first, oldest = today - timedelta(days=ACTIVITY_DAYS), today - timedelta(days=DAYS_KEPT)
    spent = {day: sum(models.values(), ZERO_SPEND) for day, models in answer.by_model.items()}
    own = {name, *_former_names(known, spent, names)}
    days = {
        day: {name if each in own else each: spend for each, spend in keys.items() if each not in own or day < first}
        for day, keys in known.items()
        if day >= oldest
    }
    for day, spend in spent.items():
        days.setdefault(day, {})[name] = spend
    return {day: keys for day, keys in days.items() if keys}


def _former_names(known: Days, spent: Mapping[date, Spend], names: Collection[str]) -> set[str]:
    """Return names that no key has any more, with the same days as the answer of a renamed key.

    The newest of those days may differ: it may have grown since.
    """
    gone: dict[str, dict[date, Spend]] = {}
    for day, keys in known.items():
        for name, spend in keys.items():
            if name not in names:
                gone.setdefault(name, {})[day] = spend
    return {
        name
        for name, days in gone.items()
        if len(seen := sorted(day for day in days if day >= min(spent, default=date.max))) > 1
        and all(day in spent and _credits_part(spent[day]) == _credits_part(days[day]) for day in seen[:-1])
    }


def _credits_part(spend: Spend) -> tuple[Decimal, int, int]:
    """Return what every version has stored: the own-key part may be unknown on one side."""
    return spend.usd, spend.requests, spend.tokens


def _outside(known: Mapping[date, _T], inside: tuple[date, date], oldest: date) -> dict[date, _T]:
    first, last = inside
    return {day: row for day, row in known.items() if day >= oldest and not first <= day <= last}
