"""The reply of `GET /activity`: bytes in, completed days out. Pure. An organisation's reply has tens of thousands of rows.

The rows are first split, then decoded one by one and added up, so that only one decoded row is in memory at a time. Nearly all
rows have the documented types; a row with others (counts as text, null for no charge) is decoded a second time. Dates and names
are checked once for each group, not for each row; only where that fails each row is checked, and bad ones are left out.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import date, timedelta
from decimal import Decimal, DecimalException, localcontext
from functools import cache

import msgspec
from msgspec import Raw, Struct

from openbalance_hid.account.snapshot import Activity, Spend
from openbalance_hid.errors import ServerError
from openbalance_hid.openrouter.replies import BEYOND, BOUNDED, Rows, bounded, day_of, decoded, name_of, whole

_NOTHING = Decimal(0)
_LONGEST_SPAN = timedelta(days=62)  # a reply has 30 days before today, and a wrong year must not add years


class RowList(Struct):
    """The rows of a reply, each still as JSON text."""

    data: list[Raw]


class _Row(Struct, frozen=True, gc=False, kw_only=True):
    """Day × model × endpoint. Fields in the order of the reply, so that the decoder finds each without a search.

    Only what is added up: each further text costs a millisecond in a large reply.
    """

    date: str
    model: str
    endpoint_id: str = ""
    provider_name: str = ""
    usage: Decimal
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _LooseRow(Struct):
    date: str
    usage: Decimal | None
    model: str | None = None
    model_permaslug: str | None = None
    endpoint_id: str | None = None
    provider_name: str | None = None
    requests: Decimal | None = None
    prompt_tokens: Decimal | None = None
    completion_tokens: Decimal | None = None


class _Sum:
    __slots__ = ("requests", "tokens", "usd")

    def __init__(self) -> None:
        self.usd, self.requests, self.tokens = _NOTHING, 0, 0


class _Day:
    """`rows`: the rows that were counted, by endpoint, to find repetitions."""

    __slots__ = ("models", "providers", "rows")

    def __init__(self) -> None:
        self.rows: dict[Hashable, Raw] = {}
        self.models: dict[str, _Sum] = {}
        self.providers: dict[str, _Sum] = {}


read_row = msgspec.json.Decoder(_Row).decode


def to_activity(body: bytes, today: date) -> Rows[Activity]:
    """Return completed UTC days, added up over endpoints, without the rows that cannot be read. ServerError if none can.

    `today`: by the server's clock; a row more than two months before or after it has a wrong date. No sum includes own-key
    inference, nor reasoning and cached tokens, which are parts of the others. A repeated row counts once: an endpoint has one
    row a day.
    """
    rows = decoded(body, RowList, "/activity").data
    try:
        return Rows(_activity(rows, today))
    except ServerError:
        good = [raw for raw in rows if _is_good(raw, today)]
        if len(good) in (0, len(rows)):
            raise
        return Rows(_activity(good, today), len(rows) - len(good))


def _activity(rows: list[Raw], today: date) -> Activity:
    try:
        with localcontext(BOUNDED):  # no sum exceeds the bounds of an amount
            days = _sums_by_day(rows)
            return Activity(
                _spend_by_day({day: sums.models for day, sums in days.items()}, today),
                _spend_by_day({day: sums.providers for day, sums in days.items()}, today),
            )
    except DecimalException as error:
        raise ServerError("the reply has a number out of range in usage") from error


def _is_good(raw: Raw, today: date) -> bool:
    try:
        row = _decoded_loosely(raw)
        _day_near(row.date, today)
    except ServerError:
        return False
    return True


def _sums_by_day(rows: list[Raw]) -> Mapping[str, _Day]:
    """Return sums by date as written. The loop runs once for each row, so it does nothing that a group could do."""
    days: dict[str, _Day] = {}
    for raw in rows:
        try:
            row = read_row(raw)
            name = row.model or _decoded_loosely(raw).model
        except (msgspec.MsgspecError, ValueError):
            row = _decoded_loosely(raw)
            name = row.model
        # Plain dictionaries: the interpreter looks them up faster than those with a default.
        try:
            day = days[row.date]
        except KeyError:
            day = days[row.date] = _Day()
        try:
            model = day.models[name]
        except KeyError:
            model = day.models[name] = _Sum()
        try:
            provider = day.providers[row.provider_name]
        except KeyError:
            provider = day.providers[row.provider_name] = _Sum()
        # Without an endpoint, two rows of the same amount may be two rows: only those with one can be a repetition.
        if row.endpoint_id:
            first = day.rows.setdefault(row.endpoint_id, raw)
            if first is not raw and (row == _decoded_loosely(first) or day.rows.setdefault(row, raw) is not raw):
                continue
        usd, requests, tokens = row.usage, row.requests, row.prompt_tokens + row.completion_tokens
        model.usd += usd
        model.requests += requests
        model.tokens += tokens
        provider.usd += usd
        provider.requests += requests
        provider.tokens += tokens
    return days


def _decoded_loosely(raw: Raw) -> _Row:
    """Return a row that may have counts as text or with a fraction, and null in every field except the amount."""
    row = decoded(bytes(raw), _LooseRow, "/activity")
    return _Row(
        date=row.date,
        model=row.model or row.model_permaslug or "",
        endpoint_id=row.endpoint_id or "",
        provider_name=row.provider_name or "",
        usage=bounded(row.usage, "usage"),
        requests=whole(row.requests, "requests"),
        prompt_tokens=whole(row.prompt_tokens, "prompt_tokens"),
        completion_tokens=whole(row.completion_tokens, "completion_tokens"),
    )


def _spend_by_day(days: Mapping[str, Mapping[str, _Sum]], today: date) -> dict[date, dict[str, Spend]]:
    """Return the sums by day and cleaned name; several spellings may share one name."""
    clean = cache(name_of)
    spend_by_day: dict[date, dict[str, Spend]] = {}
    for text, sums in days.items():
        spends = spend_by_day.setdefault(_day_near(text, today), {})
        for spelling, each in sums.items():
            if not (each.usd.is_finite() and abs(each.requests) < BEYOND and abs(each.tokens) < BEYOND):
                raise ServerError("the reply has a number out of range in usage, requests or tokens")
            name, spend = clean(spelling), Spend(each.usd, each.requests, each.tokens)
            spends[name] = spends[name] + spend if name in spends else spend
    return spend_by_day


def _day_near(text: str, today: date) -> date:
    day = day_of(text)
    if abs(day - today) > _LONGEST_SPAN:
        raise ServerError(f"the reply has an impossible date: {day}")
    return day
