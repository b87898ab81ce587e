"""The meter: the account's spend from one tap to the next, by the spend counter. Pure. USD.

`/credits` may be 60 s old, so spend arrives late: a step of the counter between two samples happened between 60 s before the
first and the second. Whole steps are counted, never a part of one. A step that may belong to the time before the start or
after the end makes the amount approximate. Counting ends with the first sample 60 s after the stop.

All instants are in the server's time. The meter counts all spend of the account, not only one task's.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.counter import BOOKED_WITHIN, Tick, ticks
from openbalance_hid.account.snapshot import Sample

POLLED_WITHIN = timedelta(seconds=20)  # a tap polls the account: 10 s between two polls, and time for an answer
LATE = timedelta(minutes=5)  # after the close: what a later sample adds says nothing about the run


class MeterRun(Struct, frozen=True):
    """One run of the meter. `ended_at` None: it is running. `usd` None: nothing is counted yet, or nothing could be.

    `counted_at` and `counted_usage_usd`: the sample up to which `usd` is counted. `approximate`: a step of the counter may
    belong to the time around the run, or the account's usage fell during the run (a refund, a reset).
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


class _Step(Struct, frozen=True):
    since: datetime
    until: datetime
    usd: Decimal
    fell: bool  # the account's usage fell: a refund or a reset


def stop(run: MeterRun, now: datetime) -> MeterRun:
    """Return the run after the second tap; its last sample is not here yet."""
    return replace(run, ended_at=max(now, run.started_at))


def count(run: MeterRun, samples: tuple[Sample, ...]) -> MeterRun:
    """Return the run with the spend of `samples` (oldest first) added; the same run if they add nothing."""
    if run.is_settled:
        return run
    series = ticks(samples)
    if run.counted_at is None or run.counted_usage_usd is None:
        begun = _begun(run, series, samples)
        return run if begun is None else _with_steps(begun, series, samples)
    return _with_steps(run, series, samples)


def _begun(run: MeterRun, series: Sequence[Tick], samples: tuple[Sample, ...]) -> MeterRun | None:
    """Return the run at the sample that it counts from; None before the first sample after its start.

    That is the sample of the tap. Where there is none, as while offline, it is the last one before the tap.
    """
    first = next((tick for tick in series if tick.at >= run.started_at), None)
    if first is None:
        return None
    closes_at = run.closes_at
    if closes_at is not None and first.at > closes_at + LATE:
        return replace(run, counted_at=first.at, counted_usage_usd=_usage_usd(samples, first.at))  # nothing is known of it
    before = next((tick for tick in reversed(series) if tick.at < run.started_at and tick.epoch == first.epoch), None)
    is_of_tap = first.at - run.started_at <= POLLED_WITHIN
    base = first if is_of_tap or before is None else before
    approximate = not is_of_tap and before is None
    return replace(
        run, usd=Decimal(0), counted_at=base.at, counted_usage_usd=_usage_usd(samples, base.at), approximate=approximate
    )


def _with_steps(run: MeterRun, series: Sequence[Tick], samples: tuple[Sample, ...]) -> MeterRun:
    closes_at = run.closes_at
    for step in _steps(run, series, samples):
        if run.is_settled:
            break
        is_late = closes_at is not None and step.until > closes_at + LATE
        is_inside = step.since - BOOKED_WITHIN >= run.started_at and (
            run.ended_at is None or step.until <= run.ended_at + POLLED_WITHIN
        )
        run = replace(
            run,
            usd=(run.usd or Decimal(0)) + (Decimal(0) if is_late else step.usd),
            counted_at=step.until,
            counted_usage_usd=_usage_usd(samples, step.until),
            approximate=run.approximate or step.fell or (step.usd > 0 and not is_inside),
        )
    return run


def _steps(run: MeterRun, series: Sequence[Tick], samples: tuple[Sample, ...]) -> list[_Step]:
    """Return the steps of the counter after the sample up to which the run is counted."""
    assert run.counted_at is not None and run.counted_usage_usd is not None  # noqa: S101  a run that has begun
    counted_at = run.counted_at
    after = [tick for tick in series if tick.at > counted_at]
    before = next((tick for tick in reversed(series) if tick.at <= counted_at), None)
    steps = []
    since, usage_usd = counted_at, run.counted_usage_usd
    for tick in after:
        now_usd = _usage_usd(samples, tick.at)
        # Where the samples no longer reach back, two readings of the usage have the step.
        usd = tick.counter_usd - before.counter_usd if before is not None else max(Decimal(0), now_usd - usage_usd)
        steps.append(_Step(since, tick.at, usd, now_usd < usage_usd))
        since, usage_usd, before = tick.at, now_usd, tick
    return steps


def _usage_usd(samples: tuple[Sample, ...], at: datetime) -> Decimal:
    return next(each.total_usage_usd for each in samples if each.at == at)
