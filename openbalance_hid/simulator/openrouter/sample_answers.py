"""The replies of OpenRouter, quirks included: an account and a time in, a status and a body out. Pure.

Written from the service's documentation and from bug reports of its users. It shares no code with the client, so a mistake of
the client shows. Not here: sockets, faults and the choice of the scenario.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import msgspec

from openbalance_hid.simulator.openrouter import sample_own_key as own_key
from openbalance_hid.simulator.openrouter.sample_data import MODELS, ModelUse
from openbalance_hid.simulator.openrouter.sample_keys import WORKSPACES, key_hash, keys, one_key, share_of
from openbalance_hid.simulator.openrouter.sample_own_key import own_key_only, own_key_part
from openbalance_hid.simulator.openrouter.sample_reply import NANO, SampleReply, SampleState, json, refused

__all__ = [
    "SampleReply",
    "SampleState",
    "activity",
    "analytics",
    "credits_",
    "json",
    "key",
    "key_hash",
    "keys",
    "models",
    "one_key",
    "refused",
    "workspaces",
]

NOT_A_MANAGEMENT_KEY = "Only management keys can fetch {} for an account"

FREE_REQUESTS, FREE_REQUEST_S = 50, 2400  # of free models in a day, and the seconds between two of them
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")
_TOKEN_METRICS = ("tokens_total", "tokens_prompt", "tokens_completion", "reasoning_tokens", "cached_tokens")
_METRICS = ("credits_usage", "request_count", "total_usage", *_TOKEN_METRICS)
_DIMENSIONS = ("model", "provider", "api_key_id")
_LONGEST_WITH_PROVIDER = timedelta(days=31)
_VENDORS = {"anthropic": "Anthropic", "openai": "OpenAI", "google": "Google", "deepseek": "DeepSeek"}
# Models that the account does not use, with names that share words with those that it uses.
_OTHER_MODELS = (
    ("openai/gpt-5-pro", "openai/gpt-5-pro-2025-10-06", "OpenAI: GPT-5 Pro"),
    ("deepseek/deepseek-chat-v3-0324", "deepseek/deepseek-chat-v3-0324", "DeepSeek: DeepSeek V3 0324"),
    ("meta-llama/llama-3.3-70b-instruct", "meta-llama/llama-3.3-70b-instruct", "Meta: Llama 3.3 70B Instruct"),
    ("deepseek/deepseek-r1-0528:free", "deepseek/deepseek-r1-0528", "DeepSeek: R1 0528 (free)"),
)
_LATE = timedelta(minutes=30)  # /activity lists the last half hour of a day with this delay


def credits_(state: SampleState) -> SampleReply:
    return json(200, {"data": {"total_credits": state.total_credits_usd, "total_usage": state.total_usage_usd}})


def activity(state: SampleState, query: str) -> SampleReply:
    """Return completed UTC days only: one row per model and endpoint, dates with a time of day."""
    oldest, newest = state.now.date() - timedelta(days=30), state.now.date() - timedelta(days=1)
    parameters = parse_qs(query)
    requested_day = parameters.get("date", [""])[0]
    if requested_day:
        day = _day(requested_day)
        if day is None or not oldest <= day <= newest:
            return refused(400, "Date must be within the last 30 (completed) UTC days")
        oldest = newest = day
    booked = state.midnight - (_LATE if state.now - state.midnight < _LATE else timedelta())
    start = datetime.combine(oldest, time(), UTC)
    end = min(datetime.combine(newest + timedelta(days=1), time(), UTC), booked)
    uses = state.ledger.uses(start, end)
    if "api_key_hash" in parameters:
        hashes = [key_hash(index) for index in range(state.keys)]
        share = share_of(hashes.index(parameters["api_key_hash"][0])) if parameters["api_key_hash"][0] in hashes else Decimal(0)
        part = (replace(use, usd=(use.usd * share).quantize(NANO)) for use in uses)
        return json(200, {"data": [_activity_row(state, use) for use in part if use.usd > 0]})
    rows = [_activity_row(state, use) for use in uses]
    if state.own_key and rows:
        rows += [_own_key_row(newest - timedelta(days=back)) for back in range((newest - oldest).days + 1)]
    return json(200, {"data": rows})


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _activity_row(state: SampleState, use: ModelUse) -> dict[str, Any]:
    model, requests = use.model, use.requests
    return {
        "date": f"{use.day} 00:00:00",
        "model": model.slug,
        "model_permaslug": model.permaslug,
        "endpoint_id": use.endpoint.endpoint_id,
        "provider_name": use.endpoint.provider,
        "usage": use.usd,
        "byok_usage_inference": own_key_part(state, use),
        "requests": requests,
        "prompt_tokens": requests * model.prompt_tokens,
        "completion_tokens": requests * model.completion_tokens,
        "reasoning_tokens": requests * model.reasoning_tokens,
        "cached_tokens": requests * model.prompt_tokens * 2 // 3,
        "variant": "standard",  # undocumented: the API adds fields over time
    }


def _own_key_row(day: date) -> dict[str, Any]:
    return {
        "date": f"{day} 00:00:00",
        "model": own_key.MODEL,
        "model_permaslug": own_key.MODEL,
        "endpoint_id": own_key.ENDPOINT,
        "provider_name": own_key.PROVIDER,
        "usage": 0,
        "byok_usage_inference": own_key.DAY_USD,
        "requests": own_key.DAY_REQUESTS,
        "prompt_tokens": own_key.DAY_REQUESTS * own_key.PROMPT_TOKENS,
        "completion_tokens": own_key.DAY_REQUESTS * own_key.COMPLETION_TOKENS,
        "reasoning_tokens": 0,
    }


def key(state: SampleState, label: str, is_management_key: bool) -> SampleReply:
    """Return the key's own data. Counters of a Management key are 0 while the account spends."""
    counters = {f"{kind}{span}": 0 for kind in ("usage", "byok_usage") for span in ("", "_daily", "_weekly", "_monthly")}
    limits = {"limit": None, "limit_remaining": None, "limit_reset": None}
    kinds = {"is_free_tier": state.total_credits_usd == 0, "is_management_key": is_management_key}
    used = int((state.now - state.midnight).total_seconds() // FREE_REQUEST_S)
    quota = {"limit": FREE_REQUESTS, "used": min(used, FREE_REQUESTS), "remaining": max(0, FREE_REQUESTS - used)}
    return json(200, {"data": {"label": label, **counters, **limits, **kinds, "free_model_daily_requests": quota}})


def workspaces(state: SampleState, query: str) -> SampleReply:
    """Return the workspaces, 50 per page unless the query has a limit."""
    parameters = parse_qs(query)
    offset, limit = (parameters.get(name, [default])[0] for name, default in (("offset", "0"), ("limit", "50")))
    if not offset.isdecimal():
        return refused(400, "offset must be a non-negative integer")
    if not (limit.isdecimal() and 1 <= int(limit) <= 100):
        return refused(400, "limit must be 1 to 100")
    created = (state.midnight - timedelta(days=90)).isoformat()
    rows = [
        {"id": number, "name": name, "slug": slug, "description": None, "created_at": created}
        for number, name, slug in WORKSPACES
    ]
    return json(200, {"data": rows[int(offset) : int(offset) + int(limit)], "total_count": len(rows)})


def models() -> SampleReply:
    """Return the public list of models, prices as text."""
    known = [(each.slug, each.permaslug, f"{_VENDORS[each.slug.partition('/')[0]]}: {each.label}") for each in MODELS]
    rows = [
        {"id": slug, "canonical_slug": permaslug, "name": name, "pricing": {"prompt": "0.000003", "completion": "0.000015"}}
        for slug, permaslug, name in (*_OTHER_MODELS, *known)
    ]
    return json(200, {"data": rows})


def analytics(state: SampleState, body: bytes) -> SampleReply:
    """Return an analytics reply: nested `data`, counts as text, null amounts for own provider keys, labels instead of slugs."""
    try:
        query = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return refused(400, "Invalid JSON body")
    try:
        dimensions, start, end = _checked(query, state.now)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return refused(400, f"Invalid query: {error}")
    if "granularity" in query:
        return json(200, {"data": {"data": _by_hour(state, query["metrics"], start, end), "cachedAt": state.now.isoformat()}})
    groups: dict[tuple[str, ...], dict[str, Any]] = {}
    for use in state.ledger.uses(start, end):
        at = tuple(
            {"model": use.model.label, "provider": use.endpoint.provider, "api_key_id": "0"}[each] for each in dimensions
        )
        row = groups.setdefault(at, {})
        for metric, amount in _metrics_of(state, use).items():
            row[metric] = row.get(metric, 0) + amount
    if state.own_key and groups and dimensions in (["model"], ["model", "provider"]):
        cost_usd = own_key_only(state, start, end)
        requests = max(1, round(cost_usd / own_key.DAY_USD * own_key.DAY_REQUESTS))
        tokens = requests * (own_key.PROMPT_TOKENS + own_key.COMPLETION_TOKENS)
        counts = {"request_count": requests, "tokens_total": tokens}
        groups[(own_key.LABEL, own_key.PROVIDER)[: len(dimensions)]] = {
            "credits_usage": None,
            "total_usage": cost_usd,
            **counts,
        }
    ranked = sorted(groups.items(), key=lambda item: item[1]["credits_usage"] or Decimal(0), reverse=True)
    limit = query.get("limit", 1000)
    rows = [
        {**dict(zip(dimensions, at, strict=True)), **{each: _written(row.get(each, 0)) for each in query["metrics"]}}
        for at, row in ranked[:limit]
    ]
    metadata = {"query_time_ms": 41, "row_count": len(rows), "truncated": len(ranked) > limit}
    return json(200, {"data": {"data": rows, "metadata": metadata, "cachedAt": state.now.isoformat()}})


def _by_hour(state: SampleState, metrics: list[str], start: datetime, end: datetime) -> list[dict[str, Any]]:
    """Return a row for each UTC hour that has some spend. The name of the time column is in no document."""
    rows = []
    hour = start.replace(minute=0, second=0, microsecond=0)
    while hour < end:
        until = min(hour + timedelta(hours=1), end)
        found = [_metrics_of(state, use) for use in state.ledger.uses(max(hour, start), until)]
        if found:
            sums = {each: _written(sum(row[each] for row in found)) for each in metrics}
            rows.append({"date__hour": f"{hour:%Y-%m-%d %H:%M:%S}", **sums})
        hour += timedelta(hours=1)
    return rows


def _metrics_of(state: SampleState, use: ModelUse) -> dict[str, Any]:
    model, requests = use.model, use.requests
    tokens = (model.prompt_tokens + model.completion_tokens, model.prompt_tokens, model.completion_tokens)
    counts = (*tokens, model.reasoning_tokens, model.prompt_tokens * 2 // 3)
    return {
        "credits_usage": use.usd,
        "total_usage": use.usd + own_key_part(state, use),
        "request_count": requests,
        **{name: requests * count for name, count in zip(_TOKEN_METRICS, counts, strict=True)},
    }


def _written(amount: Decimal | int | None) -> Decimal | str | None:
    """Return a value as the API writes it: counts as text, money as a number, null for own provider keys."""
    return str(amount) if isinstance(amount, int) else amount


def _checked(query: dict[str, Any], now: datetime) -> tuple[list[str], datetime, datetime]:
    """Return dimensions and range of a query. Raises ValueError for what the API refuses; a wrong type raises its own error."""
    metrics, dimensions, limit = query["metrics"], query.get("dimensions", []), query.get("limit", 1000)
    if not metrics or any(metric not in _METRICS for metric in metrics):
        raise ValueError(f"metrics must be of {', '.join(_METRICS)}")
    if len(dimensions) > 2 or any(dimension not in _DIMENSIONS for dimension in dimensions):
        raise ValueError(f"at most 2 dimensions of {', '.join(_DIMENSIONS)}")
    if len(query.get("filters", [])) > 20:
        raise ValueError("at most 20 filters")
    if type(limit) is not int or not 1 <= limit <= 10_000:
        raise ValueError("limit must be 1 to 10000")
    if query.get("granularity", "hour") != "hour" or ("granularity" in query and dimensions):
        raise ValueError("the sample account has no granularity but hour, without dimensions")
    if "order_by" in query and query["order_by"]["field"] not in (*metrics, *dimensions):
        raise ValueError("order_by must name a metric or a dimension of the query")
    if "time_range" not in query:
        return dimensions, now - timedelta(days=7), now
    start, end = (_instant(query["time_range"][edge]) for edge in ("start", "end"))
    if not start < end or end - start > timedelta(days=365):
        raise ValueError("time_range must not be empty, nor longer than 365 days")
    if "provider" in dimensions and end - start > _LONGEST_WITH_PROVIDER:
        raise ValueError("provider is available for at most 31 days")
    return dimensions, start, min(end, now)


def _instant(text: str) -> datetime:
    if not _INSTANT.fullmatch(text):
        raise ValueError("timestamps need seconds and a zone")
    return datetime.fromisoformat(text).astimezone(UTC)
