"""The burst lane: the last hour against a usual working hour, which sees a runaway hours before the day's window does.

It speaks only where two polls running agree, and is silent while the samples of the hour have a gap: what is found after a
sleep was not spent in a burst.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from openbalance_hid.account.counter import Tick, gap_s, spent_between

HOUR = timedelta(hours=1)
GAP_INTERVALS = 2  # a gap of more poll intervals than this silences the lane
HOURS_UNTIL_KNOWN = Decimal(8)  # of spending a day
FEWEST_HOURS, MOST_HOURS = Decimal(4), Decimal(24)


def burst_ratio(made: Sequence[Tick], baseline_usd: Decimal, floor_usd: Decimal, interval_s: float) -> Decimal | None:
    """Spend of the last hour over that of a usual hour: the smaller one of the last two polls; None: the lane is silent."""
    if len(made) < 2:
        return None
    usual_usd = baseline_usd / active_hours(made)
    ratios = [_ratio(made[: len(made) - back], usual_usd, floor_usd, interval_s) for back in (0, 1)]
    return None if None in ratios else min(ratio for ratio in ratios if ratio is not None)


def active_hours(made: Sequence[Tick]) -> Decimal:
    """Mean number of UTC hours with spend, a day with spend, over the days that the samples cover from end to end."""
    by_day: dict[date, set[int]] = {}
    for before, after in pairwise(made):
        if after.counter_usd > before.counter_usd and after.at - before.at <= HOUR:
            by_day.setdefault(before.at.date(), set()).add(before.at.hour)
    whole = [hours for day, hours in by_day.items() if made[0].at.date() < day < made[-1].at.date()]
    if not whole:
        return HOURS_UNTIL_KNOWN
    mean = Decimal(sum(len(hours) for hours in whole)) / len(whole)
    return min(MOST_HOURS, max(FEWEST_HOURS, mean))


def _ratio(made: Sequence[Tick], usual_usd: Decimal, floor_usd: Decimal, interval_s: float) -> Decimal | None:
    """None where the hour before the last tick is not covered without a gap; 0 below the floor."""
    start = made[-1].at - HOUR
    stretch = spent_between(made, start, made[-1].at)
    if stretch is None:
        return None
    spaced = made[max(0, bisect_right(made, start, key=lambda tick: tick.at) - 1) :]  # from the last one before the hour
    if max((gap_s(before, after) for before, after in pairwise(spaced)), default=0.0) > GAP_INTERVALS * interval_s:
        return None
    return stretch.usd / usual_usd if stretch.usd >= floor_usd else Decimal(0)
