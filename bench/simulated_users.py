"""Simulated users of OpenRouter without a spike: every alert of the spike rule is a false one.

A user is a seed and a habit. A day's sum is drawn from a log-normal distribution and shared out among the quarters of the
working hours as unevenly as the waits of a Poisson process. The daemon sees a poll every 15 minutes, the completed days
as `/activity` publishes them, and judges each poll by the product's own rule.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from openbalance_hid.account.snapshot import Activity, Credits, Health, Reading, Sample, Snapshot, Spend
from openbalance_hid.account.spike import Level, SpikeRule, judge

FIRST = date(2026, 3, 2)  # a Monday
HISTORY_DAYS, WATCHED_DAYS = 30, 30
QUARTER = timedelta(minutes=15)
QUARTERS = 96  # of a day
PUBLISHED_AFTER = timedelta(minutes=35)  # midnight: when the daemon requests the completed day
KEPT = timedelta(hours=48)  # samples
MODEL = "vendor/model"


@dataclass(frozen=True, slots=True)
class Habit:
    """`ambers`: the allowed false alerts in 30 days, on average."""

    name: str
    spread: float  # sigma of the logarithm of a day's sum
    begins: int  # hour UTC
    hours: int  # worked a day
    weekends: bool
    ambers: float


MEDIAN_USD = 6.0  # of a day's sum
OFFICE = Habit("office, 8 h", 0.6, 8, 8, weekends=False, ambers=0.7)
HEAVY = Habit("heavy-tailed, 10 h", 0.85, 9, 10, weekends=True, ambers=2.7)
HABITS = (OFFICE, HEAVY)


def spent(habit: Habit, seed: int) -> dict[date, tuple[Decimal, ...]]:
    """Return the spend of each quarter of an hour in USD, by day."""
    rng = Random(f"{habit.name} {seed}")
    days = {}
    for number in range(HISTORY_DAYS + WATCHED_DAYS):
        day = FIRST + timedelta(days=number)
        works = habit.weekends or day.weekday() < 5
        weights = [0.0] * QUARTERS
        for quarter in range(4 * habit.begins, 4 * (habit.begins + habit.hours)):
            weights[quarter] = rng.expovariate(1.0)
        day_usd = MEDIAN_USD * rng.lognormvariate(0.0, habit.spread) if works else 0.0
        days[day] = tuple(Decimal(f"{day_usd * weight / sum(weights):.6f}") for weight in weights)
    return days


def polls(habit: Habit, seed: int) -> Iterator[Snapshot]:
    """Yield the snapshot of every poll in the watched days; each was measured at its newest sample."""
    days = spent(habit, seed)
    sums = {day: sum(quarters, Decimal(0)) for day, quarters in days.items()}
    usage_usd = Decimal(100)
    samples: list[Sample] = []
    watched = datetime.combine(FIRST + timedelta(days=HISTORY_DAYS), time(), UTC)
    known: tuple[date, Activity] | None = None
    for day, quarters in days.items():
        for number, usd in enumerate(quarters):
            usage_usd += usd
            at = datetime.combine(day, time(), UTC) + (number + 1) * QUARTER
            samples = [*samples[-(KEPT // QUARTER) :], Sample(at, at.timestamp(), Decimal(10_000), usage_usd)]
            if at < watched:
                continue
            newest = (at - PUBLISHED_AFTER).date() - timedelta(days=1)
            if known is None or known[0] != newest:
                known = newest, _published(sums, newest)
            yield Snapshot(
                "default",
                watched,
                QUARTER.total_seconds(),
                Health.OK,
                credits=Reading(Credits(Decimal(10_000), usage_usd), at, Health.OK),
                activity=Reading(known[1], at, Health.OK),
                samples=tuple(samples),
            )


def false_alerts(habit: Habit, seed: int, rule: SpikeRule) -> int:
    """Return how often the alert rose from Normal in the watched days."""
    rises, before = 0, Level.NORMAL
    for known in polls(habit, seed):
        level = judge(known, known.samples[-1].at, rule).level
        rises += before <= Level.NORMAL < level
        before = level
    return rises


def _published(sums: dict[date, Decimal], newest: date) -> Activity:
    first = newest - timedelta(days=29)
    rows = {day: {MODEL: Spend(usd, 1, 1)} for day, usd in sums.items() if first <= day <= newest and usd}
    return Activity(rows, rows)
