"""The amounts in a reply, parsed a second time and independently: a poll must accept these, or nothing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Snapshot, Spend, Today, Window
from tests.torture.altered_json import dumped

READINGS = ("credits", "activity", "today", "keys", "key_days", "window")
NOT_UTF_8 = "\ufffd"  # in the place of a byte that is none
NEAR = timedelta(days=62)  # of the answer: rows of other days have a wrong date
BEYOND = Decimal("1e15")  # USD: no amount is as large
LARGEST_NUMBER = Decimal("1.7e308")  # of JSON, where it is no amount
NEXT_TO_NOTHING = Decimal("1e-40")  # USD
ANYTHING = b"anything"
PATH_OF = {"credits": "/credits", "activity": "/activity", "today": "/analytics/query", "keys": "/keys"}
# By endpoint: the names, amounts and counts that distinguish a row from an earlier one. The documented row of `/activity` is
# date × model × endpoint, so a further field (the permanent slug, the variant) makes no other row of it.
COUNTED = {
    "activity": (
        ("date", "model", "endpoint_id", "provider_name"),
        "usage",
        ("requests", "prompt_tokens", "completion_tokens"),
    ),
    "today": (("model", "provider"), "credits_usage", ("request_count", "tokens_total")),
}
# By endpoint: the fields without which a row cannot be read, and the documented types of those that are read.
REQUIRED = {"activity": {"date", "usage"}, "today": {"credits_usage"}, "keys": {"hash", "usage"}}
FIELDS: dict[str, dict[str, tuple[str, ...]]] = {
    "activity": {
        "text": ("date",),
        "text or null": ("model", "endpoint_id", "provider_name"),
        "number": ("usage", "requests", "prompt_tokens", "completion_tokens"),
    },
    "today": {"text or null": ("model", "provider"), "number": ("credits_usage", "request_count", "tokens_total")},
    "keys": {
        "text": ("hash",),
        "text or null": ("name", "label", "limit_reset"),
        "number": ("usage", "usage_daily", "usage_weekly", "usage_monthly", "limit", "limit_remaining"),
        "flag": ("disabled",),
        "anything": ("expires_at", "last_used_at"),
    },
}
is_kind: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "text or null": lambda value: value is None or isinstance(value, str),
    "number": lambda value: is_number(value),
    "flag": lambda value: value is None or isinstance(value, bool),
    "anything": lambda value: (
        not isinstance(value, Decimal) or is_written_out(value) or -LARGEST_NUMBER <= value <= LARGEST_NUMBER
    ),
}


def check(before: Snapshot, after: Snapshot, bodies: Mapping[str, bytes | None]) -> None:
    """`bodies`: by path, the body that may be accepted now; None: none; `ANYTHING`: any. All other replies were good."""
    assert after.message != "internal error"
    for name in READINGS:
        old, new = getattr(before, name), getattr(after, name)
        if new.measured_at == old.measured_at:
            if after.models.measured_at == before.models.measured_at:
                assert new.value == old.value, f"{name}: the last good value stays"
            assert without_names(new.value) == without_names(old.value), "`/models` changes names alone"
            continue
        assert new.health is Health.OK
        body = bodies.get(PATH_OF.get(name, ""), ANYTHING)
        if body is not ANYTHING:
            assert body is not None, f"{name}: {new.value} was accepted and never sent"
            amounts = accepted(name, new.value)
            bodies_left = without_dropped(name, body, new.dropped_rows, new.measured_at.date())
            possible = [amounts_in(name, kept) for kept in bodies_left]
            if name == "activity":  # days that the reply does not contain keep their amounts
                assert any({day: usd for day, usd in amounts.items() if day in sent} == sent for sent in possible)
            else:
                assert amounts in possible, (name, amounts, possible)
    for name, path in PATH_OF.items():  # the others are not requested in each poll
        if path not in bodies and getattr(before, name).value is not None:
            reading = getattr(after, name)
            assert reading.health is Health.OK, f"{name} suffers from {list(bodies)}: {reading.message}"


def without_names(value: Any) -> Any:
    """Return a value without the names of its models."""
    if isinstance(value, Today | Window):
        return replace(value, by_model={"": sum(value.by_model.values(), Spend())})
    return value


def without_dropped(name: str, body: bytes, count: int, read_at: date) -> Iterator[bytes]:
    """Yield the bodies that are left without the `count` rows that cannot be read: one, unless a row may be refused.

    Only a row with a field that occurs twice, and first with a wrong type, may be refused or counted: JSON leaves open which
    one is read.
    """
    if name not in ("activity", "today", "keys"):
        assert count == 0
        yield body
        return
    text = body.decode("utf-8", "replace")
    whole = json.loads(text, parse_float=Decimal, parse_int=Decimal, strict=False, object_pairs_hook=object_of)
    rows = whole["data"]["data"] if name == "today" else whole["data"]
    unreadable = {at for at, row in enumerate(rows) if not is_readable(name, row, read_at)}
    unsound = [at for at, row in enumerate(rows) if at not in unreadable and is_refusable(name, row)]
    assert len(unreadable) <= count <= len(unreadable) + len(unsound), (name, count, [rows[at] for at in unreadable])
    for more in itertools.combinations(unsound, count - len(unreadable)):
        rest = [row for at, row in enumerate(rows) if at not in unreadable and at not in more]
        yield dumped({"data": {"data": rest} if name == "today" else rest}).encode("utf-8", "surrogatepass")


def is_readable(name: str, row: Any, read_at: date) -> bool:
    """Return whether each documented field has its documented type and is UTF-8, and the day is near that of the answer."""
    if not isinstance(row, dict) or not REQUIRED[name] <= set(row):
        return False
    if not all(is_kind[kind](row.get(field)) for kind, fields in FIELDS[name].items() for field in fields):
        return False
    if any(NOT_UTF_8 in texts_of(row.get(field)) for fields in FIELDS[name].values() for field in fields):
        return False
    if name != "activity":
        return True
    is_named = bool(row.get("model")) or is_kind["text or null"](row.get("model_permaslug"))  # which is read without a model
    return is_named and is_day_near(row["date"], read_at)


def is_day_near(text: str, read_at: date) -> bool:
    try:
        day = datetime.strptime(text[:10], "%Y-%m-%d").date()
    except ValueError:
        return False
    return len(text[:10]) == 10 and abs(day - read_at) <= NEAR


def is_number(value: Any) -> bool:
    """Return whether this is a finite number of a possible size, as a number or as text; null counts as 0."""
    if value is None:
        return True
    try:
        number = Decimal(value) if isinstance(value, str | Decimal) else None
    except ArithmeticError:
        return False
    return number is not None and number.is_finite() and -BEYOND < number < BEYOND  # abs() would overflow


def is_written_out(value: Decimal) -> bool:
    """Return whether the number has no exponent: in a field that is no amount, an integer may have any number of digits.

    JSON leaves the range of numbers to its reader, so one beyond a float's range may cost its row.
    """
    return value.as_tuple().exponent == 0


class Repeating(dict[str, Any]):
    """An object with a field that occurs twice: the last one counts. `earlier`: fields and values before the last one."""

    earlier: tuple[tuple[str, Any], ...] = ()


def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    last = {name: at for at, (name, _) in enumerate(pairs)}
    if len(last) == len(pairs):
        return dict(pairs)
    repeating = Repeating(pairs)
    repeating.earlier = tuple(pair for at, pair in enumerate(pairs) if last[pair[0]] != at)
    return repeating


def is_refusable(name: str, row: Any) -> bool:
    """Return whether a field of the row occurs twice, and first with a wrong type."""
    if not isinstance(row, Repeating):
        return False
    kinds = {field: kind for kind, fields in FIELDS[name].items() for field in fields}
    return any(field in kinds and not is_kind[kinds[field]](value) for field, value in row.earlier)


def texts_of(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(texts_of(part) for item in value.items() for part in item)
    return "".join(map(texts_of, value)) if isinstance(value, list) else value if isinstance(value, str) else ""


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
            for row in _each_once(name, rows):
                days[row["date"][:10]] = days.get(row["date"][:10], Decimal(0)) + _usd(row["usage"])
            return days
        case "today":
            return {"today": sum((_usd(row["credits_usage"]) for row in _each_once(name, rows)), Decimal(0))}
        case _:
            return {row["hash"][:300]: _usd(row["usage"]) for row in rows}


def _usd(amount: object) -> Decimal:
    if amount is None:  # of a free model, or of own keys
        return Decimal(0)
    assert isinstance(amount, str | Decimal)
    usd = Decimal(amount)  # type: ignore[arg-type]
    return usd if usd.is_nan() or abs(usd) >= NEXT_TO_NOTHING else Decimal(0)


def _in_place_of(name: str, row: dict[str, Any]) -> object:
    """Return what is read where a name is missing: of a model its permanent slug."""
    return (row.get("model_permaslug") or "") if name == "model" else ""


def _each_once(endpoint: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows without repetitions; of `/activity` only those with an endpoint can be one."""
    names, amount, counts = COUNTED[endpoint]
    seen: set[object] = set()
    kept = []
    for row in rows:
        text = (
            *(row.get(name) or _in_place_of(name, row) for name in names),
            _usd(row[amount]),
            *(int(Decimal(row.get(name) or 0)) for name in counts),
        )
        if text not in seen or (endpoint == "activity" and not row.get("endpoint_id")):
            kept.append(row)
        seen.add(text)
    return kept
