"""The replies about API keys: the list, one key, and its change. Pure, apart from the change."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import msgspec

from openbalance_hid.simulator.openrouter.sample_data import RUNAWAY_KEY
from openbalance_hid.simulator.openrouter.sample_own_key import own_key_usd
from openbalance_hid.simulator.openrouter.sample_reply import NANO, SampleReply, SampleState, json, refused

PAGE = 100  # keys a page of GET /keys

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
WORKSPACES = (
    ("6f1c0a4e-7d1b-4c55-9a52-1f0f1c3f9b01", "Default", "default"),
    ("a2b0c7d8-3e4f-4a5b-8c6d-9e0f1a2b3c02", "Research", "research"),
)
_RESEARCH_KEY = 2  # the key that is in the second workspace
_KEY_SHARES = (0.62, 0.27, 0.11)  # of the account's spend, by key; further keys spend nothing
_KEY_FIELDS = {"disabled", "limit", "limit_reset", "name", "include_byok_in_limit", "workspace_id"}  # of PATCH


def keys(state: SampleState, query: str) -> SampleReply:
    """Return the keys of a workspace, newest first, 100 per page, without a total. Two of the named keys have a limit."""
    parameters = parse_qs(query)
    workspace = parameters.get("workspace_id", [WORKSPACES[0][0]])[0]
    if not _UUID.fullmatch(workspace):
        return refused(400, "workspace_id must be a UUID")
    if workspace not in (each for each, _, _ in WORKSPACES):
        return refused(404, "Workspace not found")
    offset = parameters.get("offset", ["0"])[0]
    if not offset.isdecimal():
        return refused(400, "offset must be a non-negative integer")
    for name in ("include_disabled", "include_expired"):
        if parameters.get(name, ["false"])[0] not in ("true", "false"):
            return refused(400, f"{name} must be true or false")
    include_disabled = parameters.get("include_disabled", ["false"])[0] == "true"
    indices = [index for index in _existing(state) if _workspace_of(index) == workspace]
    if not include_disabled:
        indices = [index for index in indices if not state.key_changes.disabled.get(key_hash(index))]
    spent = _spent_by_span(state)
    rows = [_key_row(state, index, spent) for index in indices[int(offset) : int(offset) + PAGE]]
    return json(200, {"data": rows})


def one_key(state: SampleState, method: str, hash_: str, body: bytes) -> SampleReply:
    """Return the row of one key; of `PATCH`, after the change that the body asks for."""
    index = next((index for index in _existing(state) if key_hash(index) == hash_), None)
    if index is None:
        return refused(404, "API key not found")
    if method == "PATCH":
        try:
            fields = msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return refused(400, "Invalid JSON body")
        if not fields.keys() & _KEY_FIELDS:
            return refused(400, "No update fields provided")
        if "disabled" in fields:
            if type(fields["disabled"]) is not bool:
                return refused(400, "disabled must be a boolean")
            state.key_changes.set_disabled(hash_, fields["disabled"], state.now)
    return json(200, {"data": _key_row(state, index, _spent_by_span(state))})


def _existing(state: SampleState) -> list[int]:
    return [index for index in range(state.keys) if key_hash(index) not in state.key_changes.deleted]


def _spent_by_span(state: SampleState) -> list[Decimal]:
    """Return the account's spend today, this week and this month."""
    return [_spent_usd(state, since) for since in _span_starts(state)]


def _span_starts(state: SampleState) -> tuple[datetime, datetime, datetime]:
    monday = state.midnight - timedelta(days=state.now.weekday())
    return state.midnight, monday, state.midnight.replace(day=1)


def _of_key(state: SampleState, index: int, account_usd: Decimal, since: datetime) -> Decimal:
    """Return the part of the account's spend since then that is the key's: its share, and what it spends as a runaway."""
    burn = state.ledger.burn
    burned_usd = Decimal(burn.usd(since, state.now)).quantize(NANO) if burn is not None else Decimal(0)
    usual_usd = ((account_usd - burned_usd) * share_of(index)).quantize(NANO)
    return usual_usd + burned_usd if index == RUNAWAY_KEY else usual_usd


def _workspace_of(index: int) -> str:
    return WORKSPACES[1 if index == _RESEARCH_KEY else 0][0]


def _spent_usd(state: SampleState, since: datetime) -> Decimal:
    return sum((use.usd for use in state.ledger.uses(since, state.now)), Decimal(0))


def _key_row(state: SampleState, index: int, spent: list[Decimal]) -> dict[str, Any]:
    daily, weekly, monthly = (_of_key(state, index, usd, since) for usd, since in zip(spent, _span_starts(state), strict=True))
    limit = {1: Decimal(50), 2: Decimal(10)}.get(index)
    name = ("laptop", "ci", "notebook")[index] if index < len(_KEY_SHARES) else f"key {index}"
    changes = state.key_changes
    return {
        "hash": key_hash(index),
        "name": changes.names.get(key_hash(index), name),
        "label": changes.labels.get(key_hash(index), f"sk-or-v1-{index:03x}...{index:03x}"),
        "disabled": changes.disabled.get(key_hash(index), False),
        "limit": limit,
        "limit_remaining": None if limit is None else max(limit - monthly, Decimal(0)),
        "limit_reset": "monthly" if limit is not None else None,
        "usage": _of_key(state, index, state.total_usage_usd, datetime.min.replace(tzinfo=UTC)),
        "usage_daily": daily,
        "usage_weekly": weekly,
        "usage_monthly": monthly,
        **_own_key_counters(state, index),
        "created_at": (state.midnight - timedelta(days=40 + index)).isoformat(),
        "updated_at": None,
        "expires_at": None,
        "last_used_at": (state.now - timedelta(minutes=7)).isoformat() if daily else None,
        "workspace_id": _workspace_of(index),
        "include_byok_in_limit": False,
        "creator_user_id": "user_2sample",
        "external_user": None,
    }


def _own_key_counters(state: SampleState, index: int) -> dict[str, Decimal]:
    """Return the key's share of the account's own-key inference: since it exists, today, this week and this month."""
    spans = ("", "_daily", "_weekly", "_monthly")
    starts = (state.midnight - timedelta(days=30), *_span_starts(state))
    return {
        f"byok_usage{span}": (own_key_usd(state, start) * share_of(index)).quantize(NANO)
        for span, start in zip(spans, starts, strict=True)
    }


def key_hash(index: int) -> str:
    """Return the hash of the key with this number."""
    return f"{index:064x}"


def share_of(index: int) -> Decimal:
    return Decimal(str(_KEY_SHARES[index])) if 0 <= index < len(_KEY_SHARES) else Decimal(0)
