"""Builders of snapshots for tests: dollars a day, samples, a time."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from openbalance_hid.account.amount import Amount
from openbalance_hid.account.snapshot import (
    ZERO_SPEND,
    Activity,
    ApiKey,
    Credits,
    Health,
    Reading,
    Sample,
    Snapshot,
    Spend,
    Today,
)

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
INTERVAL_S = 900.0

Usd = str | int | Decimal


def usd(amount: Usd) -> Decimal:
    return Decimal(str(amount))


def activity(days: Mapping[date, Mapping[str, Usd]]) -> Activity:
    """Return an activity in which the provider of each model has its vendor's name."""
    by_model = {day: {model: Spend(usd(amount), 1, 100) for model, amount in models.items()} for day, models in days.items()}
    by_provider: dict[date, dict[str, Spend]] = {}
    for day, models in by_model.items():
        for model, spend in models.items():
            sums = by_provider.setdefault(day, {})
            vendor = model.partition("/")[0] or "?"
            sums[vendor] = sums.get(vendor, Spend()) + spend
    return Activity(by_model, by_provider)


def days_back(
    amounts: Sequence[Usd], now: datetime = NOON, newest: int = 1, model: str = "v/model-a"
) -> dict[date, dict[str, Usd]]:
    """Return one model's spend on completed days; the first amount is the newest day, `newest` days ago."""
    return {now.date() - timedelta(days=newest + age): {model: amount} for age, amount in enumerate(amounts) if usd(amount) > 0}


def samples(readings: Sequence[tuple[datetime, Usd]], bought: Usd = 100) -> tuple[Sample, ...]:
    """`(instant, total_usage)`; the monotonic clock runs with the wall."""
    return tuple(Sample(at, at.timestamp(), usd(bought), usd(usage)) for at, usage in readings)


def day_of_samples(spent: Usd, now: datetime = NOON, hours: int = 24, start: Usd = 50) -> tuple[Sample, ...]:
    """Return samples of even spending over the last `hours`, one every 15 minutes."""
    count = hours * 4
    return samples(
        [(now - timedelta(minutes=15 * (count - step)), usd(start) + usd(spent) * step / count) for step in range(count + 1)]
    )


def api_key(name: str, today: Usd, limit: Usd | None = None, left: Usd | None = None, **more: Any) -> ApiKey:
    """Return a key that spent `today` today, four times that this week, and sixteen times that this month and ever."""
    limits = (None if limit is None else usd(limit), None if left is None else usd(left))
    amount = usd(today)
    return ApiKey(f"{name}-hash", name, amount * 16, amount, amount * 4, amount * 16, *limits, **more)


def own_key(seen: Snapshot, amount: Usd, at: datetime | None = None, name: str = "A") -> Snapshot:
    """Return the account with own-key cost of a model (and provider) today, beside its credits. `at`: of the answer."""
    today = seen.today.value
    assert today is not None
    spent = replace(today.by_model.get(name, ZERO_SPEND), byok=Amount(usd(amount)))
    of_today = replace(today, by_model={**today.by_model, name: spent}, by_provider={**today.by_provider, name: spent})
    return replace(seen, today=replace(seen.today, value=of_today, measured_at=at or seen.today.measured_at))


def snapshot(
    now: datetime = NOON,
    *,
    balance: tuple[Usd, Usd] | None = (100, "25.75"),
    days: Mapping[date, Mapping[str, Usd]] | None = None,
    today: Mapping[str, Usd] | None = None,
    taken: tuple[Sample, ...] = (),
    health: Health = Health.OK,
    measured: datetime | None = None,
    activity_health: Health | None = None,
    started: datetime | None = None,
    polls: int = 1,
    account: str = "default",
    keys: Sequence[ApiKey] | None = None,
    budget: Usd | None = 100,
) -> Snapshot:
    """Return the snapshot of an account, by default healthy and measured just now."""
    at = measured or now
    state = activity_health or health
    return Snapshot(
        account=account,
        started_at=started or now - timedelta(hours=1),
        interval_s=INTERVAL_S,
        health=health,
        credits=Reading(Credits(usd(balance[0]), usd(balance[1])), at, health) if balance else Reading(health=health),
        activity=Reading(activity(days), at, state) if days is not None else Reading(health=state),
        today=Reading(Today(now.date(), {name: Spend(usd(amount)) for name, amount in today.items()}), at, Health.OK)
        if today is not None
        else Reading(),
        keys=Reading(tuple(keys), at, state) if keys is not None else Reading(),
        budget_usd=None if budget is None else usd(budget),
        samples=taken,
        polls=polls,
    )
