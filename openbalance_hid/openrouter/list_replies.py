"""OpenRouter's lists of keys, workspaces and models: bytes in, one page of values out. Pure.

A row that cannot be read is left out and counted, as in `replies`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from openbalance_hid.account.snapshot import ApiKey
from openbalance_hid.openrouter.replies import (
    NAME_LIMIT,
    Rows,
    RowsReply,
    aware_instant,
    bounded,
    decoded,
    instant_of,
    name_of,
    optional_usd,
    read_rows,
    rows_of,
)
from openbalance_hid.text import printable

_LABEL = re.compile(r"sk-or-[\w-]*(?:\.\.\.|…)(\w{3,8})")


class ModelNames(Struct, frozen=True):
    """How OpenRouter writes the name of one model."""

    slug: str  # in `/activity`
    display_name: str  # in `/analytics/query`: with or without "Vendor: "
    permanent_slug: str


class Workspace(Struct, frozen=True):
    """One row of `GET /workspaces`."""

    id: str
    name: str


class _KeyRow(msgspec.Struct):
    hash: str
    usage: Decimal | None
    name: str | None = None
    label: str | None = None
    usage_daily: Decimal | None = None
    usage_weekly: Decimal | None = None
    usage_monthly: Decimal | None = None
    limit: Decimal | None = None
    limit_remaining: Decimal | None = None
    limit_reset: str | None = None
    disabled: bool | None = None
    byok_usage: Raw = Raw()
    byok_usage_daily: Raw = Raw()
    byok_usage_weekly: Raw = Raw()
    byok_usage_monthly: Raw = Raw()
    expires_at: object = None
    last_used_at: object = None


class _WorkspaceRow(msgspec.Struct):
    id: str
    name: str | None = None
    slug: str | None = None


class _ModelRow(msgspec.Struct):
    id: str
    name: str | None = None
    canonical_slug: str | None = None


def to_keys(body: bytes, now: datetime, workspace: str = "") -> Rows[tuple[ApiKey, ...]]:
    """Return one page of `GET /keys`. Keys that expired before `now` (aware) are disabled."""
    return rows_of(body, "/keys", _KeyRow, lambda row: _key(row, now, workspace))


def to_workspaces(body: bytes) -> Rows[tuple[Workspace, ...]]:
    """Return one page of `GET /workspaces`."""
    reply = decoded(body, RowsReply, "/workspaces")
    rows = read_rows(
        reply.data, "/workspaces", _WorkspaceRow, lambda row: Workspace(row.id[:NAME_LIMIT], name_of(row.name or row.slug))
    )
    return Rows(rows.value, rows.dropped, reply.total_count if isinstance(reply.total_count, int) else None)


def to_models(body: bytes) -> Rows[tuple[ModelNames, ...]]:
    """Return the names of each model of `GET /models`."""
    return rows_of(
        body,
        "/models",
        _ModelRow,
        lambda row: ModelNames(name_of(row.id), name_of(row.name or row.id), name_of(row.canonical_slug or row.id)),
    )


def with_unique_names(keys: Sequence[ApiKey]) -> tuple[ApiKey, ...]:
    """Return each key once; keys of the same name get a part of their hash appended, six digits if that is enough."""
    once = {key.hash: key for key in keys}  # a key created between two pages moves one to the next page: it is in both
    for part in (slice(0, 6), slice(-6, None), slice(None)):
        names = Counter(key.name for key in once.values())
        once = {
            key.hash: replace(key, name=f"{key.given_name} {key.hash[part]}") if names[key.name] > 1 else key
            for key in once.values()
        }
    return tuple(once.values())


def _key(row: _KeyRow, now: datetime, workspace: str) -> ApiKey:
    def optional(value: Decimal | None, field: str) -> Decimal | None:
        return None if value is None else bounded(value, field)

    name, expired = _key_name(row), _has_passed(row.expires_at, now)
    return ApiKey(
        row.hash[:NAME_LIMIT],
        name,
        bounded(row.usage, "usage"),
        optional(row.usage_daily, "usage_daily"),
        optional(row.usage_weekly, "usage_weekly"),
        optional(row.usage_monthly, "usage_monthly"),
        optional(row.limit, "limit"),
        optional(row.limit_remaining, "limit_remaining"),
        printable(row.limit_reset[:80])[:20] if row.limit_reset else None,
        bool(row.disabled) or expired,
        expired,
        name,
        workspace,
        instant_of(row.last_used_at),
        *map(optional_usd, (row.byok_usage, row.byok_usage_daily, row.byok_usage_weekly, row.byok_usage_monthly)),
    )


def _key_name(row: _KeyRow) -> str:
    """Return the name of a key; of one without a name the end of its label (`sk-or-v1-0e6...1c96`), as the website shows it."""
    for text in (row.name, row.label):
        if text and (label := _LABEL.fullmatch(text.strip())):
            return f"key …{label[1]}"
        if text and text.strip():
            return name_of(text)
    return f"key {row.hash[:6]}"


def _has_passed(instant: object, now: datetime) -> bool:
    """Return whether this is an ISO instant in the past; False for anything else."""
    at = aware_instant(instant)
    return at is not None and at <= now
