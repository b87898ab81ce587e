"""The present values of all accounts as metrics, one sample for each series: for `export --what now`. Pure.

The source is the status of the daemon, so that a metric is the number that tiles, `status`, `bar` and `guard` show. What is
unknown has no sample. Units are base units, as Prometheus recommends: seconds, not days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from openbalance_hid.account.spike import Level

MetricSample = tuple[Mapping[str, str], Decimal | int, datetime | None]  # labels, value, when it was measured

_DAY_S = 86_400


class Metric(Struct, frozen=True):
    """One gauge and its samples. `about`: one line."""

    name: str
    about: str
    samples: Sequence[MetricSample]


def current_metrics(accounts: Mapping[str, Any], is_running: bool) -> tuple[Metric, ...]:
    """Return the values of `accounts`, as in `status --json`. `is_running`: they come from a running daemon."""
    rows = [(name, account, instant(account.get("measured_at"))) for name, account in sorted(accounts.items())]

    def each(field: str) -> list[MetricSample]:
        found = ((name, amount_of(account.get(field)), at) for name, account, at in rows)
        return [({"account": name}, amount, at) for name, amount, at in found if amount is not None]

    spends = [
        ({"account": name, "period": period}, usd, at)
        for name, account, at in rows
        for period, text in account.get("spend_usd", {}).items()
        if (usd := amount_of(text)) is not None
    ]
    bounds = [
        ({"account": name, "period": period}, int(period in account["lower_bounds"]), at)
        for name, account, at in rows
        for period in account.get("spend_usd", {})
        if "lower_bounds" in account
    ]
    runway = [({**labels}, days * _DAY_S, at) for labels, days, at in each("runway_days")]
    levels = [
        ({"account": name}, int(Level[account["spike"]["level"].upper()]), at)
        for name, account, at in rows
        if "spike" in account
    ]
    ratios = [
        ({"account": name}, ratio, at)
        for name, account, at in rows
        if (ratio := amount_of(account.get("spike", {}).get("ratio"))) is not None
    ]
    ages = [({"account": name}, Decimal(str(at.timestamp())), at) for name, _, at in rows if at is not None]
    stale = [({"account": name}, int(account["stale"]), at) for name, account, at in rows if "stale" in account]
    healthy = [({"account": name}, int(account["health"] == "ok"), at) for name, account, at in rows if "health" in account]
    return (
        Metric("openbalance_up", "Whether the daemon runs.", [({}, int(is_running), None)]),
        Metric("openbalance_balance_usd", "Credits left, USD.", each("balance_usd")),
        Metric("openbalance_credits_usd", "Credits bought so far, USD.", each("total_credits_usd")),
        Metric("openbalance_usage_usd", "Credits used so far, USD.", each("total_usage_usd")),
        Metric("openbalance_spend_usd", "Credits spent in a period of UTC days, USD.", spends),
        Metric("openbalance_spend_lower_bound", "Whether the spend of a period has an unknown part.", bounds),
        Metric("openbalance_burn_usd_per_hour", "Credits spent in the last hour, USD.", each("burn_usd_per_hour")),
        Metric("openbalance_runway_seconds", "How long the balance lasts at the present pace.", runway),
        Metric("openbalance_spike_level", "Level of the spike alert: 2 normal, 3 spike, 4 critical; below 2 unknown.", levels),
        Metric("openbalance_spike_ratio", "Pace of the spending, in usual days.", ratios),
        Metric("openbalance_healthy", "Whether the last poll succeeded.", healthy),
        Metric("openbalance_stale", "Whether the values are four poll intervals old or more.", stale),
        Metric("openbalance_measured_timestamp_seconds", "When the balance was measured, Unix time.", ages),
    )  # fmt: skip


def spend_metric(accounts: Mapping[str, Any], by: str) -> Metric:
    """Return what each model, provider or key spent in each period, USD: `spend_by` of the status."""
    samples = [
        ({"account": name, by: part, "period": period}, usd, instant(account.get("measured_at")))
        for name, account in sorted(accounts.items())
        for period, parts in account.get("spend_by", {}).get(by, {}).items()
        for part, text in parts.items()
        if (usd := amount_of(text)) is not None
    ]
    return Metric(f"openbalance_{by}_spend_usd", f"Credits spent by {by} in a period of UTC days, USD.", samples)


def amount_of(value: object) -> Decimal | None:
    """Return a number of the status, exact; None for null."""
    return None if value is None else Decimal(str(value))


def instant(text: object) -> datetime | None:
    """Return an instant of the status, aware UTC; None for null."""
    return datetime.fromisoformat(text) if isinstance(text, str) else None
