"""What an answer says, read a second time and by other means: what a turn believes must be this, or nothing."""

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
# What tells a row from one that has come before.
COUNTED = (
    "date", "model", "model_permaslug", "endpoint_id", "provider_name", "usage", "requests", "prompt_tokens",
    "completion_tokens", "credits_usage", "request_count",
)  # fmt: skip


def check(before: Snapshot, after: Snapshot, bodies: Mapping[str, bytes | None]) -> None:
    """`bodies`: by path, what may be believed now; None: nothing; `ANYTHING`: whatever. All other paths were answered well."""
    assert after.message != "internal error"
    for name in READINGS:
        old, new = getattr(before, name), getattr(after, name)
        if new.measured_at == old.measured_at:
            assert new.value == old.value, f"{name}: the last good value stays"
            continue
        assert new.health is Health.OK
        body = bodies.get(PATH_OF.get(name, ""), ANYTHING)
        if body is not ANYTHING:
            assert body is not None, f"{name}: {new.value} was believed and never said"
            amounts, told = believed(name, new.value), said(name, body)
            if name == "activity":  # of days that the answer does not reach, what was known stays
                amounts = {day: usd for day, usd in amounts.items() if day in told}
            assert amounts == told
    for name, path in PATH_OF.items():  # the others are not asked each time
        if path not in bodies and getattr(before, name).value is not None:
            reading = getattr(after, name)
            assert reading.health is Health.OK, f"{name} suffers from {list(bodies)}: {reading.message}"


def believed(name: str, value: Any) -> Mapping[str, Decimal]:
    """The amounts in a reading."""
    match name:
        case "credits":
            return {"bought": value.total_credits_usd, "used": value.total_usage_usd}
        case "activity":
            return {str(day): sum((spend.usd for spend in names.values()), Decimal(0)) for day, names in value.by_model.items()}
        case "today":
            return {"today": value.usd}
        case _:
            return {key.hash: key.total_usd for key in value}


def said(name: str, body: bytes) -> Mapping[str, Decimal]:
    """The amounts in an answer. Raises where there is none to be read: then a turn may not have believed it."""
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


def _each_once(rows: list[dict[str, Any]], is_told: Any = lambda _: True) -> list[dict[str, Any]]:
    seen: set[str] = set()
    kept = []
    for row in rows:
        text = json.dumps({name: row.get(name) for name in COUNTED}, default=str)
        if not is_told(row) or text not in seen:
            kept.append(row)
        seen.add(text)
    return kept
