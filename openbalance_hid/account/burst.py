"""The burst check: the last hour and the last six hours. It detects a runaway hours before the day's window does. Pure.

It has no result while the samples of that time have a gap: spend that is found after a sleep of the machine was not a burst.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from msgspec import Struct

from openbalance_hid.account.counter import Tick, gap_s, spent_between
from openbalance_hid.account.hours import HOUR, habit_between

SIX_HOURS = 6 * HOUR
HABIT = 3  # times a working hour: with less, an hour is an ordinary one
CONFIRMED = Decimal("0.9")  # of the ratio: what the poll before must have reached
GAP_INTERVALS = 2  # with a longer gap, in poll intervals, there is no result


class Burst(Struct, frozen=True):
    """`hour_ratio`: of the last hour to a usual one, as far as the poll before confirms it; 0 below the floor. None: not known.

    `six_hours_usd`: spent in the last six hours; `six_hours_days`: that in usual days, without the habits of those hours.
    """

    hour_usd: Decimal = Decimal(0)
    hour_ratio: Decimal | None = None
    six_hours_usd: Decimal = Decimal(0)
    six_hours_days: Decimal = Decimal(0)


class UsualHours(Struct, frozen=True):
    """What the last hours are compared with. `day_usd`: of a UTC day."""

    day_usd: Callable[[date], Decimal]
    active_hours: Decimal
    habits: Sequence[Decimal]

    def hour_usd(self, start: datetime, end: datetime) -> Decimal:
        """Return the usual spend of an hour: of a working hour, or the habit of a clock hour that it touches."""
        usual_usd = self._day_usd(start, end) / self.active_hours
        habit_usd = max(habit_between(self.habits, start, end))
        return habit_usd if habit_usd >= HABIT * usual_usd else usual_usd

    def days_gone(self, usd: Decimal, start: datetime, end: datetime) -> Decimal:
        """Return spend in usual days, without the habits of its hours."""
        return (usd - sum(habit_between(self.habits, start, end), Decimal(0))) / self._day_usd(start, end)

    def _day_usd(self, start: datetime, end: datetime) -> Decimal:
        return max(self.day_usd(start.date()), self.day_usd(end.date()))


def last_hours(series: Sequence[Tick], usual: UsualHours, floor_usd: Decimal, interval_s: float, back: int = 0) -> Burst:
    """Return the spend of the last hours, `back` ticks before the newest. `series`: oldest first.

    `floor_usd`: an hour with less has the ratio 0.
    """
    count = len(series) - back
    if count < 2:
        return Burst()
    longest_s = GAP_INTERVALS * interval_s
    now, before = (_spent(series, count - polls, HOUR, longest_s) for polls in (0, 1))
    if now is None or before is None:
        return Burst()
    ends = (series[count - 1].at, series[count - 2].at)
    ratios = [
        usd / usual.hour_usd(end - HOUR, end) if usd >= floor_usd else Decimal(0)
        for usd, end in zip((now, before), ends, strict=True)
    ]
    ratio = min(ratios[0], ratios[1] / CONFIRMED)
    burst = Burst(now, ratio)
    if not now or (six_usd := _spent(series, count, SIX_HOURS, longest_s)) is None:
        return burst
    return Burst(now, ratio, six_usd, usual.days_gone(six_usd, ends[0] - SIX_HOURS, ends[0]))


def _spent(series: Sequence[Tick], count: int, length: timedelta, longest_s: float) -> Decimal | None:
    """Return the spend before the last of `count` ticks; None if the samples do not cover it without a gap."""
    end = series[count - 1].at
    first = bisect_right(series, end - length, 0, count, key=lambda tick: tick.at) - 1
    if first < 0:
        return None
    spaced = series[first:count]  # starts with the last one before the time
    if any(gap_s(before, after) > longest_s for before, after in pairwise(spaced)):
        return None
    stretch = spent_between(spaced, end - length, end)
    return None if stretch is None else stretch.usd
