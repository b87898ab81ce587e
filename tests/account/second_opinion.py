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
    """`days`: n of the baseline; `lane`: "window", "hour", "six hours" or "week"."""

    level: str
    days: int
    ratio: Fraction | None = None
    about: bool = False
    lane: str = "window"


@dataclass(frozen=True)
class Case:
    """All that a verdict depends on. `days`: known, an idle one with nothing; `today`: spent so far, None: unknown."""

    polls: Sequence[Poll]
    days: Mapping[date, Fraction]
    today: Fraction | None
    now: datetime
    interval_s: float
    threshold: Fraction
    floor: Fraction
    hours: Fraction
    burst: bool

    @property
    def yesterday(self) -> date:
        return self.now.date() - DAY


def opinion(case: Case) -> Opinion | None:
    """The verdict of the rule; None: the last one is kept, which this does not judge."""
    days = baseline(case)
    if len(days) < 3:
        return Opinion("gathering", len(days))
    points = counter(case.polls)
    seen = by_counter(case, points) or by_days(case, points)
    if seen is None:
        return None
    found = in_window(case, days, *seen)
    if case.burst:
        for other in (last_hour(case, days, points), last_six_hours(case, days, points)):
            if other is not None and LEVELS.index(other.level) > LEVELS.index(found.level):
                found = other
        if found.level == "normal" and (after := after_a_burst(case, days, points)) is not None:
            found = after
    leak = last_week(case)
    if found.level == "normal" and leak is not None:
        return Opinion("spike", len(days), leak, lane="week")
    return found


def in_window(case: Case, days: Sequence[date], spent: Mapping[date, Fraction], hours: Fraction, about: bool) -> Opinion:
    ratio = sum(usd / usual_day(case, days, day) for day, usd in spent.items()) * 24 / hours
    window = sum(spent.values()) * case.hours / hours
    red = 2 if window >= 2 * case.floor else 4
    level = (ratio >= case.threshold) + (ratio >= red * case.threshold) if window >= case.floor else 0
    return Opinion(LEVELS[level], len(days), ratio, about)


def worth(days: Mapping[date, Fraction]) -> dict[date, Fraction]:
    """Days with spend worth the name."""
    spent = sorted((usd for usd in days.values() if usd > 0), reverse=True)
    return {day: usd for day, usd in days.items() if usd > 0 and usd * 100 >= spent[min(2, len(spent) - 1)]}


def baseline(case: Case) -> list[date]:
    """The active days, oldest first."""
    active = sorted(worth({day: usd for day, usd in case.days.items() if 0 < (case.now.date() - day).days <= 30}))
    others = [day for day in active if day != case.yesterday]
    return others if len(others) >= 3 else active


def mean(amounts: Sequence[Fraction]) -> Fraction:
    return sum(amounts, Fraction(0)) / len(amounts)


def usual_day(case: Case, days: Sequence[date], day: date) -> Fraction:
    amounts = [case.days[each] for each in days]
    usual = mean(amounts) if len(amounts) >= 7 else max(amounts)
    if len(amounts) >= 5:
        before, stayed = mean(amounts[:-2]), min(amounts[-2:])
        if 2 * before <= stayed < 2 * case.threshold * before:
            usual = max(usual, stayed)
    known = worth({each: usd for each, usd in case.days.items() if each != case.yesterday})
    same = [usd for each, usd in known.items() if each.weekday() == day.weekday()]
    others = [usd for each, usd in known.items() if each.weekday() != day.weekday()]
    if len(same) >= 3 and others and min(same) > mean(others) * 3 / 2:
        usual = max(usual, mean(same))
    return usual


def last_week(case: Case) -> Fraction | None:
    """How many times the three weeks before, if that is a leak."""
    newest = max(case.days)
    if any(newest - age * DAY not in case.days for age in range(7)):
        return None
    active = worth(case.days)
    last = sorted(usd for day, usd in active.items() if newest - day < 7 * DAY)
    before = [usd for day, usd in active.items() if 7 * DAY <= newest - day < 28 * DAY]
    if len(last) < 4 or len(before) < 10:
        return None
    times, cheaper = mean(last) / mean(before), mean(last[:-2]) / mean(before)
    return times if mean(before) >= 1 and times >= Fraction(18, 10) and cheaper >= Fraction(15, 10) else None


def by_counter(case: Case, points: Sequence[Point]) -> tuple[dict[date, Fraction], Fraction, bool] | None:
    """Spent in the window by day, its length, and whether its beginning is uncertain; None: the counter does not cover it."""
    if not points:
        return None
    start = points[-1].at - timedelta(hours=float(case.hours))
    begin = reading(points, start)
    if begin is None or begin[2] != points[-1].epoch:
        return None
    return parts(case, points, start), case.hours, begin[1] > 2 * Fraction(case.interval_s)


def parts(case: Case, points: Sequence[Point], start: datetime) -> dict[date, Fraction]:
    midnight = datetime.combine(case.now.date(), time(), UTC)
    begin, end = reading(points, start), points[-1].usd
    assert begin is not None
    if not start < midnight < points[-1].at:
        return {start.date(): end - begin[0]}
    middle = reading(points, midnight)
    assert middle is not None
    return {start.date(): middle[0] - begin[0], midnight.date(): end - middle[0]}


def by_days(case: Case, points: Sequence[Point]) -> tuple[dict[date, Fraction], Fraction, bool] | None:
    """Spent in a day, from today so far and a part of yesterday, or what the counter saw of the window if that is more."""
    midnight = datetime.combine(case.now.date(), time(), UTC)
    if case.today is None or case.yesterday not in case.days:
        return None
    left = 1 - seconds(case.now - midnight) / 86_400
    spent = {case.yesterday: left * case.days[case.yesterday], case.now.date(): case.today}
    window = timedelta(hours=float(case.hours))
    inside = [point for point in points if point.epoch == points[-1].epoch and point.at >= points[-1].at - window]
    if inside:
        counted = parts(case, points, inside[0].at)
        if sum(counted.values()) > sum(spent.values()) * case.hours / 24:
            return counted, case.hours, True
    return spent, Fraction(24), True


def hours_of(case: Case, points: Sequence[Point], days: Sequence[date]) -> dict[date, dict[int, Fraction]]:
    """Spent in each hour of the active days that the counter explains, oldest first."""
    before = [point for point in points if point.at < datetime.combine(case.now.date(), time(), UTC)]
    spent: dict[date, dict[int, Fraction]] = {}
    for one, other in pairwise(points[: len(before) + 1]):
        if other.at - one.at > 2 * HOUR:
            continue
        start = one.at.replace(minute=0, second=0, microsecond=0)
        while start < other.at:
            inside = min(start + HOUR, other.at) - max(start, one.at)
            usd = (other.usd - one.usd) * seconds(inside) / seconds(other.at - one.at)
            day = spent.setdefault(start.date(), {})
            day[start.hour] = day.get(start.hour, Fraction(0)) + usd
            start += HOUR
    active = worth({day: usd for day, usd in case.days.items() if (case.now.date() - day).days <= 30})
    return {day: spent[day] for day in sorted(active) if day in spent and sum(spent[day].values()) * 4 >= active[day] * 3}


def working_hours(hours: Mapping[date, Mapping[int, Fraction]], usual: Fraction) -> Fraction:
    worked = [sum(usd * 50 >= max(usual, sum(day.values())) for usd in day.values()) for day in hours.values()]
    worked = [count for count in worked if count]
    return min(Fraction(24), max(Fraction(4), Fraction(sum(worked), len(worked)))) if worked else Fraction(8)


def habit(hours: Mapping[date, Mapping[int, Fraction]], hour: int) -> Fraction:
    """What an hour cost on most of the last 3, or of the last 7 days."""
    found = Fraction(0)
    for count in (3, 7):
        amounts = sorted((day.get(hour, Fraction(0)) for day in list(hours.values())[-count:]), reverse=True)
        most = len(amounts) // 2 + 1
        found = max(found, amounts[most - 1] if amounts else Fraction(0))
    return found


def touched(start: datetime, end: datetime) -> list[int]:
    hour, found = start.replace(minute=0, second=0, microsecond=0), []
    while hour < end:
        found.append(hour.hour)
        hour += HOUR
    return found


def last_hour(case: Case, days: Sequence[date], points: Sequence[Point], whole: Sequence[Point] = ()) -> Opinion | None:
    if len(points) < 2:
        return None
    hours = hours_of(case, whole or points, days)
    worked = working_hours(hours, mean([case.days[day] for day in days]))
    ratios, spent = [], Fraction(0)
    for each in (points[:-1], points):
        start, end = each[-1].at - HOUR, each[-1].at
        found = without_gap(each, start, case)
        if found is None:
            return None
        spent = found
        usual = max(usual_day(case, days, start.date()), usual_day(case, days, end.date())) / worked
        regular = max(habit(hours, hour) for hour in touched(start, end))
        ratios.append(spent / (regular if regular >= 3 * usual else usual) if spent >= case.floor else Fraction(0))
    ratio = min(ratios[1], ratios[0] / Fraction(9, 10))
    level = (ratio >= 2 * case.threshold) + (ratio >= 4 * case.threshold and spent >= 2 * case.floor)
    return Opinion(LEVELS[level], len(days), ratio, lane="hour")


def last_six_hours(case: Case, days: Sequence[date], points: Sequence[Point], whole: Sequence[Point] = ()) -> Opinion | None:
    spent, gone = gone_in_six_hours(case, days, points, whole or points)
    if len(days) < 7 or spent < 2 * case.floor or gone < max(2, case.threshold * 2 / 3):
        return None
    return Opinion("critical", len(days), gone * 4, lane="six hours")


def after_a_burst(case: Case, days: Sequence[date], points: Sequence[Point]) -> Opinion | None:
    """A usual day or more is gone within six hours, in which there was a burst."""
    if not points or (gone := gone_in_six_hours(case, days, points, points)[1]) < 1:
        return None
    for count in range(len(points) - 1, 1, -1):
        if points[count - 1].at <= points[-1].at - 6 * HOUR:
            break
        hour = last_hour(case, days, points[:count], points)
        if (hour is not None and hour.level != "normal") or last_six_hours(case, days, points[:count], points) is not None:
            return Opinion("spike", len(days), gone * 4, lane="six hours")
    return None


def gone_in_six_hours(
    case: Case, days: Sequence[date], points: Sequence[Point], whole: Sequence[Point]
) -> tuple[Fraction, Fraction]:
    """Spent, and that in usual days without the habits of these hours; nothing where the counter does not cover the time."""
    nothing = Fraction(0), Fraction(0)
    if len(points) < 2 or not without_gap(points, points[-1].at - HOUR, case):
        return nothing
    if without_gap(points[:-1], points[-2].at - HOUR, case) is None:
        return nothing
    start, end = points[-1].at - 6 * HOUR, points[-1].at
    spent = without_gap(points, start, case)
    if spent is None:
        return nothing
    hours = hours_of(case, whole, days)
    usual = max(usual_day(case, days, start.date()), usual_day(case, days, end.date()))
    return spent, (spent - sum(habit(hours, hour) for hour in touched(start, end))) / usual


def without_gap(points: Sequence[Point], start: datetime, case: Case) -> Fraction | None:
    """Spent since `start`; None: silent."""
    begin = reading(points, start)
    if begin is None or begin[2] != points[-1].epoch:
        return None
    before = [point for point in points if point.at <= start][-1:]
    inside = [*before, *(point for point in points if point.at > start)]
    if any(gap(one, other) > 2 * Fraction(case.interval_s) for one, other in pairwise(inside)):
        return None
    return points[-1].usd - begin[0]


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
