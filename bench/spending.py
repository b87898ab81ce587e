"""The ways to spend of the table of lives: each function returns the spend of one day, minute by minute."""

from collections.abc import Sequence
from datetime import date
from random import Random

from bench.lives import MINUTES, Minutes, SpendDay

SPREAD = 0.6  # sigma of the logarithm of a day's sum
SMALL_SPREAD = 0.25
WORKDAYS = range(5)


def office(median_usd: float, spread: float = SPREAD, begins: int = 8, hours: int = 8, weekends: bool = False) -> SpendDay:
    """Working hours, shared out as unevenly as the waits of a Poisson process. A day's sum is log-normal."""

    def spend_day(rng: Random, _: int, day: date) -> Minutes:
        usd = median_usd * rng.lognormvariate(0.0, spread) if weekends or day.weekday() in WORKDAYS else 0.0
        return _unevenly(rng, usd, begins * 60, hours)

    return spend_day


def sessions(usd: float, hours: int, spread: float = SMALL_SPREAD) -> SpendDay:
    """Work at changing hours of the day, five days a week."""

    def spend_day(rng: Random, _: int, day: date) -> Minutes:
        spent = usd * rng.lognormvariate(0.0, spread) if day.weekday() in WORKDAYS else 0.0
        return _unevenly(rng, spent, rng.randrange(8 * 60, (24 - hours) * 60), hours)

    return spend_day


def job(usd: float, hour: int, minutes: int, from_day: int = 0) -> SpendDay:
    """A job at the same time of each day."""

    def spend_day(_: Random, number: int, __: date) -> Minutes:
        spent = [0.0] * MINUTES
        if number >= from_day:
            spent[hour * 60 : hour * 60 + minutes] = [usd / minutes] * minutes
        return spent

    return spend_day


def steady(usd: float, spread: float = 0.0) -> SpendDay:
    """The same every day, by and large, evenly from 8:00 to 18:00."""

    def spend_day(rng: Random, _: int, __: date) -> Minutes:
        spent = usd * rng.lognormvariate(0.0, spread)
        return [spent / 600 if 480 <= minute < 1080 else 0.0 for minute in range(MINUTES)]

    return spend_day


def sunday_request(usd: float) -> SpendDay:
    """One request on each Sunday."""
    return weekday_only(6, job(usd, 20, 1))


def weekday_only(weekday: int, way: SpendDay) -> SpendDay:
    """On one day of the week."""

    def spend_day(rng: Random, number: int, day: date) -> Minutes:
        return way(rng, number, day) if day.weekday() == weekday else [0.0] * MINUTES

    return spend_day


def by_day(sums: Sequence[float], hours: range = range(8, 18), spread: float = 0.0) -> SpendDay:
    """Given sums, one a day; the last one goes on."""

    def spend_day(rng: Random, number: int, _: date) -> Minutes:
        usd = sums[min(number, len(sums) - 1)] * rng.lognormvariate(0.0, spread)
        return _unevenly(rng, usd, hours.start * 60, len(hours))

    return spend_day


def weekday(usd: float, dear_usd: float, dear: int = 0, spread: float = SMALL_SPREAD) -> SpendDay:
    """One day of the week is dearer than the others."""

    def spend_day(rng: Random, _: int, day: date) -> Minutes:
        spent = (dear_usd if day.weekday() == dear else usd) * rng.lognormvariate(0.0, spread)
        return _unevenly(rng, spent, 8 * 60, 10)

    return spend_day


def grown(before: SpendDay, times: float, from_day: int, days: int = 10_000) -> SpendDay:
    """From a day on, several times as much."""

    def spend_day(rng: Random, number: int, day: date) -> Minutes:
        factor = times if from_day <= number < from_day + days else 1.0
        return [usd * factor for usd in before(rng, number, day)]

    return spend_day


def together(*ways: SpendDay) -> SpendDay:
    """Several ways at once."""

    def spend_day(rng: Random, number: int, day: date) -> Minutes:
        return [sum(parts) for parts in zip(*(way(rng, number, day) for way in ways), strict=True)]

    return spend_day


def heartbeat(usd: float) -> SpendDay:
    """A little every hour."""

    def spend_day(*_: object) -> Minutes:
        return [usd if minute % 60 == 5 else 0.0 for minute in range(MINUTES)]

    return spend_day


def _unevenly(rng: Random, usd: float, begins: int, hours: int) -> Minutes:
    weights = [rng.expovariate(1.0) for _ in range(4 * hours)]
    spent = [0.0] * MINUTES
    for number, weight in enumerate(weights):
        start = begins + 15 * number
        spent[start : start + 15] = [usd * weight / sum(weights) / 15] * 15
    return spent
