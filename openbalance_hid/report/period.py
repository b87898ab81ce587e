"""The period of a report: which UTC days, and into which parts a chart divides them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby

from msgspec import Struct

from openbalance_hid.tiles.formatting import MONTHS

ACCEPTED = "30d, month, a month as 2026-11, or all"
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_DAILY, _WEEKLY = 62, 400  # longest periods, in days, with a bar for each day or week


class ReportPeriod(Struct, frozen=True):
    """`name` as in the command; first and last UTC day, both included. `first` None: the first day of the history."""

    name: str
    first: date | None
    last: date


class PeriodPart(Struct, frozen=True):
    """Consecutive days with one bar in a chart. `label`: short, below the bar; `title`: in full."""

    label: str
    title: str
    days: tuple[date, ...]


def period_named(name: str, today: date) -> ReportPeriod | None:
    """Return the period; None for any other name, and for a month that has not started. The last day is at most `today`."""
    match name:
        case "30d":
            return ReportPeriod(name, today - timedelta(days=30), today)  # as the tiles: 30 completed days, and today
        case "month":
            return ReportPeriod(name, today.replace(day=1), today)
        case "all":
            return ReportPeriod(name, None, today)
    match = _MONTH.fullmatch(name)
    if match is None or int(match[1]) < 2000:
        return None
    first = date(int(match[1]), int(match[2]), 1)
    return ReportPeriod(name, first, min(end_of_month(first), today)) if first <= today else None


def end_of_month(day: date) -> date:
    """Return the last day of its month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def days_of(first: date, last: date) -> tuple[date, ...]:
    """Return every day from `first` to `last`."""
    return tuple(first + timedelta(days=age) for age in range((last - first).days + 1))


def parts_of(days: Sequence[date]) -> tuple[str, tuple[PeriodPart, ...]]:
    """Return the unit ("day", "week", "month") and the parts: weeks start on Monday, the first and the last may be short."""
    if len(days) <= _DAILY:
        return "day", tuple(PeriodPart(_short(day), day_text(day), (day,)) for day in days)
    if len(days) <= _WEEKLY:
        weeks = [tuple(week) for _, week in groupby(days, key=_monday)]
        return "week", tuple(PeriodPart(_short(week[0]), f"{day_text(week[0])} – {day_text(week[-1])}", week) for week in weeks)
    months = [tuple(month) for _, month in groupby(days, key=lambda day: day.replace(day=1))]
    return "month", tuple(PeriodPart(_month(month[0]), _month(month[0]), month) for month in months)


def day_text(day: date) -> str:
    """Return a day in full, in English: `30 Nov 2026`."""
    return f"{day.day} {_month(day)}"


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _short(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"


def _month(day: date) -> str:
    return f"{MONTHS[day.month - 1]} {day.year}"
