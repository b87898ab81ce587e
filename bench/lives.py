"""Simulated accounts: how each spends its money, minute by minute, and what the daemon sees of it.

A life is a seed and a way to spend. The daemon polls every 15 minutes while its machine is awake, keeps the samples as the
product does, and reads completed days some time after midnight UTC. Each poll is judged by the product's own rule.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import accumulate, pairwise
from random import Random

from openbalance_hid.account.snapshot import Activity, Credits, Health, Reading, Sample, Snapshot, Spend
from openbalance_hid.account.spike import Level, SpikeRule, SpikeVerdict, judge

FIRST = date(2026, 3, 2)  # a Monday
KNOWN_DAYS, WATCHED_DAYS = 35, 30
MINUTES = 1440  # of a day
POLL = timedelta(minutes=15)
PUBLISHED_AFTER = timedelta(minutes=35)  # midnight: when the daemon requests the completed day
DENSE_FOR, KEPT_FOR = timedelta(hours=49), timedelta(days=35)  # all samples, then one an hour
EPISODE_ENDS_AFTER = timedelta(hours=1)
MODEL = "vendor/model"

Minutes = list[float]  # USD spent in each minute of a day
SpendDay = Callable[[Random, int, date], Minutes]  # randomness, number of the day, its date


@dataclass(frozen=True, slots=True)
class Runaway:
    """Extra spend at an even rate. `starts`: after the start of the watched days."""

    starts: timedelta
    usd_per_hour: float
    lasts: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Life:
    """A way to spend. `is_awake`: whether the machine of the daemon runs at an instant."""

    name: str
    spend_day: SpendDay
    runaway: Runaway | None = None
    known_days: int = KNOWN_DAYS
    watched_days: int = WATCHED_DAYS
    published_after: timedelta = PUBLISHED_AFTER
    is_awake: Callable[[datetime], bool] = lambda _: True
    sampled_days: int = KNOWN_DAYS  # before the watched ones: since the daemon was installed

    @property
    def installed(self) -> datetime:
        """The instant of the first sample."""
        return self.watched - timedelta(days=self.sampled_days)

    @property
    def watched(self) -> datetime:
        """The instant from which on verdicts count."""
        return _midnight(FIRST + timedelta(days=self.known_days))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rule said at one poll. `gone_usd`: what the runaway had spent by then."""

    at: datetime
    verdict: SpikeVerdict
    gone_usd: float

    @property
    def level(self) -> Level:
        return self.verdict.level


def verdicts(life: Life, seed: int, rule: SpikeRule | None = None) -> list[Verdict]:
    """Return the verdict of each watched poll."""
    rule = rule or SpikeRule()
    return [Verdict(at := known.samples[-1].at, judge(known, at, rule), _gone_usd(life, at)) for known in polls(life, seed)]


def rises(seen: Sequence[Verdict]) -> int:
    """Return how often the level rose from Normal."""
    levels = [Level.NORMAL, *(each.level for each in seen)]
    return sum(before <= Level.NORMAL < level for before, level in pairwise(levels))


def hours_above_normal(seen: Sequence[Verdict], lanes: Sequence[str]) -> float:
    """Return how long the level was above Normal in one of these lanes."""
    return sum(each.level > Level.NORMAL and each.verdict.lane in lanes for each in seen) * POLL / timedelta(hours=1)


def episodes(seen: Sequence[Verdict], lanes: Sequence[str]) -> int:
    """Return how many episodes these lanes had: one ends after an hour without any of them."""
    above = [each.at for each in seen if each.level > Level.NORMAL and each.verdict.lane in lanes]
    return bool(above) + sum(after - before > EPISODE_ENDS_AFTER for before, after in pairwise(above))


def first_at(seen: Sequence[Verdict], level: Level) -> Verdict | None:
    """Return the first verdict of at least this level."""
    return next((each for each in seen if each.level >= level), None)


def polls(life: Life, seed: int) -> Iterator[Snapshot]:
    """Yield the snapshot of every watched poll; each was measured at its newest sample."""
    rng = Random(f"{life.name} {seed}")
    days = {
        day: life.spend_day(rng, number, day)
        for number in range(life.known_days + life.watched_days)
        if (day := FIRST + timedelta(days=number))
    }
    if life.runaway is not None:
        _add(days, life.watched + life.runaway.starts, life.runaway)
    at = _midnight(FIRST) + timedelta(minutes=rng.randrange(15), seconds=rng.randrange(60))
    usage = [100.0, *accumulate((usd for minutes in days.values() for usd in minutes), initial=100.0)]
    sums = {day: Decimal(f"{sum(minutes):.6f}") for day, minutes in days.items()}
    samples: list[Sample] = []
    activity: tuple[date, Reading[Activity]] | None = None
    end = _midnight(FIRST + timedelta(days=len(days)))
    while at < end:
        if life.is_awake(at) and at >= life.installed:
            usd = Decimal(f"{usage[1 + (at - _midnight(FIRST)) // timedelta(minutes=1)]:.6f}")
            if samples and samples[-1].at.date() != at.date():
                samples = _thinned(samples, at)
            samples.append(Sample(at, at.timestamp(), Decimal(10_000), usd))
            newest = (at - life.published_after).date() - timedelta(days=1)
            if activity is None or activity[0] != newest:
                activity = newest, Reading(_published(sums, newest), at, Health.OK)
            if at >= life.watched:
                yield Snapshot(
                    "default",
                    life.watched,
                    POLL.total_seconds(),
                    Health.OK,
                    credits=Reading(Credits(Decimal(10_000), usd), at, Health.OK),
                    activity=activity[1],
                    samples=tuple(samples),
                )
        at += POLL


def _thinned(samples: Sequence[Sample], at: datetime) -> list[Sample]:
    """Return the samples that the daemon still has: of older ones the last of each hour."""
    by_hour = {int(each.at.timestamp()) // 3600: each for each in samples if at - KEPT_FOR <= each.at < at - DENSE_FOR}
    return [*by_hour.values(), *(each for each in samples if each.at >= at - DENSE_FOR)]


def _add(days: Mapping[date, Minutes], starts: datetime, runaway: Runaway) -> None:
    at = starts
    while at < starts + runaway.lasts and at.date() in days:
        days[at.date()][at.hour * 60 + at.minute] += runaway.usd_per_hour / 60
        at += timedelta(minutes=1)


def _gone_usd(life: Life, at: datetime) -> float:
    if life.runaway is None:
        return 0.0
    lasted = min(at - life.watched - life.runaway.starts, life.runaway.lasts)
    return max(0.0, lasted / timedelta(hours=1) * life.runaway.usd_per_hour)


def _published(sums: Mapping[date, Decimal], newest: date) -> Activity:
    rows = {day: {MODEL: Spend(usd, 1, 1)} for day, usd in sums.items() if day <= newest and usd}
    return Activity(rows, rows)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
