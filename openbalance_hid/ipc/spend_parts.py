"""The parts of an account's spend by model, provider and API key, as the status and the metrics have them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from openbalance_hid.account.amount import Amount, amount_text, total
from openbalance_hid.account.key_spend import key_usd
from openbalance_hid.account.leaders import Leader, leaders, providers
from openbalance_hid.account.snapshot import ApiKey, Snapshot

NAMELESS_KEY = "(no name)"


def spend_by_status(snapshot: Snapshot, now: datetime) -> dict[str, Any]:
    """Return `spend_by` of the status, and for each of its periods the names of its lower bounds."""
    found = spend_by(snapshot, now)
    return {
        "spend_by": {
            by: {period: {name: amount_text(each.usd) for name, each in parts.items()} for period, parts in periods.items()}
            for by, periods in found.items()
        },
        "spend_by_lower_bounds": {
            by: {period: [name for name, each in parts.items() if each.lower_bound] for period, parts in periods.items()}
            for by, periods in found.items()
        },
    }


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
    keys: dict[str, dict[str, Amount]] = {}
    for period in ("today", "week", "month"):
        named: dict[str, list[Amount]] = {}
        for key in snapshot.keys.value or ():
            named.setdefault(_key_label(key), []).append(Amount(key_usd(snapshot, key, period, now)))
        sums = {name: total(amounts) for name, amounts in named.items()}
        keys[period] = {name: amount for name, amount in sums.items() if amount.is_known}
    return {**parts, "key": keys}


def _key_label(key: ApiKey) -> str:
    name = key.given_name or key.name
    return NAMELESS_KEY if name == f"key {key.hash[:6]}" else name
