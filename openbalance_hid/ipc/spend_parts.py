"""The parts of an account's spend by model, provider and API key, and its own-key cost, as the status has them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from openbalance_hid.account.amount import Amount, amount_text, total
from openbalance_hid.account.byok import byok_parts, byok_usd
from openbalance_hid.account.endpoints import is_stale
from openbalance_hid.account.key_spend import key_byok_usd, key_usd
from openbalance_hid.account.leaders import Leader, leaders, providers
from openbalance_hid.account.snapshot import ApiKey, Snapshot

KEY_PERIODS = ("today", "week", "month")
NAMELESS_KEY = "(no name)"

_KeyAmount = Callable[[Snapshot, ApiKey, str, datetime], Decimal | None]


def spend_by_status(snapshot: Snapshot, now: datetime) -> dict[str, Any]:
    """Return `spend_by` of the status, and for each of its periods the names of its lower bounds."""
    return _texts_and_bounds("spend_by", spend_by(snapshot, now))


def byok_status(snapshot: Snapshot, now: datetime) -> dict[str, Any]:
    """Return `byok_usd` and `byok_by` of the status with their lower bounds and ages: own-key cost, in no other amount."""
    totals = {period: byok_usd(snapshot, period, now) for period in ("today", "yesterday", "7d", "30d", "month", "all")}
    return {
        "byok_usd": {period: amount_text(each.usd) for period, each in totals.items()},
        "byok_lower_bounds": [period for period, each in totals.items() if each.lower_bound],
        "byok_measured_at": {period: instant_text(each.measured_at) for period, each in totals.items() if each.is_known},
        "byok_stale": [period for period, each in totals.items() if is_amount_stale(snapshot, each, now)],
        **_texts_and_bounds("byok_by", byok_by(snapshot, now)),
    }


def _texts_and_bounds(name: str, found: dict[str, dict[str, dict[str, Amount]]]) -> dict[str, Any]:
    """Return the amounts as texts, under `name`, and beside them the names of the lower bounds of each period."""
    return {
        name: {
            by: {period: {part: amount_text(each.usd) for part, each in parts.items()} for period, parts in periods.items()}
            for by, periods in found.items()
        },
        f"{name}_lower_bounds": {
            by: {period: [part for part, each in parts.items() if each.lower_bound] for period, parts in periods.items()}
            for by, periods in found.items()
        },
    }


def byok_by(snapshot: Snapshot, now: datetime) -> dict[str, dict[str, dict[str, Amount]]]:
    """Return the known own-key cost as `spend_by` returns the spend; names without any are left out."""
    parts = {
        by: {
            period: {name: each for name, each in byok_parts(snapshot, by, period, now).named.items() if each.usd}
            for period in ("today", "30d")
        }
        for by in ("model", "provider")
    }
    keys = {period: _by_key(snapshot, key_byok_usd, period, now) for period in KEY_PERIODS}
    costs = {period: {name: each for name, each in names.items() if each.usd} for period, names in keys.items()}
    return {**parts, "key": costs}


def spend_by(snapshot: Snapshot, now: datetime) -> dict[str, dict[str, dict[str, Amount]]]:
    """Return the spend of each model, provider and API key: dimension → period → name → known amount.

    Keys are named as the user named them, without a part of their hash; those of one name are added up.
    """
    ranked: dict[str, Callable[[Snapshot, str, str, datetime], tuple[Leader, ...] | None]]
    ranked = {"model": leaders, "provider": providers}
    parts = {
        by: {
            period: {each.name: Amount(each.spend.usd, each.lower_bound) for each in rank(snapshot, period, "spend", now) or ()}
            for period in ("today", "30d")
        }
        for by, rank in ranked.items()
    }
    return {**parts, "key": {period: _by_key(snapshot, key_usd, period, now) for period in KEY_PERIODS}}


def _by_key(snapshot: Snapshot, usd_of: _KeyAmount, period: str, now: datetime) -> dict[str, Amount]:
    """Return the known sums of the keys by name."""
    named: dict[str, list[Amount]] = {}
    for key in snapshot.keys.value or ():
        named.setdefault(_key_label(key), []).append(Amount(usd_of(snapshot, key, period, now)))
    sums = {name: total(amounts) for name, amounts in named.items()}
    return {name: amount for name, amount in sums.items() if amount.is_known}


def is_amount_stale(snapshot: Snapshot, amount: Amount, now: datetime) -> bool:
    """Return whether a known amount is too old for a verdict."""
    return amount.usd is not None and amount.measured_at is not None and is_stale(snapshot, amount.measured_at, now)


def instant_text(at: datetime | None) -> str | None:
    """Return an instant of the status, UTC with whole seconds; None for none."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _key_label(key: ApiKey) -> str:
    name = key.given_name or key.name
    return NAMELESS_KEY if name == f"key {key.hash[:6]}" else name
