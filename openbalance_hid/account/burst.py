"""The burst check: the last hour against a usual working hour. It detects a runaway hours before the day's window does. Pure.

It needs two polls in a row to agree, and gives no ratio while the samples of the hour have a gap: spend that is found after a
sleep of the machine was not a burst.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from openbalance_hid.account.counter import Tick, gap_s, spent_between

HOUR = timedelta(hours=1)
GAP_INTERVALS = 2  # with a longer gap, in poll intervals, there is no ratio
DEFAULT_ACTIVE_HOURS = Decimal(8)  # a working day, until the samples cover a whole one
FEWEST_HOURS, MOST_HOURS = Decimal(4), Decimal(24)


def burst_ratio(series: Sequence[Tick], baseline_usd: Decimal, floor_usd: Decimal, interval_s: float) -> Decimal | None:
    """Return the last hour's spend divided by a usual hour's, the smaller ratio of the last two polls; None: not known.

    `series`: oldest first. `baseline_usd`: of a usual day. `floor_usd`: an hour with less has the ratio 0.
    """
    if len(series) < 2:
        return None
    usual_usd = baseline_usd / active_hours(series)
    ratios = [_ratio(series[: len(series) - back], usual_usd, floor_usd, interval_s) for back in (0, 1)]
    return None if None in ratios else min(ratio for ratio in ratios if ratio is not None)


def active_hours(series: Sequence[Tick]) -> Decimal:
    """Return the mean number of UTC hours with spend (4 to 24), over the days with spend that the samples cover whole."""
    by_day: dict[date, set[int]] = {}
    for before, after in pairwise(series):
        if after.counter_usd > before.counter_usd and after.at - before.at <= HOUR:
            by_day.setdefault(before.at.date(), set()).add(before.at.hour)
    whole = [hours for day, hours in by_day.items() if series[0].at.date() < day < series[-1].at.date()]
    if not whole:
        return DEFAULT_ACTIVE_HOURS
    mean = Decimal(sum(len(hours) for hours in whole)) / len(whole)
    return min(MOST_HOURS, max(FEWEST_HOURS, mean))


def _ratio(series: Sequence[Tick], usual_usd: Decimal, floor_usd: Decimal, interval_s: float) -> Decimal | None:
    """Return the ratio of the hour before the last tick; None if samples do not cover it without a gap; 0 below the floor."""
    start = series[-1].at - HOUR
    stretch = spent_between(series, start, series[-1].at)
    if stretch is None:
        return None
    spaced = series[
        max(0, bisect_right(series, start, key=lambda tick: tick.at) - 1) :
    ]  # starts with the last one before the hour
    if max((gap_s(before, after) for before, after in pairwise(spaced)), default=0.0) > GAP_INTERVALS * interval_s:
        return None
    return stretch.usd / usual_usd if stretch.usd >= floor_usd else Decimal(0)
