"""The spike rule read a second time, from its words alone: in fractions, slow and plain, and sharing nothing with the product.

Definitions: `account.spike` and `account.counter` have them in words. Not here: made-up histories (`test_second_opinion`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WITHOUT_END = Fraction(10**12)
LEVELS = ("normal", "spike", "critical")


@dataclass(frozen=True)
class Poll:
    """One answer of the credits, by both clocks."""

    at: datetime
    mono_s: float
    used: Decimal
    bought: Decimal


@dataclass(frozen=True)
class Point:
    """The counter at one moment."""

    at: datetime
    mono_s: float
    usd: Fraction
    epoch: int


@dataclass(frozen=True)
class Opinion:
    """`days`: n of the baseline; `lane`: "window" or "hour"."""

    level: str
    days: int
    ratio: Fraction | None = None
    about: bool = False
    lane: str = "window"


@dataclass(frozen=True)
class Case:
    """All that a verdict depends on. `days`: published, an idle one with nothing; `today`: spent so far, None: unknown."""

    polls: Sequence[Poll]
    days: Mapping[date, Fraction]
    today: Fraction | None
    now: datetime
    interval_s: float
    threshold: Fraction
    floor: Fraction
    hours: Fraction
    burst: bool


def opinion(case: Case) -> Opinion:
    """The verdict of the rule."""
    baseline = usual_day(case)
    if baseline is None:
        return Opinion("gathering", len(active(case)))
    usual, count = baseline
    points = counter(case.polls)
    seen = by_counter(case, points) or by_days(case)
    if seen is None:
        return Opinion("preparing", count)
    spent, about = seen
    ratio = spent * 24 / case.hours / usual
    level = level_of(ratio, case.threshold) if spent >= case.floor else "normal"
    if case.burst and len(points) >= 2:
        hours = working_hours(points)
        hourly = [last_hour(each, usual / hours, case) for each in (points, points[:-1])]
        if None not in hourly:
            lower = min(each for each in hourly if each is not None)
            loud = level_of(lower, 2 * case.threshold)
            if LEVELS.index(loud) > LEVELS.index(level):
                return Opinion(loud, count, lower, lane="hour")
    return Opinion(level, count, ratio, about)


def level_of(ratio: Fraction, threshold: Fraction) -> str:
    return LEVELS[(ratio >= threshold) + (ratio >= 2 * threshold)]


def active(case: Case) -> list[date]:
    ages = (case.now.date() - age * DAY for age in range(1, 31))
    days = [day for day in ages if case.days.get(day, 0) > 0]
    others = [day for day in days if day != case.now.date() - DAY]
    return others if len(others) >= 3 else days


def usual_day(case: Case) -> tuple[Fraction, int] | None:
    days = active(case)
    return (sum((case.days[day] for day in days), Fraction(0)) / len(days), len(days)) if len(days) >= 3 else None


def by_counter(case: Case, points: Sequence[Point]) -> tuple[Fraction, bool] | None:
    """Spent in the window, and whether its beginning is uncertain; None: the counter does not cover it."""
    if not points:
        return None
    begin = reading(points, points[-1].at - timedelta(hours=float(case.hours)))
    if begin is None or begin[2] != points[-1].epoch:
        return None
    return points[-1].usd - begin[0], begin[1] > 2 * Fraction(case.interval_s)


def by_days(case: Case) -> tuple[Fraction, bool] | None:
    """Return the spend in the window, from today so far and a part of yesterday."""
    midnight = datetime.combine(case.now.date(), time(), UTC)
    newest = next((day for age in (1, 2, 3) if (day := case.now.date() - age * DAY) in case.days), None)
    if case.today is None or newest is None:
        return None
    a_day = case.today + (1 - seconds(case.now - midnight) / 86_400) * case.days[newest]
    return a_day * case.hours / 24, True


def working_hours(points: Sequence[Point]) -> Fraction:
    hours: dict[date, set[int]] = {}
    for one, other in pairwise(points):
        if other.usd > one.usd and other.at - one.at <= HOUR:
            hours.setdefault(one.at.date(), set()).add(one.at.hour)
    whole = [len(each) for day, each in hours.items() if points[0].at.date() < day < points[-1].at.date()]
    return min(Fraction(24), max(Fraction(4), Fraction(sum(whole), len(whole)))) if whole else Fraction(8)


def last_hour(points: Sequence[Point], usual: Fraction, case: Case) -> Fraction | None:
    """None: silent."""
    start = points[-1].at - HOUR
    begin = reading(points, start)
    if begin is None or begin[2] != points[-1].epoch:
        return None
    before = [point for point in points if point.at <= start][-1:]
    inside = [*before, *(point for point in points if point.at > start)]
    if any(gap(one, other) > 2 * Fraction(case.interval_s) for one, other in pairwise(inside)):
        return None
    spent = points[-1].usd - begin[0]
    return spent / usual if spent >= case.floor else Fraction(0)


def counter(polls: Sequence[Poll]) -> list[Point]:
    points: list[Point] = []
    usd, epoch = Fraction(0), 0
    last: Fraction | None = None
    held: tuple[Poll, Fraction] | None = None
    for poll in polls:
        numbers = poll.used.is_finite() and poll.bought.is_finite()
        if not numbers or poll.used < 0 or (points and poll.at <= points[-1].at):
            continue
        used = Fraction(poll.used)
        if last and poll.used == poll.bought == 0:
            continue
        if last is not None and held is not None and abs(used - held[1]) < last - used:
            epoch += 1
            points.append(Point(held[0].at, held[0].mono_s, usd, epoch))
            last = held[1]
        if last is not None and last - used > max(Fraction(5, 100), last / 100):
            held = poll, used
            continue
        usd += max(Fraction(0), used - last) if last is not None else 0
        last, held = used, None
        points.append(Point(poll.at, poll.mono_s, usd, epoch))
    return points


def reading(points: Sequence[Point], at: datetime) -> tuple[Fraction, Fraction, int] | None:
    """The counter at a moment, the gap that this lies in, and the epoch."""
    for point in points:
        if point.at == at:
            return point.usd, Fraction(0), point.epoch
    for one, other in pairwise(points):
        if one.at < at < other.at and one.epoch == other.epoch:
            share = seconds(at - one.at) / seconds(other.at - one.at)
            return one.usd + (other.usd - one.usd) * share, gap(one, other), one.epoch
    return None


def gap(one: Point, other: Point) -> Fraction:
    wall, mono = seconds(other.at - one.at), Fraction(other.mono_s) - Fraction(one.mono_s)
    return wall if abs(wall - mono) <= 60 else WITHOUT_END


def seconds(span: timedelta) -> Fraction:
    return Fraction(span // timedelta(microseconds=1), 10**6)
