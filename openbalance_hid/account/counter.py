"""The spend counter: a monotone reading of `total_usage`, and what it tells about any stretch of time.

Only `total_usage` counts. Top-ups, refunds and transfers move `total_credits` and never enter here. A small fall is a refund
or rounding and adds nothing; a large one must be confirmed by the next sample and then starts a new epoch.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from math import inf

from msgspec import Struct

from openbalance_hid.account.snapshot import Sample

SMALL_FALL_USD = Decimal("0.05")  # a fall up to this, or 1 % of the reading, is rounding or a refund
SMALL_FALL_SHARE = Decimal("0.01")
CLOCKS_APART_S = 60.0  # between two samples: the machine slept, or its clock was set


class Tick(Struct, frozen=True):
    """The counter at one moment. `counter_usd` never falls; `epoch` changes where `total_usage` was reset."""

    at: datetime
    mono_s: float
    counter_usd: Decimal
    epoch: int = 0


class Stretch(Struct, frozen=True):
    """Spend between two moments: `usd`, and the wider of the two sample gaps round its ends, in seconds."""

    usd: Decimal
    edge_gap_s: float


class _Itself:
    """Samples as a key of a cache: equal to themselves alone, so that thousands need not be compared."""

    __slots__ = ("samples",)

    def __init__(self, samples: tuple[Sample, ...]) -> None:
        self.samples = samples

    def __hash__(self) -> int:
        return id(self.samples)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and other.samples is self.samples


def ticks(samples: tuple[Sample, ...]) -> tuple[Tick, ...]:
    """The counter over `samples` (oldest first); samples that are invalid or out of order are left out.

    Reckoned once for each tuple: every tile of an account asks for the same one, several times.
    """
    return _ticks(_Itself(samples))


@lru_cache(maxsize=16)  # accounts, and the moment in which each has a new one
def _ticks(key: _Itself) -> tuple[Tick, ...]:
    samples = key.samples
    made: list[Tick] = []
    counter, epoch = Decimal(0), 0
    last: Decimal | None = None
    fallen: Sample | None = None
    for sample in samples:
        usage = sample.total_usage_usd
        if not _valid(sample, last) or (made and sample.at <= made[-1].at):
            continue
        if last is None:
            last = usage
        elif fallen is not None:
            if last - usage > _small_fall(last):  # confirmed: the account's usage was reset
                epoch += 1
                made.append(Tick(fallen.at, fallen.mono_s, counter, epoch))
                counter += max(Decimal(0), usage - fallen.total_usage_usd)
                last = usage
            else:  # the fall was a passing error
                counter += max(Decimal(0), usage - last)
                last = usage
            fallen = None
        elif last - usage > _small_fall(last):
            fallen = sample
            continue
        else:
            counter += max(Decimal(0), usage - last)
            last = usage
        made.append(Tick(sample.at, sample.mono_s, counter, epoch))
    return tuple(made)


def spent_between(made: Sequence[Tick], start: datetime, end: datetime) -> Stretch | None:
    """Spend from `start` to `end`, linear between samples; None where the samples do not cover it in one epoch."""
    first, last = _reading_at(made, start), _reading_at(made, end)
    if first is None or last is None or first[2] != last[2] or end < start:
        return None
    return Stretch(last[0] - first[0], max(first[1], last[1]))


def gap_s(before: Tick, after: Tick) -> float:
    """Seconds between two ticks; without end where the wall clock and the monotonic clock tell different stories."""
    wall_s, mono_s = (after.at - before.at).total_seconds(), after.mono_s - before.mono_s
    return wall_s if abs(wall_s - mono_s) <= CLOCKS_APART_S else inf


def _reading_at(made: Sequence[Tick], at: datetime) -> tuple[Decimal, float, int] | None:
    """Counter, gap between the samples round `at` in seconds, and epoch; None outside the samples."""
    index = bisect_left(made, at, key=lambda tick: tick.at)
    if index == len(made):
        return None
    after = made[index]
    if after.at == at:
        return after.counter_usd, 0.0, after.epoch
    if index == 0 or made[index - 1].epoch != after.epoch:
        return None
    before = made[index - 1]
    share = Decimal((at - before.at).total_seconds()) / Decimal((after.at - before.at).total_seconds())
    return before.counter_usd + (after.counter_usd - before.counter_usd) * share, gap_s(before, after), before.epoch


def _valid(sample: Sample, last: Decimal | None) -> bool:
    usage, bought = sample.total_usage_usd, sample.total_credits_usd
    if not (usage.is_finite() and bought.is_finite()) or usage < 0:
        return False
    return not (usage == 0 and bought == 0 and last)  # 0/0 after a real reading: the answer to a wrong kind of key


def _small_fall(usage: Decimal) -> Decimal:
    return max(SMALL_FALL_USD, usage * SMALL_FALL_SHARE)
