"""The spike verdict: is spending running away, and on which model?

The spend rate of a rolling window is compared with the mean of the active days before it. A pure function of a snapshot and
the time: what the key says is the truth of the last poll. Definitions:

- rate: counter over the last `window_hours`, scaled to a day; until samples cover the window, today so far plus the part of
  yesterday that the window still holds (approximate);
- baseline: mean of the completed UTC days of the last 30 with spend, without today, and without yesterday when three others
  remain, because yesterday overlaps the window and a spike must not raise the bar that it is measured against;
- Spike at `threshold` times the baseline, Critical at twice that, each only above `floor_usd` in the window;
- the burst lane (`burst`) sees a runaway hours earlier: Spike at twice, Critical at four times the threshold of a usual hour.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.burst import burst_ratio
from openbalance_hid.account.counter import Tick, spent_between, ticks
from openbalance_hid.account.leaders import match_labels, sum_by_name
from openbalance_hid.account.snapshot import Activity, Snapshot, Spend
from openbalance_hid.account.spend import day_usd, today_usd
from openbalance_hid.account.utc_days import answered_at, midnight, utc_now

BASELINE_DAYS = 30
ENOUGH_DAYS = 3
NEWEST_DAY_AGE = 3  # days: how old the newest published day may be to stand in for yesterday
WINDOW_FRESH = timedelta(minutes=90)  # how old the answer about the window by model may be; it is asked once an hour
NEW_MODEL_USD = Decimal("0.01")  # a model whose daily mean is below this is "new"


class Level(IntEnum):
    """Ordered, so that a rise is `>`."""

    PREPARING = 0
    GATHERING = 1
    NORMAL = 2
    SPIKE = 3
    CRITICAL = 4


class SpikeRule(Struct, frozen=True):
    """The owner's options of the spike tile."""

    threshold: Decimal = Decimal(3)
    floor_usd: Decimal = Decimal(1)
    window_hours: Decimal = Decimal(24)
    burst: bool = True


class Driver(Struct, frozen=True):
    """The model with the largest excess dollars. `times` its own daily mean, or None when it is new."""

    name: str
    times: Decimal | None
    approximate: bool


class SpikeVerdict(Struct, frozen=True):
    """`active_days` is the n of the baseline; `ratio`, unrounded, is that of the lane that speaks: `burst` or the window."""

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
    """The verdict on the last good poll: while none comes, it stays as it is."""
    if snapshot.activity.value is None:
        return SpikeVerdict(Level.PREPARING)
    at = answered_at(snapshot, now)
    today = utc_now(snapshot, at).date()
    days = baseline_days(snapshot, today)
    if len(days) < ENOUGH_DAYS:
        return SpikeVerdict(Level.GATHERING, len(days))
    made = ticks(snapshot.samples)
    rate = _rate(snapshot, made, at, rule)
    if rate is None:
        return SpikeVerdict(Level.PREPARING, len(days))
    total = sum(days.values(), Decimal(0))
    baseline = total / len(days)
    ratio = rate.usd_a_day * len(days) / total  # rounded once: a level begins exactly at its multiple
    level = _level(ratio, rule.threshold) if rate.window_usd >= rule.floor_usd else Level.NORMAL
    driver = find_driver(snapshot, at, tuple(days), rate.window_usd, rule)
    verdict = SpikeVerdict(level, len(days), ratio, rate.approximate, driver, rate.window_usd, baseline)
    hourly = burst_ratio(made, baseline, rule.floor_usd, snapshot.interval_s) if rule.burst else None
    if hourly is not None and _level(hourly, 2 * rule.threshold) > level:
        return replace(verdict, level=_level(hourly, 2 * rule.threshold), ratio=hourly, approximate=False, burst=True)
    return verdict


def _level(ratio: Decimal, threshold: Decimal) -> Level:
    return Level.CRITICAL if ratio >= 2 * threshold else Level.SPIKE if ratio >= threshold else Level.NORMAL


def baseline_days(snapshot: Snapshot, today: date) -> dict[date, Decimal]:
    """The active days that make the baseline, by day: USD."""
    days = {
        day: usd
        for age in range(1, BASELINE_DAYS + 1)
        if (usd := day_usd(snapshot, day := today - timedelta(days=age))) is not None and usd > 0
    }
    yesterday = today - timedelta(days=1)
    if yesterday in days and len(days) > ENOUGH_DAYS:
        del days[yesterday]
    return days


def find_driver(
    snapshot: Snapshot, now: datetime, days: tuple[date, ...], window_usd: Decimal, rule: SpikeRule
) -> Driver | None:
    """The model with the largest excess over its own mean of `days`; None while no model can be named."""
    activity = snapshot.activity.value
    if activity is None or activity.newest is None:
        return None
    usual = {
        name: spend.usd / len(days) for name, spend in sum_by_name([activity.by_model.get(day, {}) for day in days]).items()
    }
    spent, approximate = _spent_by_model(snapshot, activity, now, window_usd, rule)
    slugs = match_labels(spent, {**usual, **activity.by_model[activity.newest]})
    best: tuple[Decimal, Driver] | None = None
    for label, spend in sorted(spent.items()):
        name = slugs.get(label, label)
        mean = usual.get(name, Decimal(0))
        times = spend.usd / mean if mean >= NEW_MODEL_USD else None
        excess = spend.usd - mean
        if spend.usd > 0 and (best is None or excess > best[0]):
            best = (excess, Driver(name, times, approximate))
    return best[1] if best is not None else None


def _spent_by_model(
    snapshot: Snapshot, activity: Activity, now: datetime, window_usd: Decimal, rule: SpikeRule
) -> tuple[Mapping[str, Spend], bool]:
    """What the window's spend went to, by label or slug, and whether that is approximate.

    The window as it was asked; else today, where it holds most of the window; else the newest completed day.
    """
    asked, named, at = snapshot.window.value, snapshot.today.value, utc_now(snapshot, now)
    is_usual = timedelta(hours=float(rule.window_hours)) == timedelta(hours=24)
    if asked is not None and is_usual and not asked.truncated and timedelta(0) <= at - asked.end <= WINDOW_FRESH:
        return asked.by_model, False
    if named is not None and named.day == at.date() and named.usd * 2 >= window_usd:
        return named.by_model, True
    return (activity.by_model[activity.newest] if activity.newest is not None else {}), True


def _rate(snapshot: Snapshot, made: Sequence[Tick], now: datetime, rule: SpikeRule) -> _Rate | None:
    if made:
        end = made[-1].at
        window = timedelta(hours=float(rule.window_hours))
        stretch = spent_between(made, end - window, end)
        if stretch is not None:
            scaled = stretch.usd * 24 / rule.window_hours
            return _Rate(scaled, stretch.usd, approximate=stretch.edge_gap_s > 2 * snapshot.interval_s)
    return _rate_from_days(snapshot, now, rule)


def _rate_from_days(snapshot: Snapshot, now: datetime, rule: SpikeRule) -> _Rate | None:
    """Today so far, and the rest of a day at yesterday's pace; never today extrapolated."""
    at = utc_now(snapshot, now)
    today = today_usd(snapshot, now)
    if today is None:
        return None
    elapsed = Decimal((at - midnight(at.date())).total_seconds()) / 86400
    for age in range(1, NEWEST_DAY_AGE + 1):
        usd = day_usd(snapshot, at.date() - timedelta(days=age))
        if usd is not None:
            a_day = today + (1 - elapsed) * usd
            return _Rate(a_day, a_day * rule.window_hours / 24, approximate=True)
    return None
