"""Completed days of several answers as one: what `/activity` said last, and the older days that it no longer reaches."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TypeVar

from openbalance_hid.account.snapshot import Activity, Days, Spend

ACTIVITY_DAYS = 30  # how far back `/activity` reaches
DAYS_KEPT = 400  # a year and what a comparison with it needs

Row = TypeVar("Row")


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


def with_key(known: Days, name: str, answer: Activity, today: date) -> Days:
    """The days by key, with what `/activity` answered for one key in the place of what was known of it.

    The answer is the whole truth about the `ACTIVITY_DAYS` before `today`; at most `DAYS_KEPT` days stay.
    """
    first, oldest = today - timedelta(days=ACTIVITY_DAYS), today - timedelta(days=DAYS_KEPT)
    days = {
        day: {each: spend for each, spend in keys.items() if each != name or day < first}
        for day, keys in known.items()
        if day >= oldest
    }
    for day, models in answer.by_model.items():
        days.setdefault(day, {})[name] = sum(models.values(), Spend())
    return {day: keys for day, keys in days.items() if keys}


def _outside(known: Mapping[date, Row], inside: tuple[date, date], oldest: date) -> dict[date, Row]:
    first, last = inside
    return {day: row for day, row in known.items() if day >= oldest and not first <= day <= last}
