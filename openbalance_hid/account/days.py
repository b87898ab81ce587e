"""Completed days of several answers as one: what `/activity` said last, and the older days that it no longer reaches."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import TypeVar

from openbalance_hid.account.snapshot import Activity, Days, Spend

ACTIVITY_DAYS = 30  # how far back `/activity` reaches
DAYS_KEPT = 400  # a year and what a comparison with it needs

ActivityRow = TypeVar("ActivityRow")


def joined(known: Activity | None, answer: Activity) -> Activity:
    """The newest answer, with the days of `known` that lie outside of its own oldest and newest day.

    Inside, the answer is the whole truth: a day that it leaves out had no spend. At most `DAYS_KEPT` days, counted back from
    the newest.
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


def with_key(known: Days, name: str, answer: Activity, today: date, names: Collection[str]) -> Days:
    """The days by key, with what `/activity` answered for one key in the place of what was known of it.

    The answer is the whole truth about the `ACTIVITY_DAYS` before `today`; at most `DAYS_KEPT` days stay. `names`: of all keys
    that there are; what was known by the name that this key had before goes on under the new one.
    """
    first, oldest = today - timedelta(days=ACTIVITY_DAYS), today - timedelta(days=DAYS_KEPT)
    told = {day: sum(models.values(), Spend()) for day, models in answer.by_model.items()}
    mine = {name, *_former_names(known, told, names)}
    days = {
        day: {name if each in mine else each: spend for each, spend in keys.items() if each not in mine or day < first}
        for day, keys in known.items()
        if day >= oldest
    }
    for day, spend in told.items():
        days.setdefault(day, {})[name] = spend
    return {day: keys for day, keys in days.items() if keys}


def _former_names(known: Days, told: Mapping[date, Spend], names: Collection[str]) -> set[str]:
    """Names that no key has any more, with the very days that are told of one that is there; their newest may have grown."""
    gone: dict[str, dict[date, Spend]] = {}
    for day, keys in known.items():
        for name, spend in keys.items():
            if name not in names:
                gone.setdefault(name, {})[day] = spend
    return {
        name
        for name, days in gone.items()
        if len(seen := sorted(day for day in days if day >= min(told, default=date.max))) > 1
        and all(told.get(day) == days[day] for day in seen[:-1])
    }


def _outside(known: Mapping[date, ActivityRow], inside: tuple[date, date], oldest: date) -> dict[date, ActivityRow]:
    first, last = inside
    return {day: row for day, row in known.items() if day >= oldest and not first <= day <= last}
