"""Hourly spend from the samples of five weeks: the usual number of working hours, and what an hour usually costs. Pure.

Only completed UTC days count, and of those only hours that the samples cover. Spend that was found after a sleep of the machine
belongs to no hour.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from openbalance_hid.account.counter import Tick

HOUR = timedelta(hours=1)
LONGEST_GAP = timedelta(hours=2)  # between samples: of older ones the last of each hour is kept
MEANINGFUL_SHARE = Decimal("0.02")  # of a usual day: with less in it, an hour had no work
COVERED_SHARE = Decimal("0.75")  # of a day's spend: with less of it in its hours, the day is left out
DEFAULT_ACTIVE_HOURS = Decimal(8)  # a working day, until a whole one is known
FEWEST_HOURS, MOST_HOURS = Decimal(4), Decimal(24)
HABIT_DAYS = (3, 7)  # an hour has a habit if it was on most of the last 3, or most of the last 7 days

Hours = Mapping[date, Mapping[int, Decimal]]  # completed UTC day -> hour of the day -> USD


def hourly_usd(series: Sequence[Tick]) -> dict[date, dict[int, Decimal]]:
    """Return the spend of each hour that had some."""
    spent: dict[date, dict[int, Decimal]] = {}
    for before, after in pairwise(series):
        usd = after.counter_usd - before.counter_usd
        if not usd or after.at - before.at > LONGEST_GAP:
            continue
        start, end = before.at, after.at
        hour = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        if end <= hour + HOUR:
            _add(spent, hour, usd)
            continue
        length_s = Decimal((end - start).total_seconds())
        while hour < end:
            inside = min(end, hour + HOUR) - max(start, hour)
            _add(spent, hour, usd * Decimal(inside.total_seconds()) / length_s)
            hour += HOUR
    return spent


def recorded(hours: Hours, days: Mapping[date, Decimal]) -> dict[date, Mapping[int, Decimal]]:
    """Return the hours of those of `days` (USD by day) whose spend they explain, oldest first."""
    return {day: hours[day] for day in sorted(days) if day in hours and sum(hours[day].values()) >= COVERED_SHARE * days[day]}


def active_hours(hours: Hours, usual_usd: Decimal) -> Decimal:
    """Return the mean number of hours with work (4 to 24), over the days that have one. `usual_usd`: of a usual day."""
    counts = [
        count
        for spent in hours.values()
        if (least := MEANINGFUL_SHARE * max(usual_usd, sum(spent.values()))) is not None
        and (count := sum(usd >= least for usd in spent.values()))
    ]
    if not counts:
        return DEFAULT_ACTIVE_HOURS
    return min(MOST_HOURS, max(FEWEST_HOURS, Decimal(sum(counts)) / len(counts)))


def hourly_habits(hours: Hours) -> tuple[Decimal, ...]:
    """Return what each of the 24 UTC hours cost on most of the last days, USD."""
    newest = [hours[day] for day in sorted(hours)]
    return tuple(
        max((_on_most([spent.get(hour, Decimal(0)) for spent in newest[-days:]]) for days in HABIT_DAYS), default=Decimal(0))
        for hour in range(24)
    )


def habit_between(habits: Sequence[Decimal], start: datetime, end: datetime) -> tuple[Decimal, ...]:
    """Return the habits of the UTC hours that the time from `start` to `end` touches."""
    first = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    count = -((first - end) // HOUR)
    return tuple(habits[(first.hour + number) % 24] for number in range(count))


def _on_most(amounts: Sequence[Decimal]) -> Decimal:
    """Return the largest amount that most of them reach: of an even number, more than half."""
    return sorted(amounts)[(len(amounts) - 1) // 2] if amounts else Decimal(0)


def _add(spent: dict[date, dict[int, Decimal]], hour: datetime, usd: Decimal) -> None:
    day = spent.setdefault(hour.date(), {})
    day[hour.hour] = day.get(hour.hour, Decimal(0)) + usd
