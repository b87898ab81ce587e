"""JSON with something wrong at one spot of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

WRONG: tuple[object, ...] = (
    None, True, False, "", "x", "1e400", "NaN", "sNaN", "-Infinity", 10**400, Decimal("1e999999"), Decimal("-1e-999999"), [],
    {}, [[]], {"data": 1}, "\x00", "☠" * 2000, -1, 0,
)  # fmt: skip


def spots(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in an answer; of many rows, the first and the last."""
    yield way
    if isinstance(value, dict):
        for name in value:
            yield from spots(value[name], (*way, name))
    if isinstance(value, list):
        for index in {0, len(value) - 1} if value else ():
            yield from spots(value[index], (*way, index))


def put(body: bytes, way: tuple[Any, ...], wrong: object, *, leave_out: bool = False) -> bytes:
    """The body with something else at a spot, or without it."""
    whole = {"": json.loads(body, parse_float=Decimal)}
    place: Any = whole
    for step in ("", *way)[:-1]:
        place = place[step]
    last = ("", *way)[-1]
    if leave_out:
        del place[last]
    else:
        place[last] = wrong
    return dumped(whole.get("")).encode("utf-8", "surrogatepass")


def dumped(value: object) -> str:
    """JSON with every Decimal as a number, and a field that occurs twice (`oracle.object_of`) twice."""
    match value:
        case dict():
            pairs = [*getattr(value, "earlier", ()), *value.items()]
            return "{" + ",".join(f"{json.dumps(name)}:{dumped(each)}" for name, each in pairs) + "}"
        case list():
            return "[" + ",".join(map(dumped, value)) + "]"
        case Decimal():
            return str(value)
        case _:
            return json.dumps(value)
