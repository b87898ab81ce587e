"""The meter: the account's spend from one tap to the next, by the spend counter. Pure. USD.

Counting starts at the first sample after the start, which excludes earlier spend. It ends 60 s after the stop, because
`/credits` may be that old: this includes the last spend of the task. It counts all spend of the account, not only one task's.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.counter import spent_between, ticks
from openbalance_hid.account.snapshot import Sample

SMALLEST_USD = Decimal("1e-9")  # the smallest digit in an answer of OpenRouter
BOOKED_WITHIN = timedelta(seconds=60)  # how stale `/credits` may be, from OpenRouter's documentation


class MeterRun(Struct, frozen=True):
    """One run of the meter. `ended_at` None: it is running. `usd` None: nothing is counted yet, or nothing could be.

    `counted_at` and `counted_usage_usd`: the sample up to which `usd` is counted. `approximate`: the account's usage fell
    during the run (a refund, a reset), or no sample is near the end.
    """

    started_at: datetime
    ended_at: datetime | None = None
    usd: Decimal | None = None
    counted_at: datetime | None = None
    counted_usage_usd: Decimal | None = None
    approximate: bool = False

    @property
    def is_running(self) -> bool:
        return self.ended_at is None

    @property
    def closes_at(self) -> datetime | None:
        """The end of counting; None while it is running."""
        return None if self.ended_at is None else self.ended_at + BOOKED_WITHIN

    @property
    def is_settled(self) -> bool:
        """Whether `usd` is final."""
        return self.closes_at is not None and self.counted_at is not None and self.counted_at >= self.closes_at


def stop(run: MeterRun, now: datetime) -> MeterRun:
    """Return the run after the second tap; its last sample is not here yet."""
    return replace(run, ended_at=now)


def count(run: MeterRun, samples: tuple[Sample, ...]) -> MeterRun:
    """Return the run with the spend of `samples` (oldest first) added; the same run if they add nothing."""
    closes_at = run.closes_at
    series = [tick for tick in ticks(samples) if tick.at >= run.started_at]
    if run.is_settled or not series:
        return run
    last = next((tick for tick in series if closes_at is not None and tick.at >= closes_at), series[-1])
    if run.counted_at is not None and last.at <= run.counted_at:
        return run
    usage_usd = _usage_usd(samples, last.at)
    counted = replace(run, counted_at=last.at, counted_usage_usd=usage_usd)
    since_at, since_usage_usd = run.counted_at, run.counted_usage_usd
    if since_at is None or since_usage_usd is None:
        since_at = series[0].at
        if run.ended_at is not None and closes_at is not None and since_at >= run.ended_at:
            return replace(counted, counted_at=max(last.at, closes_at))  # the first sample is from after the end
        since_usage_usd = _usage_usd(samples, since_at)
    until = last.at if closes_at is None else min(last.at, closes_at)
    added_usd, exact = _added(samples, since_at, since_usage_usd, last.at, until)
    if until < last.at:  # interpolated: no more digits than OpenRouter's amounts have
        added_usd = added_usd.quantize(SMALLEST_USD)
    return replace(counted, usd=(run.usd or Decimal(0)) + added_usd, approximate=run.approximate or not exact)


def _added(
    samples: tuple[Sample, ...], since: datetime, since_usage_usd: Decimal, last: datetime, until: datetime
) -> tuple[Decimal, bool]:
    """Return the spend from `since` to `until`, which is at or before the `last` sample, and whether it is exact.

    From the counter, or from two readings of the usage where the samples no longer reach back to `since`.
    """
    series = ticks(samples)
    before = [tick for tick in series if tick.at <= since]
    near = last - until <= BOOKED_WITHIN
    if not before:
        usage_usd = _usage_usd(samples, last)
        share = Decimal((until - since) / (last - since)) if last > since else Decimal(1)
        return max(Decimal(0), usage_usd - since_usage_usd) * share, near and usage_usd >= since_usage_usd
    counted = [_usage_usd(samples, tick.at) for tick in series if before[-1].at <= tick.at <= last]
    rose = all(earlier <= later for earlier, later in pairwise(counted))
    stretch = spent_between(series, since, until)
    if stretch is not None:
        return stretch.usd, near and rose
    return next(tick.counter_usd for tick in series if tick.at == last) - before[-1].counter_usd, False  # usage was reset


def _usage_usd(samples: tuple[Sample, ...], at: datetime) -> Decimal:
    return next(each.total_usage_usd for each in samples if each.at == at)
