"""The present values of all accounts as metrics, one sample for each series: for `export --what now` and `/metrics`. Pure.

The source is the status of the daemon, so that a metric is the number that tiles, `status`, `bar` and `guard` show. What is
unknown has no sample. Units are base units, as Prometheus recommends: seconds, not days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from openbalance_hid.account.amount import ZERO, amount_text
from openbalance_hid.account.spike import Level

MetricValue = Decimal | int
MetricSample = tuple[Mapping[str, str], MetricValue, datetime | None]  # labels, value, when it was measured
DIMENSIONS = ("model", "provider", "key")
OTHER = "(other)"  # the sum of the names that have no series of their own

_DAY_S = 86_400


class Metric(Struct, frozen=True):
    """One gauge and its samples. `about`: one line."""

    name: str
    about: str
    samples: Sequence[MetricSample]


class _Account(Struct, frozen=True):
    name: str
    status: Mapping[str, Any]
    measured_at: datetime | None


def current_metrics(accounts: Mapping[str, Any], is_running: bool) -> tuple[Metric, ...]:
    """Return the values of `accounts`, as in `status --json`. `is_running`: they come from a running daemon."""
    rows = [_Account(name, account, instant(account.get("measured_at"))) for name, account in sorted(accounts.items())]

    def each(value: Callable[[Mapping[str, Any]], object]) -> list[MetricSample]:
        """Return one sample an account; None has none."""
        found = ((row, amount_of(value(row.status))) for row in rows)
        return [({"account": row.name}, number, row.measured_at) for row, number in found if number is not None]

    def split(label: str, values: Callable[[Mapping[str, Any]], Mapping[str, object]]) -> list[MetricSample]:
        """Return one sample for each account and name in `values`."""
        return [
            ({"account": row.name, label: name}, number, row.measured_at)
            for row in rows
            for name, value in values(row.status).items()
            if (number := amount_of(value)) is not None
        ]

    def periods(flags: str) -> Callable[[Mapping[str, Any]], Mapping[str, object]]:
        return lambda status: {period: int(period in status[flags]) for period in _known_periods(status) if flags in status}

    def byok_bounds(status: Mapping[str, Any]) -> Mapping[str, object]:
        known = [period for period, usd in status.get("byok_usd", {}).items() if usd is not None]
        return {period: int(period in status["byok_lower_bounds"]) for period in known}

    def endpoints(field: str, value: Callable[[Any], object]) -> Callable[[Mapping[str, Any]], Mapping[str, object]]:
        return lambda status: {name: value(each[field]) for name, each in status.get("endpoints", {}).items()}

    return (
        Metric("openbalance_up", "Whether the daemon runs.", [({}, int(is_running), None)]),
        Metric("openbalance_balance_usd", "Credits left, USD.", each(lambda status: status.get("balance_usd"))),
        Metric("openbalance_credits_usd", "Credits bought so far, USD.", each(lambda status: status.get("total_credits_usd"))),
        Metric("openbalance_usage_usd", "Credits used so far, USD.", each(lambda status: status.get("total_usage_usd"))),
        Metric("openbalance_spend_usd", "Credits spent in a period of UTC days, USD.", split("period", _spends)),
        Metric("openbalance_spend_lower_bound", "Whether the spend of a period has an unknown part.",
               split("period", periods("lower_bounds"))),
        Metric("openbalance_spend_approximate", "Whether the spend of a period is estimated.",
               split("period", periods("approximate"))),
        Metric("openbalance_spend_measured_timestamp_seconds", "When the spend of a period was measured, Unix time.",
               split("period", lambda status: _timestamps(status.get("spend_measured_at", {})))),
        Metric("openbalance_byok_usd", "Own-key (BYOK) inference in a period of UTC days, USD; in no other amount.",
               split("period", lambda status: status.get("byok_usd", {}))),
        Metric("openbalance_byok_lower_bound", "Whether the own-key inference of a period has an unknown part.",
               split("period", byok_bounds)),
        Metric("openbalance_burn_usd_per_hour", "Credits spent in the last hour, USD.",
               each(lambda status: status.get("burn_usd_per_hour"))),
        Metric("openbalance_burn_approximate", "Whether the last hour is from the analytics query, because samples lack it.",
               each(lambda status: int(status["burn_approximate"]) if status.get("burn_usd_per_hour") is not None else None)),
        Metric("openbalance_runway_seconds", "How long the balance lasts at the present pace.", each(_runway_s)),
        Metric("openbalance_budget_limit_usd", "Budget of the UTC month, USD.", each(_budget("limit_usd"))),
        Metric("openbalance_budget_spent_usd", "Spent of the budget in this UTC month, USD.", each(_budget("spent_usd"))),
        Metric("openbalance_budget_projected_usd", "Spend of the UTC month at the present pace, USD.",
               each(_budget("projected_usd"))),
        Metric("openbalance_spike_level", "Level of the spike alert: 2 normal, 3 spike, 4 critical; below 2 unknown.",
               each(lambda status: int(Level[status["spike"]["level"].upper()]) if "spike" in status else None)),
        Metric("openbalance_spike_ratio", "Pace of the spending, in usual days.",
               each(lambda status: status.get("spike", {}).get("ratio"))),
        Metric("openbalance_healthy", "Whether the last poll succeeded.",
               each(lambda status: int(status["health"] == "ok") if "health" in status else None)),
        Metric("openbalance_stale", "Whether the values are four poll intervals old or more.",
               each(lambda status: int(status["stale"]) if "stale" in status else None)),
        Metric("openbalance_measured_timestamp_seconds", "When the balance was measured, Unix time.",
               each(lambda status: _timestamp(status.get("measured_at")))),
        Metric("openbalance_endpoint_healthy", "Whether the last request to an endpoint succeeded.",
               split("endpoint", endpoints("health", lambda health: int(health == "ok")))),
        Metric("openbalance_endpoint_measured_timestamp_seconds", "When an endpoint last answered, Unix time.",
               split("endpoint", endpoints("measured_at", _timestamp))),
    )  # fmt: skip


def spend_metrics(accounts: Mapping[str, Any], by: str, most: int | None = None) -> tuple[Metric, Metric]:
    """Return what each model, provider or key spent in each period, USD, and which of these are lower bounds.

    `most`: names with a series of their own, of each account; the sum of the others is `(other)`.
    """
    spent, bounds = _parts_of(accounts, "spend", by, most)
    return (
        Metric(f"openbalance_{by}_spend_usd", f"Credits spent by {by} in a period of UTC days, USD.", spent),
        Metric(f"openbalance_{by}_spend_lower_bound", f"Whether the spend by {by} has an unknown part.", bounds),
    )


def byok_metrics(accounts: Mapping[str, Any], by: str, most: int | None = None) -> tuple[Metric, Metric]:
    """Return the own-key inference by model, provider or key, as `spend_metrics`."""
    spent, bounds = _parts_of(accounts, "byok", by, most)
    return (
        Metric(f"openbalance_{by}_byok_usd", f"Own-key (BYOK) inference by {by}, USD; in no other amount.", spent),
        Metric(f"openbalance_{by}_byok_lower_bound", f"Whether own-key inference by {by} has an unknown part.", bounds),
    )


def _parts_of(
    accounts: Mapping[str, Any], kind: str, by: str, most: int | None
) -> tuple[list[MetricSample], list[MetricSample]]:
    """Return the amounts of `spend_by` or `byok_by` of the status, and whether each is a lower bound."""
    spent, bounds = list[MetricSample](), list[MetricSample]()
    for name, account in sorted(accounts.items()):
        at = instant(account.get("measured_at"))
        periods = account.get(f"{kind}_by", {}).get(by, {})
        lower = account.get(f"{kind}_by_lower_bounds", {}).get(by, {})
        kept = _largest(periods, most)
        for period, parts in periods.items():
            for part, usd, is_lower in _parts(parts, lower.get(period, ()), kept):
                labels = {"account": name, by: part, "period": period}
                spent.append((labels, usd, at))
                bounds.append((labels, int(is_lower), at))
    return spent, bounds


def amount_of(value: object) -> Decimal | None:
    """Return a number of the status, exact; None for null."""
    return None if value is None else Decimal(str(value))


def instant(text: object) -> datetime | None:
    """Return an instant of the status, aware UTC; None for null."""
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _largest(periods: Mapping[str, Mapping[str, str | None]], most: int | None) -> frozenset[str]:
    """Return the names with the largest amount in any period, at most `most`."""
    largest: dict[str, Decimal] = {}
    for parts in periods.values():
        for part, text in parts.items():
            largest[part] = max(largest.get(part, ZERO), amount_of(text) or ZERO)
    return frozenset(sorted(largest, key=lambda part: (-largest[part], part))[:most]) - {OTHER}


def _parts(parts: Mapping[str, str | None], lower: Sequence[str], kept: frozenset[str]) -> Iterator[tuple[str, Decimal, bool]]:
    """Yield name, amount and whether it is a lower bound; the names that are not kept as one, at the end."""
    rest: list[tuple[Decimal | None, bool]] = []
    for part, text in parts.items():
        usd = amount_of(text)
        if part not in kept:
            rest.append((usd, usd is None or part in lower))
        elif usd is not None:
            yield part, usd, part in lower
    known = [usd for usd, _ in rest if usd is not None]
    if known:
        yield OTHER, sum(known, ZERO), any(is_lower for _, is_lower in rest)


def _spends(status: Mapping[str, Any]) -> Mapping[str, object]:
    spends: Mapping[str, object] = status.get("spend_usd", {})
    return spends


def _known_periods(status: Mapping[str, Any]) -> list[str]:
    return [period for period, usd in _spends(status).items() if usd is not None]


def _runway_s(status: Mapping[str, Any]) -> Decimal | None:
    days = amount_of(status.get("runway_days"))
    return None if days is None else days * _DAY_S


def _budget(field: str) -> Callable[[Mapping[str, Any]], object]:
    return lambda status: (status.get("budget") or {}).get(field)


def _timestamps(instants: Mapping[str, object]) -> Mapping[str, object]:
    return {name: _timestamp(text) for name, text in instants.items()}


def _timestamp(text: object) -> str | None:
    at = instant(text)
    return None if at is None else amount_text(Decimal(str(at.timestamp())))
