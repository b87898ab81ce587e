"""Models and providers by their part of a period, and the two ways in which OpenRouter writes a model's name. Pure.

Amounts are in `spend`. What is unknown is None; a period without spend is an empty tuple.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from openbalance_hid.account.snapshot import Days, Snapshot, Spend
from openbalance_hid.account.spend import today_usd
from openbalance_hid.account.utc_days import completed_days, period_end, utc_now


class Leader(Struct, frozen=True):
    """One model or provider of a period. `share`: 0 to 1 of the measure that ranks them."""

    name: str
    spend: Spend
    share: float


def leaders(snapshot: Snapshot, period: str, by: str, now: datetime) -> tuple[Leader, ...] | None:
    """Return models by `by` ("spend", "requests", "tokens"), largest first; None while unknown, () without spend.

    `period`: "today", "7d", "30d" or "month". Sources: completed days from `/activity`, today from the analytics query.
    """
    at = period_end(snapshot, period, now)
    today = snapshot.today.value
    by_label = today.by_model if today is not None and today.day == utc_now(snapshot, at).date() else None
    if period == "today":
        if by_label is None:  # without spend the query is not sent
            return () if today_usd(snapshot, at) == 0 else None
        return ranked(by_label, by)
    activity = snapshot.activity.value
    if activity is None:
        return None
    sums = _sum_of_period(activity.by_model, snapshot, period, at)
    return ranked(sums if by_label is None else _with_labels(sums, by_label), by)


def providers(snapshot: Snapshot, period: str, by: str, now: datetime) -> tuple[Leader, ...] | None:
    """Return the upstream providers of the completed days of `period`, as `leaders`; no source has today's."""
    activity = snapshot.activity.value
    if activity is None:
        return None
    return ranked(_sum_of_period(activity.by_provider, snapshot, period, period_end(snapshot, period, now)), by)


def ranked(sums: Mapping[str, Spend], by: str) -> tuple[Leader, ...]:
    """Return names by their part of the sum, largest first; without those at or, after a refund, below zero."""
    if not any(_measure(spend, by) for spend in sums.values()):
        by = "spend"  # the analytics query has no tokens: rank by money, and leave the tokens unknown
    parts = {name: part for name, spend in sums.items() if (part := _measure(spend, by)) > 0}
    total = sum(parts.values(), Decimal(0))
    in_order = sorted(parts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Leader(name, sums[name], float(part / total)) for name, part in in_order)


def sum_by_name(days: Iterable[Mapping[str, Spend]]) -> dict[str, Spend]:
    """Return the spend of each name, added up over several days."""
    sums: dict[str, Spend] = {}
    for day in days:
        for name, spend in day.items():
            sums[name] = sums.get(name, Spend()) + spend
    return sums


def match_labels(labels: Iterable[str], slugs: Iterable[str]) -> dict[str, str]:
    """Return label -> slug of the same model, for labels with exactly one candidate.

    `/activity` writes `anthropic/claude-sonnet-4.5`, the analytics query `Claude Sonnet 4.5`. Equal words are the same model;
    else the only slug that has all words of the label and more (`deepseek-chat-v3.1` for `DeepSeek V3.1`).
    """
    by_words = {_name_words(slug): slug for slug in slugs}
    matched: dict[str, str] = {}
    for label in labels:
        wanted = _name_words(label)
        longer = [slug for words, slug in by_words.items() if wanted < words]
        if wanted in by_words:
            matched[label] = by_words[wanted]
        elif len(longer) == 1:
            matched[label] = longer[0]
    return matched


def _name_words(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W_]+(?:\.[^\W_]+)*", name.rpartition("/")[2].rpartition(": ")[2].lower()))


def _with_labels(sums: Mapping[str, Spend], by_label: Mapping[str, Spend]) -> dict[str, Spend]:
    slugs = match_labels(by_label, sums)
    merged = dict(sums)
    for label, spend in by_label.items():
        name = slugs.get(label, label)
        merged[name] = merged.get(name, Spend()) + spend
    return merged


def _sum_of_period(days: Days, snapshot: Snapshot, period: str, at: datetime) -> dict[str, Spend]:
    return sum_by_name(days.get(day, {}) for day in completed_days(snapshot, period, at))


def _measure(spend: Spend, by: str) -> Decimal:
    return spend.usd if by == "spend" else Decimal(spend.requests if by == "requests" else spend.tokens)
