"""The amounts in a reply, parsed a second time and independently: a poll must accept these, or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from openbalance_hid.account.snapshot import Health, Snapshot

READINGS = ("credits", "activity", "today", "keys", "key_days", "window")
NEXT_TO_NOTHING = Decimal("1e-40")  # USD
ANYTHING = b"anything"
PATH_OF = {"credits": "/credits", "activity": "/activity", "today": "/analytics/query", "keys": "/keys"}
# The fields that distinguish a row from an earlier one.
COUNTED = (
    "date", "model", "model_permaslug", "endpoint_id", "provider_name", "usage", "requests", "prompt_tokens",
    "completion_tokens", "credits_usage", "request_count",
)  # fmt: skip


def check(before: Snapshot, after: Snapshot, bodies: Mapping[str, bytes | None]) -> None:
    """`bodies`: by path, the body that may be accepted now; None: none; `ANYTHING`: any. All other replies were good."""
    assert after.message != "internal error"
    for name in READINGS:
        old, new = getattr(before, name), getattr(after, name)
        if new.measured_at == old.measured_at:
            assert new.value == old.value, f"{name}: the last good value stays"
            continue
        assert new.health is Health.OK
        body = bodies.get(PATH_OF.get(name, ""), ANYTHING)
        if body is not ANYTHING:
            assert body is not None, f"{name}: {new.value} was accepted and never sent"
            amounts, sent = accepted(name, new.value), amounts_in(name, body)
            if name == "activity":  # days that the reply does not contain keep their amounts
                amounts = {day: usd for day, usd in amounts.items() if day in sent}
            assert amounts == sent
    for name, path in PATH_OF.items():  # the others are not requested in each poll
        if path not in bodies and getattr(before, name).value is not None:
            reading = getattr(after, name)
            assert reading.health is Health.OK, f"{name} suffers from {list(bodies)}: {reading.message}"


def accepted(name: str, value: Any) -> Mapping[str, Decimal]:
    """Return the amounts in a reading."""
    match name:
        case "credits":
            return {"bought": value.total_credits_usd, "used": value.total_usage_usd}
        case "activity":
            return {str(day): sum((spend.usd for spend in names.values()), Decimal(0)) for day, names in value.by_model.items()}
        case "today":
            return {"today": value.usd}
        case _:
            return {key.hash: key.total_usd for key in value}


def amounts_in(name: str, body: bytes) -> Mapping[str, Decimal]:
    """Return the amounts in a reply. Raises when there are none: then a poll must not have accepted it."""
    data = json.loads(body.decode("utf-8", "replace"), parse_float=Decimal, parse_int=Decimal, strict=False)["data"]
    match name:
        case "credits":
            return {"bought": _usd(data["total_credits"]), "used": _usd(data["total_usage"])}
        case "activity":
            days: dict[str, Decimal] = {}
            for row in _each_once(data, lambda row: row.get("endpoint_id")):
                days[row["date"][:10]] = days.get(row["date"][:10], Decimal(0)) + _usd(row["usage"])
            return days
        case "today":
            return {"today": sum((_usd(row["credits_usage"] or 0) for row in _each_once(data["data"])), Decimal(0))}
        case _:
            return {row["hash"][:300]: _usd(row["usage"]) for row in data}


def _usd(amount: object) -> Decimal:
    assert isinstance(amount, str | Decimal) or amount == 0
    usd = Decimal(amount)  # type: ignore[arg-type]
    return usd if usd.is_nan() or abs(usd) >= NEXT_TO_NOTHING else Decimal(0)


def _each_once(rows: list[dict[str, Any]], is_repeated: Any = lambda _: True) -> list[dict[str, Any]]:
    seen: set[str] = set()
    kept = []
    for row in rows:
        text = json.dumps({name: row.get(name) for name in COUNTED}, default=str)
        if not is_repeated(row) or text not in seen:
            kept.append(row)
        seen.add(text)
    return kept
