"""The taxi meter: what one task costs, from a tap to a tap, counted by the spend counter. Pure.

The count begins at the first sample after the start and ends at the first one after the stop, so that what was spent before
is not in it and what OpenRouter books a little late still is. Between, everything the account spends is counted: a meter knows
no tasks, only time.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.counter import spent_between, ticks
from openbalance_hid.account.snapshot import Sample


class Run(Struct, frozen=True):
    """One run of the meter. `ended_at` is None while it goes on; `usd` is None while, or if, nothing could be counted.

    `counted_at` and `counted_usage_usd`: the sample up to which `usd` is reckoned.
    """

    started_at: datetime
    ended_at: datetime | None = None
    usd: Decimal | None = None
    counted_at: datetime | None = None
    counted_usage_usd: Decimal | None = None

    @property
    def is_running(self) -> bool:
        return self.ended_at is None

    @property
    def is_settled(self) -> bool:
        """Whether nothing will be added any more."""
        return self.ended_at is not None and self.counted_at is not None and self.counted_at >= self.ended_at


def stop(run: Run, now: datetime) -> Run:
    """The run after the second tap; its last sample is still to come."""
    return replace(run, ended_at=now)


def count(run: Run, samples: Sequence[Sample]) -> Run:
    """The run with what `samples` (oldest first) add to it; the same run when they add nothing."""
    made = [tick for tick in ticks(samples) if tick.at >= run.started_at]
    if run.is_settled or not made:
        return run
    ended = [tick for tick in made if run.ended_at is not None and tick.at >= run.ended_at]
    last = ended[0] if ended else made[-1]
    if run.counted_at is not None and last.at <= run.counted_at:
        return run
    usage_usd = next(each.total_usage_usd for each in samples if each.at == last.at)
    if run.counted_at is None:
        begun = made[0]
        known = run.ended_at is None or begun.at < run.ended_at  # else the first word came when all was over
        return replace(
            run,
            usd=last.counter_usd - begun.counter_usd if known else None,
            counted_at=last.at,
            counted_usage_usd=usage_usd,
        )
    added = _added(run, samples, last.at, usage_usd)
    return replace(run, usd=(run.usd or Decimal(0)) + added, counted_at=last.at, counted_usage_usd=usage_usd)


def _added(run: Run, samples: Sequence[Sample], until: datetime, usage_usd: Decimal) -> Decimal:
    """Spend since the last count: by the counter, or by the readings alone where the samples no longer reach back so far."""
    made = ticks(samples)
    before = [tick.counter_usd for tick in made if run.counted_at is not None and tick.at <= run.counted_at]
    if run.counted_at is not None and before:
        stretch = spent_between(made, run.counted_at, until)
        if stretch is not None:
            return stretch.usd
        return next(tick.counter_usd for tick in made if tick.at == until) - before[-1]  # across a reset of the account's usage
    return max(Decimal(0), usage_usd - (run.counted_usage_usd or usage_usd))
