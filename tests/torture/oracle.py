"""The amounts in a reply, parsed a second time and independently: a poll must accept these, or nothing."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Snapshot, Spend, Today, Window
from tests.torture.altered_json import dumped

READINGS = ("credits", "activity", "today", "keys", "key_days", "window")
NOT_UTF_8 = "\ufffd"  # in the place of a byte that is none: the row may be left out
FEW = 10  # rows: then any may be the damaged one
BEYOND = Decimal("1e15")  # USD: no amount is as large
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
            assert without_names(new.value) == without_names(old.value), f"{name}: the last good value stays"
            continue
        assert new.health is Health.OK
        body = bodies.get(PATH_OF.get(name, ""), ANYTHING)
        if body is not ANYTHING:
            assert body is not None, f"{name}: {new.value} was accepted and never sent"
            amounts = accepted(name, new.value)
            possible = [amounts_in(name, kept) for kept in without_dropped(name, body, new.dropped_rows)]
            if name == "activity":  # days that the reply does not contain keep their amounts
                assert any({day: usd for day, usd in amounts.items() if day in sent} == sent for sent in possible)
            else:
                assert amounts in possible, name
    for name, path in PATH_OF.items():  # the others are not requested in each poll
        if path not in bodies and getattr(before, name).value is not None:
            reading = getattr(after, name)
            assert reading.health is Health.OK, f"{name} suffers from {list(bodies)}: {reading.message}"


def without_names(value: Any) -> Any:
    """Return a value without the names of its models, which become slugs as soon as `/models` has answered."""
    if isinstance(value, Today | Window):
        return replace(value, by_model={"": sum(value.by_model.values(), Spend())})
    return value


def without_dropped(name: str, body: bytes, count: int) -> Iterator[bytes]:
    """Yield the bodies that are left without `count` of the rows: those that cannot be read, then others with a damage.

    A row that cannot be read is always left out. One with another damage is either counted as it is, or left out and counted.
    """
    if name not in ("activity", "today", "keys"):
        assert count == 0
        yield body
        return
    whole = json.loads(body.decode("utf-8", "replace"), parse_float=Decimal, parse_int=Decimal, strict=False)
    rows = whole["data"]["data"] if name == "today" else whole["data"]
    unreadable = {at for at, row in enumerate(rows) if not is_readable(name, row)}
    usual = Counter(map(shape_of, rows)).most_common(1)[0][0] if rows else ""
    suspects = {0, len(rows) - 1} if len(rows) >= FEW else set(range(len(rows)))
    suspects |= {at for at, row in enumerate(rows) if shape_of(row) != usual or NOT_UTF_8 in str(row)}
    odd = sorted(suspects - unreadable)
    for more in itertools.combinations(odd, count - len(unreadable)):
        rest = [row for at, row in enumerate(rows) if at not in unreadable and at not in more]
        yield dumped({"data": {"data": rest} if name == "today" else rest}).encode("utf-8", "surrogatepass")


def is_readable(name: str, row: Any) -> bool:
    """Return whether a row has its amount, and what the amount belongs to."""
    try:
        amounts = amounts_of_rows(name, [row])
        days = [date.fromisoformat(day) for day in amounts] if name == "activity" else []
    except (AssertionError, ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        return False
    return all(usd.is_finite() and abs(usd) < BEYOND for usd in amounts.values()) and all(day.year >= 2000 for day in days)


def shape_of(row: Any) -> str:
    return str({field: type(value).__name__ for field, value in row.items()} if isinstance(row, dict) else type(row))


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
    if name == "credits":
        assert data["total_credits"] is not None
        assert data["total_usage"] is not None
        return {"bought": _usd(data["total_credits"]), "used": _usd(data["total_usage"])}
    return amounts_of_rows(name, data["data"] if name == "today" else data)


def amounts_of_rows(name: str, rows: list[dict[str, Any]]) -> Mapping[str, Decimal]:
    match name:
        case "activity":
            days: dict[str, Decimal] = {}
            for row in _each_once(rows, lambda row: row.get("endpoint_id")):
                days[row["date"][:10]] = days.get(row["date"][:10], Decimal(0)) + _usd(row["usage"])
            return days
        case "today":
            return {"today": sum((_usd(row["credits_usage"]) for row in _each_once(rows)), Decimal(0))}
        case _:
            return {row["hash"][:300]: _usd(row["usage"]) for row in rows}


def _usd(amount: object) -> Decimal:
    if amount is None:  # of a free model, or of own keys
        return Decimal(0)
    assert isinstance(amount, str | Decimal)
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
