"""The spend counter: a monotone reading of `total_usage`, and the spend between any two moments. Pure. USD.

Only `total_usage` counts: top-ups, refunds and transfers change `total_credits` and have no effect here. A small fall is a
refund or rounding and adds nothing. A large one must be confirmed by the next sample, which is nearer to it than to the reading
before, and then starts a new epoch; of two large falls in a row, each is confirmed by itself.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from math import inf

from msgspec import Struct

from openbalance_hid.account.remembered import ACCOUNTS
from openbalance_hid.account.snapshot import Sample, Snapshot
from openbalance_hid.account.utc_days import CLOCKS_APART_S

SMALL_FALL_USD = Decimal("0.05")  # a fall up to this, or 1 % of the reading, is rounding or a refund
SMALL_FALL_SHARE = Decimal("0.01")
READS_WITHIN = timedelta(seconds=20)  # the poll just after midnight, 10 s at most, and the time of an answer
COUNTERS = 4  # of each account: the present tuple, the next one, and as it was at an earlier moment
BOOKED_WITHIN = timedelta(seconds=60)  # how stale `/credits` may be, from OpenRouter's documentation


class Tick(Struct, frozen=True):
    """The counter at one moment. `counter_usd` never falls, and starts at 0; `epoch` grows where `total_usage` was reset."""

    at: datetime
    mono_s: float
    counter_usd: Decimal
    epoch: int = 0


class Stretch(Struct, frozen=True):
    """Spend between two moments. `edge_gap_s`: the longer of the two sample gaps around its ends."""

    usd: Decimal
    edge_gap_s: float


class Bounds(Struct, frozen=True):
    """Spend between two moments without interpolation: at least `low_usd`, at most `high_usd` (None: no limit is known).

    `usd`: in between, where spend around the two ends is spread evenly over the time between its samples.
    """

    low_usd: Decimal
    high_usd: Decimal | None = None
    usd: Decimal | None = None
    edge_gap_s: float = inf


class _Counter(Struct, frozen=True):
    """The counter after `samples`, and what the next sample is compared with."""

    samples: tuple[Sample, ...] = ()
    series: tuple[Tick, ...] = ()
    epoch: int = 0
    last_usd: Decimal | None = None
    fallen: Sample | None = None  # a large fall, until the next sample confirms it


@lru_cache(maxsize=ACCOUNTS)
def _counters_from(_first: Sample) -> list[_Counter]:
    """Return the counters of the last tuples that begin with this sample: those of one account."""
    return []


def ticks(samples: tuple[Sample, ...]) -> tuple[Tick, ...]:
    """Return the counter at each of `samples` (oldest first); samples that are invalid or out of order are left out.

    Every tile of an account reads the same tuple, several times, and the next tuple continues it: both are cheap. Thread-safe:
    at worst something is counted twice.
    """
    if not samples:
        return ()
    counters = _counters_from(samples[0])
    known = tuple(counters)
    for each in known:
        if each.samples is samples:
            return each.series
    start = next((each for each in known if _continues(samples, each.samples)), _Counter())
    counter = _count(start, samples)
    counters[:] = (counter, *known[: COUNTERS - 1])
    return counter.series


def _continues(samples: tuple[Sample, ...], earlier: tuple[Sample, ...]) -> bool:
    """Return whether `samples` starts with all of `earlier`: usually the same objects, so that comparing them is cheap."""
    count = len(earlier)
    return 0 < count < len(samples) and samples[count - 1] is earlier[-1] and samples[:count] == earlier


def _count(start: _Counter, samples: tuple[Sample, ...]) -> _Counter:
    series: list[Tick] = []
    last = start.series[-1] if start.series else None
    counter_usd, epoch = (last.counter_usd if last is not None else Decimal(0)), start.epoch
    last_usd, fallen = start.last_usd, start.fallen
    for sample in samples[len(start.samples) :]:
        usage_usd = sample.total_usage_usd
        if not _is_valid(sample, last_usd) or (last is not None and sample.at <= last.at):
            continue
        if last_usd is not None and fallen is not None and _confirms(usage_usd, fallen.total_usage_usd, last_usd):
            epoch += 1  # the account's usage was reset
            series.append(Tick(fallen.at, fallen.mono_s, counter_usd, epoch))
            last_usd = fallen.total_usage_usd
        if last_usd is not None and last_usd - usage_usd > _small_fall(last_usd):
            fallen = sample
            continue
        fallen = None  # where it was not confirmed, it was a single wrong answer
        counter_usd += Decimal(0) if last_usd is None else max(Decimal(0), usage_usd - last_usd)
        last_usd = usage_usd
        last = Tick(sample.at, sample.mono_s, counter_usd, epoch)
        series.append(last)
    return _Counter(samples, (*start.series, *series), epoch, last_usd, fallen)


def epoch(snapshot: Snapshot) -> datetime | None:
    """Return the time of the sample with which the present epoch starts; None without a reset in the samples."""
    series = ticks(snapshot.samples)
    return next((tick.at for tick in series if tick.epoch == series[-1].epoch and tick.epoch), None)


def spent_between(series: Sequence[Tick], start: datetime, end: datetime) -> Stretch | None:
    """Return the spend from `start` to `end`, linear between samples; None if the samples do not cover it in one epoch."""
    first, last = _reading_at(series, start), _reading_at(series, end)
    if first is None or last is None or first[2] != last[2] or end < start:
        return None
    return Stretch(last[0] - first[0], max(first[1], last[1]))


def bounds(series: Sequence[Tick], start: datetime, end: datetime) -> Bounds | None:
    """Return what the samples prove of the spend from `start` to `end`; None if that is nothing.

    A sample up to `READS_WITHIN` after either end is a reading of that end.
    """
    if not series or end < start:
        return None
    first, last = _nearest(series, start), _nearest(series, end)
    count = last.before + 1 - first.after  # of samples inside
    low_usd = series[last.before].counter_usd - series[first.after].counter_usd if count > 0 else Decimal(0)
    is_framed = first.before >= 0 and last.after < len(series)
    if not is_framed or series[first.before].epoch != series[last.after].epoch:
        return Bounds(low_usd) if count > 1 else None
    before, after = series[first.before], series[last.after]
    (begun_usd, begun_gap_s), (ended_usd, ended_gap_s) = _reading(series, first, start), _reading(series, last, end)
    return Bounds(low_usd, after.counter_usd - before.counter_usd, ended_usd - begun_usd, max(begun_gap_s, ended_gap_s))


def gap_s(before: Tick, after: Tick) -> float:
    """Return the seconds between two ticks; infinity where the wall clock and the monotonic clock disagree by 60 s."""
    wall_s, mono_s = (after.at - before.at).total_seconds(), after.mono_s - before.mono_s
    return wall_s if abs(wall_s - mono_s) <= CLOCKS_APART_S else inf


class _Edge(Struct, frozen=True):
    """The ticks around one end of a time: index of the last one before it (-1: none) and of the first one after it."""

    before: int
    after: int

    @property
    def exact(self) -> bool:
        return self.before == self.after


def _nearest(series: Sequence[Tick], at: datetime) -> _Edge:
    index = bisect_left(series, at, key=lambda tick: tick.at)
    is_reading = index < len(series) and series[index].at - at <= READS_WITHIN
    return _Edge(index if is_reading else index - 1, index)


def _reading(series: Sequence[Tick], edge: _Edge, at: datetime) -> tuple[Decimal, float]:
    """Return the counter (USD) and the gap of the samples around `at` (s)."""
    before, after = series[edge.before], series[edge.after]
    if edge.exact:
        return after.counter_usd, 0.0
    share = Decimal((at - before.at).total_seconds()) / Decimal((after.at - before.at).total_seconds())
    return before.counter_usd + (after.counter_usd - before.counter_usd) * share, gap_s(before, after)


def _reading_at(series: Sequence[Tick], at: datetime) -> tuple[Decimal, float, int] | None:
    """Return the counter (USD), the gap of the samples around `at` (s) and the epoch; None outside the samples."""
    index = bisect_left(series, at, key=lambda tick: tick.at)
    if index == len(series):
        return None
    after = series[index]
    if after.at == at:
        return after.counter_usd, 0.0, after.epoch
    if index == 0 or series[index - 1].epoch != after.epoch:
        return None
    before = series[index - 1]
    share = Decimal((at - before.at).total_seconds()) / Decimal((after.at - before.at).total_seconds())
    return before.counter_usd + (after.counter_usd - before.counter_usd) * share, gap_s(before, after), before.epoch


def _is_valid(sample: Sample, last: Decimal | None) -> bool:
    usage, bought = sample.total_usage_usd, sample.total_credits_usd
    if not (usage.is_finite() and bought.is_finite()) or usage < 0:
        return False
    return not (usage == 0 and bought == 0 and last)  # 0 and 0 after a real reading: what an inference key gets


def _confirms(usage: Decimal, fallen: Decimal, last: Decimal) -> bool:
    """Return whether a reading after a large fall from `last` to `fallen` belongs to the new level: it is nearer to that."""
    return abs(usage - fallen) < last - usage


def _small_fall(usage: Decimal) -> Decimal:
    """Return the largest fall that is rounding or a refund, USD."""
    return max(SMALL_FALL_USD, usage * SMALL_FALL_SHARE)
