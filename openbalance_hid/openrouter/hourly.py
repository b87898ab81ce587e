"""The spend of each UTC hour from `POST /analytics/query`, for hours that no samples cover: bytes in, hours out. Pure.

The name of the time column varies, so it is found by its value. An hour without a row had no spend: a group has a row only if
it has requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw

from openbalance_hid.account.snapshot import HourlySpend
from openbalance_hid.errors import ServerError
from openbalance_hid.openrouter.replies import Rows, decoded, instant_of, optional_usd, read_rows

HOUR = timedelta(hours=1)
HOURS = 48  # as many as a tile shows
AMOUNT = "credits_usage"
SHORTEST_INSTANT = len("2026-11-22T13")


class _HoursMetadata(msgspec.Struct):
    truncated: bool | None = None


class _HoursData(msgspec.Struct):
    data: list[Raw]
    metadata: _HoursMetadata | None = None


class _HoursReply(msgspec.Struct):
    data: _HoursData


def hours_query(end: datetime) -> dict[str, Any]:
    """Return the query for the last hours before `end` (aware UTC), from a whole hour on."""
    start = first_hour(end)
    instants = {"start": f"{start:%Y-%m-%dT%H:%M:%SZ}", "end": f"{max(end, start + HOUR):%Y-%m-%dT%H:%M:%SZ}"}
    return {"metrics": [AMOUNT], "dimensions": [], "granularity": "hour", "time_range": instants, "limit": 1000}


def first_hour(end: datetime) -> datetime:
    """Return the first of the hours that are requested."""
    return end.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - HOURS * HOUR


def to_hours(body: bytes, end: datetime) -> Rows[HourlySpend]:
    """Return the spend of each hour. ServerError for a reply with a row that cannot be read: it has no whole sums."""
    data = decoded(body, _HoursReply, "/analytics/query").data
    rows = read_rows(data.data, "/analytics/query", dict[str, Raw], _hour)
    if rows.dropped or (data.metadata and data.metadata.truncated):
        raise ServerError("/analytics/query answered with only a part of the hours")
    start = first_hour(end)
    hours = dict.fromkeys((start + number * HOUR for number in range(HOURS + 1)), Decimal(0))
    for at, usd in dict.fromkeys(rows.value):  # an equal row is a repetition
        if at in hours:
            hours[at] += usd
    return Rows(HourlySpend(end, hours))


def _hour(row: Mapping[str, Raw]) -> tuple[datetime, Decimal]:
    """Return the hour of a row, and its USD."""
    if AMOUNT not in row:
        raise ServerError("/analytics/query answered with a row without an amount")
    usd = optional_usd(row[AMOUNT])
    at = next((found for name, text in row.items() if name != AMOUNT and (found := _hour_of(text)) is not None), None)
    if at is None or usd is None:
        raise ServerError("/analytics/query answered with a row that is not of an hour")
    return at, usd


def _hour_of(text: Raw) -> datetime | None:
    """Return the UTC hour of an ISO instant; None for anything else, also for a day without a time."""
    if not bytes(text).startswith(b'"'):
        return None
    value = decoded(bytes(text), str, "/analytics/query")
    at = instant_of(value) if len(value) >= SHORTEST_INSTANT else None
    return None if at is None else at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
