"""What `GET /activity` means: reply bytes in, completed days out. Pure. An organisation's answer has tens of thousands of rows.

The rows are first found, then read one by one and added up, so that never more than one of them stands in memory. Nearly all
have the types that OpenRouter documents; a row that has not (counts as text, null for nothing charged) is read once more.
Dates and names are looked at once a group, not once a row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from datetime import date, timedelta
from decimal import Decimal, DecimalException, localcontext
from functools import cache

import msgspec
from msgspec import Raw, Struct

from openbalance_hid.account.snapshot import Activity, Spend
from openbalance_hid.errors import ServerError
from openbalance_hid.openrouter.replies import BEYOND, BOUNDED, day_of, decoded, name_of, whole

_NOTHING = Decimal(0)
_LONGEST_SPAN = timedelta(days=62)  # of the days in one answer: it has the last 30, and one wrong year must not look like many


class Rows(Struct):
    """The rows of an answer, each still as its text."""

    data: list[Raw]


class _Row(Struct, frozen=True, gc=False, kw_only=True):
    """Day × model × endpoint. In the order of the answer: the decoder then finds each field without a search."""

    date: str
    model: str = ""
    model_permaslug: str = ""
    endpoint_id: str = ""
    provider_name: str = ""
    usage: Decimal
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _LooseRow(Struct):
    date: str
    usage: Decimal
    model: str | None = None
    model_permaslug: str | None = None
    endpoint_id: str | None = None
    provider_name: str | None = None
    requests: Decimal | None = None
    prompt_tokens: Decimal | None = None
    completion_tokens: Decimal | None = None


class _Sum:
    """`rows`: what was counted, to tell what comes again."""

    __slots__ = ("requests", "rows", "tokens", "usd")

    def __init__(self) -> None:
        self.usd, self.requests, self.tokens = _NOTHING, 0, 0
        self.rows: dict[Hashable, Raw] = {}


class _Day:
    __slots__ = ("models", "providers")

    def __init__(self) -> None:
        self.models: defaultdict[str, _Sum] = defaultdict(_Sum)
        self.providers: defaultdict[str, _Sum] = defaultdict(_Sum)


read_row = msgspec.json.Decoder(_Row).decode


def to_activity(body: bytes) -> Activity:
    """Completed UTC days, added up over endpoints. ServerError when an amount is missing, unreadable or beyond all bounds.

    Own-key inference and the reasoning and cached tokens (parts of the others, or more than them) stay out of every sum, and so
    does a row that has come before: an endpoint has one a day.
    """
    rows = decoded(body, Rows, "/activity").data
    try:
        with localcontext(BOUNDED):  # so that no sum grows beyond what an amount may be
            days = _added(rows)
            return _of_a_month(
                Activity(
                    _spends({day: sums.models for day, sums in days.items()}),
                    _spends({day: sums.providers for day, sums in days.items()}),
                )
            )
    except DecimalException as error:
        raise ServerError("the reply has a number out of range in usage") from error


def _added(rows: list[Raw]) -> Mapping[str, _Day]:
    """By date as it is written. The loop runs once a row: what it does is all that a row costs beyond its decoding."""
    days: defaultdict[str, _Day] = defaultdict(_Day)
    for raw in rows:
        try:
            row = read_row(raw)
        except (msgspec.MsgspecError, ValueError):
            row = _loosely(raw)
        day = days[row.date]
        model = day.models[row.model or row.model_permaslug]
        # Only rows that name their endpoint can be told from others of the same amount.
        if row.endpoint_id:
            first = model.rows.setdefault(row.endpoint_id, raw)
            if first is not raw and (row == _loosely(first) or model.rows.setdefault(row, raw) is not raw):
                continue
        usd, requests, tokens = row.usage, row.requests, row.prompt_tokens + row.completion_tokens
        model.usd += usd
        model.requests += requests
        model.tokens += tokens
        provider = day.providers[row.provider_name]
        provider.usd += usd
        provider.requests += requests
        provider.tokens += tokens
    return days


def _loosely(raw: Raw) -> _Row:
    """A row whose counts may be text or have a fraction, and whose fields, but for the amount, may be null."""
    row = decoded(bytes(raw), _LooseRow, "/activity")
    return _Row(
        date=row.date,
        model=row.model or "",
        model_permaslug=row.model_permaslug or "",
        endpoint_id=row.endpoint_id or "",
        provider_name=row.provider_name or "",
        usage=row.usage,
        requests=whole(row.requests, "requests"),
        prompt_tokens=whole(row.prompt_tokens, "prompt_tokens"),
        completion_tokens=whole(row.completion_tokens, "completion_tokens"),
    )


def _spends(days: Mapping[str, Mapping[str, _Sum]]) -> dict[date, dict[str, Spend]]:
    """The sums under their days and names, which several spellings may share."""
    clean = cache(name_of)
    made: dict[date, dict[str, Spend]] = {}
    for text, sums in days.items():
        spends = made.setdefault(day_of(text), {})
        for written, each in sums.items():
            if not (each.usd.is_finite() and abs(each.requests) < BEYOND and abs(each.tokens) < BEYOND):
                raise ServerError("the reply has a number out of range in usage, requests or tokens")
            name, spend = clean(written), Spend(each.usd, each.requests, each.tokens)
            spends[name] = spends[name] + spend if name in spends else spend
    return made


def _of_a_month(activity: Activity) -> Activity:
    days = activity.by_model
    if days and max(days) - min(days) > _LONGEST_SPAN:
        raise ServerError(f"/activity answered with days from {min(days)} to {max(days)}")
    return activity
