"""The spike rule: whether spending is running away, and on which model. Pure. USD.

The spend rate of a rolling window is compared with the mean of the active days before it, as of the last good answer.
Definitions:

- rate: counter over the last `window_hours`, scaled to a day; until samples cover the window, today so far plus the part of
  yesterday that the window still holds (approximate);
- baseline: mean of the days with spend among the last 30 completed UTC days, without yesterday if three others remain:
  yesterday overlaps the window, and a spike must not raise its own baseline;
- Spike at `threshold` times the baseline, Critical at twice that, each only above `floor_usd` in the window;
- the burst check (`burst`) detects a runaway hours earlier: Spike at 2 times, Critical at 4 times `threshold` of a usual hour.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.burst import burst_ratio
from openbalance_hid.account.counter import Tick, spent_between, ticks
from openbalance_hid.account.leaders import sum_by_name
from openbalance_hid.account.snapshot import Activity, Snapshot, Spend
from openbalance_hid.account.spend import day_usd, today_usd
from openbalance_hid.account.utc_days import answered_at, midnight, server_shift

BASELINE_DAYS = 30
ENOUGH_DAYS = 3
NEWEST_DAY_AGE = 3  # days: the oldest day that may be used for an unpublished yesterday
WINDOW_FRESH = timedelta(minutes=90)  # the age limit of the window by model, which is requested once an hour
NEW_MODEL_USD = Decimal("0.01")  # a model with a smaller daily mean is "new"


class Level(IntEnum):
    """Ordered, so that a rise is `>`."""

    PREPARING = 0
    GATHERING = 1
    NORMAL = 2
    SPIKE = 3
    CRITICAL = 4


class SpikeRule(Struct, frozen=True):
    """The options of the spike tile. `floor_usd`: less spend in the window is never a spike. `burst`: check the last hour."""

    threshold: Decimal = Decimal(3)
    floor_usd: Decimal = Decimal(1)
    window_hours: Decimal = Decimal(24)
    burst: bool = True


class Driver(Struct, frozen=True):
    """The model with the largest excess in USD. `times` its own daily mean; None: the model is new."""

    name: str
    times: Decimal | None
    approximate: bool


class SpikeVerdict(Struct, frozen=True):
    """`active_days`: days in the baseline. `ratio`: unrounded, of the window, or of the last hour if `burst`."""

    level: Level
    active_days: int = 0
    ratio: Decimal | None = None
    approximate: bool = False
    driver: Driver | None = None
    window_usd: Decimal | None = None
    baseline_usd: Decimal | None = None
    burst: bool = False


class _Rate(Struct, frozen=True):
    usd_a_day: Decimal
    window_usd: Decimal
    approximate: bool


def judge(snapshot: Snapshot, now: datetime, rule: SpikeRule) -> SpikeVerdict:
    """Return the verdict as of the last good answer; until the next one it stays the same."""
    if snapshot.activity.value is None:
        return SpikeVerdict(Level.PREPARING)
    at = answered_at(snapshot, now)
    today = at.date()
    days = baseline_days(snapshot, today)
    if len(days) < ENOUGH_DAYS:
        return SpikeVerdict(Level.GATHERING, len(days))
    series = ticks(snapshot.samples)
    rate = _rate(snapshot, series, at, rule)
    if rate is None:
        return SpikeVerdict(Level.PREPARING, len(days))
    total = sum(days.values(), Decimal(0))
    baseline = total / len(days)
    ratio = rate.usd_a_day * len(days) / total  # one rounding: a level starts exactly at its multiple
    level = _level(ratio, rule.threshold) if rate.window_usd >= rule.floor_usd else Level.NORMAL
    driver = find_driver(snapshot, at, tuple(days), rate.window_usd, rule)
    verdict = SpikeVerdict(level, len(days), ratio, rate.approximate, driver, rate.window_usd, baseline)
    hourly = burst_ratio(series, baseline, rule.floor_usd, snapshot.interval_s) if rule.burst else None
    if hourly is not None and _level(hourly, 2 * rule.threshold) > level:
        return replace(verdict, level=_level(hourly, 2 * rule.threshold), ratio=hourly, approximate=False, burst=True)
    return verdict


def _level(ratio: Decimal, threshold: Decimal) -> Level:
    return Level.CRITICAL if ratio >= 2 * threshold else Level.SPIKE if ratio >= threshold else Level.NORMAL


def baseline_days(snapshot: Snapshot, today: date) -> dict[date, Decimal]:
    """Return the spend of the active days in the baseline, USD by day."""
    days = {
        day: spent.usd
        for age in range(1, BASELINE_DAYS + 1)
        if (spent := day_usd(snapshot, day := today - timedelta(days=age))).is_whole and spent.usd is not None and spent.usd > 0
    }
    yesterday = today - timedelta(days=1)
    if yesterday in days and len(days) > ENOUGH_DAYS:
        del days[yesterday]
    return days


def find_driver(
    snapshot: Snapshot, now: datetime, days: tuple[date, ...], window_usd: Decimal, rule: SpikeRule
) -> Driver | None:
    """Return the model with the largest excess over its own mean of `days`; None while no model is known."""
    activity = snapshot.activity.value
    if activity is None or activity.newest is None:
        return None
    usual = {
        name: spend.usd / len(days) for name, spend in sum_by_name([activity.by_model.get(day, {}) for day in days]).items()
    }
    spent, approximate = _spent_by_model(snapshot, activity, now, window_usd, rule)
    best: tuple[Decimal, Driver] | None = None
    for name, spend in sorted(spent.items()):
        mean = usual.get(name, Decimal(0))
        times = spend.usd / mean if mean >= NEW_MODEL_USD else None
        excess = spend.usd - mean
        if spend.usd > 0 and (best is None or excess > best[0]):
            best = (excess, Driver(name, times, approximate))
    return best[1] if best is not None else None


def _spent_by_model(
    snapshot: Snapshot, activity: Activity, now: datetime, window_usd: Decimal, rule: SpikeRule
) -> tuple[Mapping[str, Spend], bool]:
    """Return the window's spend by model (label or slug), and whether that is approximate.

    From the window query; else from today, if it holds most of the window; else from the newest completed day.
    """
    window, today, at = snapshot.window.value, snapshot.today.value, now
    is_usual = timedelta(hours=float(rule.window_hours)) == timedelta(hours=24)
    if window is not None and is_usual and not window.truncated and timedelta(0) <= at - window.end <= WINDOW_FRESH:
        return window.by_model, False
    if today is not None and today.day == at.date() and today.usd * 2 >= window_usd:
        return today.by_model, True
    return (activity.by_model[activity.newest] if activity.newest is not None else {}), True


def _rate(snapshot: Snapshot, series: Sequence[Tick], now: datetime, rule: SpikeRule) -> _Rate | None:
    if series:
        end = series[-1].at
        window = timedelta(hours=float(rule.window_hours))
        stretch = spent_between(series, end - window, end)
        if stretch is not None:
            scaled = stretch.usd * 24 / rule.window_hours
            return _Rate(scaled, stretch.usd, approximate=stretch.edge_gap_s > 2 * snapshot.interval_s)
    return _rate_from_days(snapshot, now, rule)


def _rate_from_days(snapshot: Snapshot, now: datetime, rule: SpikeRule) -> _Rate | None:
    """Return today so far plus the rest of a day at yesterday's pace; today is never extrapolated."""
    today = today_usd(snapshot, now - server_shift(snapshot)).usd
    if today is None:
        return None
    elapsed = Decimal((now - midnight(now.date())).total_seconds()) / 86400
    for age in range(1, NEWEST_DAY_AGE + 1):
        spent = day_usd(snapshot, now.date() - timedelta(days=age))
        if spent.is_whole and spent.usd is not None:
            a_day = today + (1 - elapsed) * spent.usd
            return _Rate(a_day, a_day * rule.window_hours / 24, approximate=True)
    return None
