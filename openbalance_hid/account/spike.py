"""The spike rule: whether spending is running away, and on what. Pure. USD.

The spend of a rolling window is compared with what the account usually spends, as of the last good answer. Definitions:

- rate: counter over the last `window_hours`, scaled to a day; until samples cover the window, today so far plus the part of
  yesterday that the window still holds (approximate), but never less than the counter saw;
- usual: the mean of the active days among the last 30 completed UTC days, without yesterday if three others remain: yesterday
  overlaps the window, and a spike must not raise its own bar. Of fewer than seven days the largest. Habits raise the bar of
  their own weekday or hour (`usual_spend`, `hours`), and so does a growth that has lasted for two days;
- Spike at `threshold` times that, Critical at twice that, each only above `floor_usd` in the window;
- the burst check (`burst`): Spike at 2 times, Critical at 4 times `threshold` of a usual hour, and Critical once two usual days
  are gone within six hours; after either, Spike while one usual day is gone within the six hours that hold it;
- the week: Spike while seven completed days are much dearer than the three weeks before (`usual_spend.Week`).

Where data is missing, the verdict is the last one that could be given, or a worse one that the known part proves.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.burst import SIX_HOURS, Burst, UsualHours, last_hours
from openbalance_hid.account.counter import Tick, spent_between
from openbalance_hid.account.driver import Driver, find_driver
from openbalance_hid.account.evidence import Evidence, evidence_at, known_at
from openbalance_hid.account.remembered import remembered
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.account.usual_spend import ENOUGH_DAYS, FEW_DAYS, UsualSpend, Week
from openbalance_hid.account.utc_days import answered_at, midnight

FEWEST_DAYS_GONE = Decimal(2)  # within six hours: Critical
LINGERING_DAYS = Decimal(1)  # usual days gone within six hours, after a burst in them: still a Spike
SMALL_FLOORS = 2  # below so many times the floor, Critical starts at twice the ratio
HELD_FOR = timedelta(hours=48)  # the age limit of a verdict that is kept while data is missing


class Level(IntEnum):
    """Ordered, so that a rise is `>`."""

    PREPARING = 0
    GATHERING = 1
    NORMAL = 2
    SPIKE = 3
    CRITICAL = 4


class SpikeRule(Struct, frozen=True):
    """The options of the spike tile. `floor_usd`: less spend in the window is never a spike. `burst`: check the last hours.

    `key_name`: the API key to judge; None: the whole account.
    """

    threshold: Decimal = Decimal(3)
    floor_usd: Decimal = Decimal(1)
    window_hours: Decimal = Decimal(24)
    burst: bool = True
    key_name: str | None = None

    @property
    def window(self) -> timedelta:
        """The length of the rolling window."""
        return timedelta(hours=float(self.window_hours))


class SpikeVerdict(Struct, frozen=True):
    """`active_days`: days in the baseline. `ratio`: unrounded, of the time that `lane` names ("24h", "1h", "6h", "7d").

    `week`: the last seven days, if they are a leak by themselves; the level is at least Spike then, unless the user has
    acknowledged that. `measured_at`: of a verdict that is kept while data is missing; None: the last good answer.
    """

    level: Level
    active_days: int = 0
    ratio: Decimal | None = None
    approximate: bool = False
    driver: Driver | None = None
    window_usd: Decimal | None = None
    baseline_usd: Decimal | None = None
    lane: str = "24h"
    week: Week | None = None
    measured_at: datetime | None = None


class _Rate(Struct, frozen=True):
    """Spend by UTC day, USD, in a time of `hours`; in the window it is the part of `window_hours`."""

    parts: tuple[tuple[date, Decimal], ...]
    hours: Decimal
    window_hours: Decimal
    approximate: bool

    @property
    def usd(self) -> Decimal:
        return sum((usd for _, usd in self.parts), Decimal(0))

    @property
    def window_usd(self) -> Decimal:
        return self.usd if self.hours == self.window_hours else self.usd * self.window_hours / self.hours


def judge(snapshot: Snapshot, now: datetime, rule: SpikeRule, usual_week_usd: Decimal | None = None) -> SpikeVerdict:
    """Return the verdict as of the last good answer; until the next one it stays the same.

    `usual_week_usd`: the daily mean of a week that the user has acknowledged: the usual one from then on.
    """
    return _judge_at(snapshot, answered_at(snapshot, now), rule, usual_week_usd)


@remembered
def _judge_at(snapshot: Snapshot, at: datetime, rule: SpikeRule, usual_week_usd: Decimal | None) -> SpikeVerdict:
    known = evidence_at(snapshot, at, rule.key_name)
    if known is None:
        return SpikeVerdict(Level.PREPARING, lane=window_name(rule))
    verdict = _judge_window(known, rule)
    if verdict is None:
        verdict = _judge_what_is_known(snapshot, known, rule)
    elif verdict.approximate and not known.yesterday.is_whole:  # `/activity` may have a part of yesterday only
        last = _last_verdict(snapshot, known, rule)
        verdict = last if last is not None and last.level > verdict.level else verdict
    week = known.usual.week
    if week is None or verdict.level is Level.GATHERING or not week.is_leak():
        return verdict
    if verdict.level > Level.NORMAL or not week.is_leak(usual_week_usd):
        return replace(verdict, week=week)
    return replace(
        verdict, level=Level.SPIKE, ratio=week.usd / week.before_usd, approximate=False, lane="7d", week=week, measured_at=None
    )


def rests_on(snapshot: Snapshot, verdict: SpikeVerdict, rule: SpikeRule) -> datetime | None:
    """Return the time of the amounts that a verdict rests on; before the first answer of `/credits` those of today."""
    counted = snapshot.credits if rule.key_name is None else snapshot.keys
    return verdict.measured_at or counted.measured_at or snapshot.today.measured_at


def window_name(rule: SpikeRule) -> str:
    """Return the window as `24h` or `15m`."""
    minutes = int(rule.window_hours * 60)
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


# --- the verdict of one moment ---------------------------------------------------------------------------------------


def _judge_window(known: Evidence, rule: SpikeRule) -> SpikeVerdict | None:
    """Return the verdict by window and burst check; None while the spend in the window is unknown."""
    if len(known.usual.days) < ENOUGH_DAYS:
        return SpikeVerdict(Level.GATHERING, len(known.usual.days), lane=window_name(rule))
    rate = _rate(known, rule)
    if rate is None:
        return None
    verdict = _verdict(known, rate, rule)
    if not rule.burst:
        return verdict
    burst = _burst(known, rule)
    level = _hour_level(burst, rule)
    if level > verdict.level:
        verdict = replace(verdict, level=level, ratio=burst.hour_ratio, approximate=False, lane="1h")
    six_hours = Level.CRITICAL if _is_day_gone(known, burst, rule) else verdict.level
    if six_hours is Level.NORMAL and burst.six_hours_days >= LINGERING_DAYS and _has_burst_before(known, rule):
        six_hours = Level.SPIKE
    if six_hours > verdict.level:
        ratio = burst.six_hours_days * (timedelta(hours=24) // SIX_HOURS)
        return replace(verdict, level=six_hours, ratio=ratio, approximate=False, lane="6h")
    return verdict


def _hour_level(burst: Burst, rule: SpikeRule) -> Level:
    """Return the level of the last hour."""
    if burst.hour_ratio is None:
        return Level.NORMAL
    level = _level(burst.hour_ratio, 2 * rule.threshold, burst.hour_usd, rule)
    return min(level, Level.SPIKE) if burst.hour_usd < SMALL_FLOORS * rule.floor_usd else level


def _has_burst_before(known: Evidence, rule: SpikeRule) -> bool:
    """Return whether there was a burst in the last six hours."""
    series, since = known.series, known.series[-1].at - SIX_HOURS
    first = bisect_right(series, since, key=lambda tick: tick.at)
    bursts = (_burst(known, rule, back) for back in range(1, len(series) - first))
    return any(_hour_level(burst, rule) > Level.NORMAL or _is_day_gone(known, burst, rule) for burst in bursts)


def _is_day_gone(known: Evidence, burst: Burst, rule: SpikeRule) -> bool:
    """Return whether two usual days are gone within six hours. A baseline of few days is too weak for that."""
    least = max(FEWEST_DAYS_GONE, FEWEST_DAYS_GONE * rule.threshold / 3)
    is_enough = burst.six_hours_days >= least and burst.six_hours_usd >= SMALL_FLOORS * rule.floor_usd
    return is_enough and len(known.usual.days) >= FEW_DAYS


def _verdict(known: Evidence, rate: _Rate, rule: SpikeRule) -> SpikeVerdict:
    window_usd, ratio = rate.window_usd, _ratio(known.usual, rate, rule)
    return SpikeVerdict(
        _level(ratio, rule.threshold, window_usd, rule),
        len(known.usual.days),
        ratio,
        rate.approximate,
        None if rule.key_name is not None else find_driver(known.snapshot, known.at, known.usual.days, window_usd, rule.window),
        window_usd,
        known.usual.mean_usd,
        window_name(rule),
    )


def _level(ratio: Decimal, threshold: Decimal, spent_usd: Decimal, rule: SpikeRule) -> Level:
    if ratio < threshold or spent_usd < rule.floor_usd:
        return Level.NORMAL
    red = 2 * threshold if spent_usd >= SMALL_FLOORS * rule.floor_usd else 4 * threshold
    return Level.CRITICAL if ratio >= red else Level.SPIKE


def _ratio(usual: UsualSpend, rate: _Rate, rule: SpikeRule) -> Decimal:
    """Return the rate in usual days: each part of the window is compared with the usual spend of its own day."""
    bars = [_bar(usual, day, rule.threshold) for day, _ in rate.parts]
    if len(set(bars)) == 1:  # one rounding: a level starts exactly at its multiple
        total_usd, days = bars[0]
        return rate.usd * 24 / rate.hours * days / total_usd
    parts = (usd * days / total_usd for (_, usd), (total_usd, days) in zip(rate.parts, bars, strict=True))
    return sum(parts, Decimal(0)) * 24 / rate.hours


def _bar(usual: UsualSpend, day: date, threshold: Decimal) -> tuple[Decimal, int]:
    """Return the usual spend of a UTC day as a sum and a number of days."""
    bar, count = usual.total_usd, len(usual.days)
    if count < FEW_DAYS:
        bar, count = usual.largest_usd, 1
    higher = [usual.weekdays.get(day.weekday())]
    if usual.stayed is not None and usual.stayed[0] < 2 * threshold * usual.stayed[1]:  # what is Critical stays so
        higher.append(usual.stayed[0])
    for usd in higher:
        if usd is not None and usd * count > bar:
            bar, count = usd, 1
    return bar, count


# --- the spend in the window -----------------------------------------------------------------------------------------


def _rate(known: Evidence, rule: SpikeRule) -> _Rate | None:
    """Return the spend in the window; None while it is not known."""
    series = known.series
    if series:
        start, end = series[-1].at - rule.window, series[-1].at
        stretch = spent_between(series, start, end)
        if stretch is not None:
            approximate = stretch.edge_gap_s > 2 * known.snapshot.interval_s
            return _Rate(_by_day(known, start, end), rule.window_hours, rule.window_hours, approximate)
    today, yesterday = known.today, known.today - timedelta(days=1)
    usd, before_usd = known.so_far.usd, known.yesterday.usd
    if usd is None or before_usd is None or known.so_far.lower_bound:  # the part that is missing could hold a spike
        return None
    elapsed = Decimal((known.at - midnight(today)).total_seconds()) / 86400
    rate = _Rate(((yesterday, (1 - elapsed) * before_usd), (today, usd)), Decimal(24), rule.window_hours, approximate=True)
    counted = _counted(known, rule)
    return counted if counted is not None and counted.window_usd > rate.window_usd else rate


def _counted(known: Evidence, rule: SpikeRule) -> _Rate | None:
    """Return what the counter has seen of a window that it does not cover, a lower bound; None: nothing."""
    series = known.series
    if not series:
        return None
    start = next(tick.at for tick in series if tick.at >= series[-1].at - rule.window and tick.epoch == series[-1].epoch)
    return _Rate(_by_day(known, start, series[-1].at), rule.window_hours, rule.window_hours, approximate=True)


def _so_far(known: Evidence, rule: SpikeRule) -> _Rate | None:
    """Return what is known of today, a lower bound of a window that holds all of it; None: nothing, or a shorter window."""
    usd = known.so_far.least_usd
    if usd is None or known.at - midnight(known.today) > rule.window:
        return None
    return _Rate(((known.today, usd),), rule.window_hours, rule.window_hours, approximate=True)


def _by_day(known: Evidence, start: datetime, end: datetime) -> tuple[tuple[date, Decimal], ...]:
    """Return the counter's spend from `start` to `end`, which the samples cover, by UTC day."""
    new_day = midnight(known.today)
    edges = [start, new_day, end] if start < new_day < end else [start, end]
    parts = []
    for first, last in pairwise(edges):
        stretch = spent_between(known.series, first, last)
        parts.append((first.date(), stretch.usd if stretch is not None else Decimal(0)))
    return tuple(parts)


def _burst(known: Evidence, rule: SpikeRule, back: int = 0) -> Burst:
    def day_usd(day: date) -> Decimal:
        usd, count = _bar(known.usual, day, rule.threshold)
        return usd / count

    hours = UsualHours(day_usd, known.usual.active_hours, known.usual.hours)
    return last_hours(known.series, hours, rule.floor_usd, known.snapshot.interval_s, back)


# --- while data is missing -------------------------------------------------------------------------------------------


def _judge_what_is_known(snapshot: Snapshot, known: Evidence, rule: SpikeRule) -> SpikeVerdict:
    """Return the last verdict that could be given, or a worse one that the known part proves; Preparing if there was none."""
    last = _last_verdict(snapshot, known, rule)
    seen = max(filter(None, (_counted(known, rule), _so_far(known, rule))), key=lambda rate: rate.window_usd, default=None)
    proven = None if seen is None else _verdict(known, seen, rule)
    if proven is not None and proven.level > (Level.NORMAL if last is None else last.level):
        return proven
    return last or SpikeVerdict(Level.PREPARING, len(known.usual.days), lane=window_name(rule))


def _last_verdict(snapshot: Snapshot, known: Evidence, rule: SpikeRule) -> SpikeVerdict | None:
    for at in _earlier_ends(known.series, midnight(known.today)):
        if known.at - at > HELD_FOR:
            break
        earlier = evidence_at(known_at(snapshot, at), at, rule.key_name)
        verdict = None if earlier is None else _judge_window(earlier, rule)
        if verdict is not None and verdict.level >= Level.NORMAL:
            return replace(verdict, approximate=True, measured_at=at)
    return None


def _earlier_ends(series: tuple[Tick, ...], new_day: datetime) -> Iterator[datetime]:
    """Yield the moments after which less was known, newest first: the ends of days, and of epochs."""
    before: Tick | None = None
    for tick in reversed(series):
        is_end_of_day = tick.at < new_day
        if before is not None and (is_end_of_day or tick.epoch != before.epoch):
            yield tick.at
        new_day = min(new_day, new_day + (tick.at - new_day) // timedelta(days=1) * timedelta(days=1))  # of this tick
        before = tick
