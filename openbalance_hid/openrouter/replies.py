"""OpenRouter's JSON replies: bytes in, values of `account.snapshot` out. Pure.

Belongs here: the shape of each reply and its quirks. Not here: lists of keys, workspaces and models (`list_replies`), HTTP,
status codes, and the consequence of a bad reply.

Money is decoded from the JSON text straight into Decimal and is never a float. Unknown fields are ignored, optional ones may be
missing or null, numbers may be text. Null money is 0. A row that cannot be read is left out and counted; a reply in which no
row can be read is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Context, Decimal, DecimalException, InvalidOperation, Overflow
from typing import Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

from openbalance_hid.account.amount import NOTHING, UNKNOWN, Amount
from openbalance_hid.account.snapshot import Credits, FreeQuota, Spend, Today, Window
from openbalance_hid.errors import ServerError
from openbalance_hid.secret import mask_keys
from openbalance_hid.text import printable

NAME_LIMIT = 300  # characters of a model, provider or key name
QUOTE_LIMIT = 80  # characters of a reply that an error message may quote
MESSAGE_LIMIT = 200  # characters of the server's own error text that are shown

POSSIBLE_YEARS = range(2010, 2200)  # of an instant: after year 9999 there is no tomorrow to compute

# A Decimal of 1e999999999 parses at once, and its first addition or formatting exhausts the memory.
# So amounts have bounds: 40 digits, below 1e15, and anything smaller than 1e-40 is zero.
_DIGITS = 40
LARGEST_EXPONENT = 14
BEYOND = 10 ** (LARGEST_EXPONENT + 1)
BOUNDED = Context(prec=_DIGITS, Emin=-_DIGITS, Emax=LARGEST_EXPONENT, traps=[Overflow, InvalidOperation])
ROUNDING_USD = Decimal("1e-6")  # by which two sums of the same amounts may differ
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")  # date.fromisoformat alone also takes week dates of ten characters


_T = TypeVar("_T")
_Row = TypeVar("_Row")


class Rows(Struct, Generic[_T], frozen=True):
    """A value made of the rows of an answer. `dropped`: rows that could not be read; `total`: of all pages, if it has one."""

    value: _T
    dropped: int = 0
    total: int | None = None


class _SpendRow(Struct, frozen=True):
    model: str
    provider: str | None
    spend: Spend


class KeyInfo(Struct, frozen=True):
    """`GET /key`: the kind of the key. Its usage counters are those of the key, not of the account, and are left out."""

    is_management_key: bool | None  # None: not in the reply
    label: str
    free_quota: FreeQuota = FreeQuota()


class _CreditsData(msgspec.Struct):
    total_credits: Decimal
    total_usage: Decimal


class _CreditsReply(msgspec.Struct):
    data: _CreditsData


class _TodayRow(msgspec.Struct, frozen=True):
    credits_usage: Decimal | None
    model: str | None = None
    provider: str | None = None
    request_count: Decimal | None = None
    tokens_total: Decimal | None = None
    total_usage: Raw = Raw()  # with own-key inference, unlike that of `/credits`


class _TodayMetadata(msgspec.Struct):
    truncated: bool | None = None


class _TodayData(msgspec.Struct):
    data: list[Raw]
    metadata: _TodayMetadata | None = None
    cachedAt: object = None  # noqa: N815  the server's spelling


class _TodayReply(msgspec.Struct):
    data: _TodayData


class _QuotaData(msgspec.Struct):
    limit: Decimal | None = None
    used: Decimal | None = None
    remaining: Decimal | None = None


class _KeyData(msgspec.Struct):
    is_management_key: bool | None = None
    label: str | None = None
    free_model_daily_requests: Raw = Raw(b"null")  # new: a form that cannot be read must not cost the kind of the key


class _KeyReply(msgspec.Struct):
    data: _KeyData


class RowsReply(msgspec.Struct):
    """A list of rows, each still as JSON text."""

    data: list[Raw]
    total_count: object = None


class _ErrorDetail(msgspec.Struct):
    message: str = ""


class _ErrorReply(msgspec.Struct):
    error: _ErrorDetail | str


def to_credits(body: bytes) -> Credits:
    """Return what was bought and used, USD, from `GET /credits`. ServerError for a missing or impossible amount."""
    data = decoded(body, _CreditsReply, "/credits").data
    credits_ = Credits(bounded(data.total_credits, "total_credits"), bounded(data.total_usage, "total_usage"))
    if credits_.total_usage_usd < 0:
        raise ServerError("the reply has a total_usage below zero")
    return credits_


def to_today(body: bytes, day: date) -> Rows[Today]:
    """Return the spend of a UTC day by model name, USD of credits, from `POST /analytics/query`. ServerError as above."""
    data, rows = _spend_rows(body)
    read_at = instant_of(data.cachedAt)
    by_provider = _sum_by(rows.value, lambda row: row.provider) if any(row.provider for row in rows.value) else {}
    today = Today(day, _sum_by(rows.value, lambda row: row.model), _is_truncated(data, rows.dropped), by_provider, read_at)
    return Rows(today, rows.dropped)


def to_window(body: bytes, start: datetime, end: datetime) -> Rows[Window]:
    """Return the spend from `start` to `end` by model name, as `to_today`."""
    data, rows = _spend_rows(body)
    by_model = _sum_by(rows.value, lambda row: row.model)
    return Rows(Window(start, end, by_model, _is_truncated(data, rows.dropped)), rows.dropped)


def to_key_info(body: bytes) -> KeyInfo:
    """Return the kind of key from `GET /key`. ServerError for a reply that does not parse."""
    data = decoded(body, _KeyReply, "/key").data
    label = printable((data.label or "")[: 4 * NAME_LIMIT])[:NAME_LIMIT]
    return KeyInfo(data.is_management_key, label, _free_quota(bytes(data.free_model_daily_requests)))


def _free_quota(text: bytes) -> FreeQuota:
    """Return the quota of free models; without any number if it is not in the reply, or in an unknown form."""
    try:
        data = decoded(text, _QuotaData | None, "/key")  # type: ignore[arg-type]  # msgspec reads unions
        counts = {} if data is None else {name: getattr(data, name) for name in ("limit", "used", "remaining")}
        return FreeQuota(**{name: None if count is None else whole(count, name) for name, count in counts.items()})
    except ServerError:
        return FreeQuota()


def error_message(body: bytes) -> str:
    """Return the message of an error reply, one printable line of at most `MESSAGE_LIMIT`; empty if it has none."""
    try:
        error = msgspec.json.decode(body, type=_ErrorReply).error
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ""
    return one_line(error if isinstance(error, str) else error.message, MESSAGE_LIMIT)


def one_line(text: str, limit: int) -> str:
    """Return `text` as one printable line of at most `limit` characters, with anything that looks like a key masked."""
    # Only a bounded piece is read, because the input may be megabytes. Masking before the cut also masks a key at the edge.
    masked = mask_keys(" ".join(printable(text[: 8 * limit], gap=" ").split()))
    return masked if len(masked) <= limit else masked[: limit - 1] + "…"


def looks_like_html(body: bytes) -> bool:
    """Return whether a reply is a web page, as the CDN in front of OpenRouter sends."""
    return body[:512].lstrip().lower().startswith((b"<!doctype", b"<html", b"<head", b"<body"))


def _spend_rows(body: bytes) -> tuple[_TodayData, Rows[tuple[_SpendRow, ...]]]:
    data = decoded(body, _TodayReply, "/analytics/query").data
    return data, read_rows(data.data, "/analytics/query", _TodayRow, _spend_row)


def _spend_row(row: _TodayRow) -> _SpendRow:
    usd = bounded(row.credits_usage, "credits_usage")
    counts = whole(row.request_count, "request_count"), whole(row.tokens_total, "tokens_total")
    spend = Spend(usd, *counts, _byok(row.total_usage, usd))
    return _SpendRow(name_of(row.model), row.provider and name_of(row.provider), spend)


def _byok(total_usage: Raw, credits_usd: Decimal) -> Amount:
    """Return what of the total is not of credits: own-key inference. Unknown without a total, or where that is smaller."""
    total_usd = optional_usd(total_usage)
    if total_usd is None or total_usd - credits_usd <= -ROUNDING_USD:
        return UNKNOWN
    usd = total_usd - credits_usd
    return Amount(usd) if usd >= ROUNDING_USD else NOTHING


def _sum_by(rows: Sequence[_SpendRow], name: Callable[[_SpendRow], str | None]) -> dict[str, Spend]:
    sums: dict[str, Spend] = {}
    for row in _each_once(rows):
        _add(sums, name(row) or "unknown", row.spend)
    return sums


def _each_once(rows: Sequence[_SpendRow]) -> Iterable[_SpendRow]:
    """Return the rows without repetitions: a group has one row. Own-key cost distinguishes two only where nothing else does."""
    kept: dict[object, _SpendRow] = {}
    for row in rows:
        spend = row.spend
        byok = None if spend.usd else spend.byok
        kept.setdefault((row.model, row.provider, spend.usd, spend.requests, spend.tokens, byok), row)
    return kept.values()


def _is_truncated(data: _TodayData, dropped: int) -> bool:
    return bool(data.metadata and data.metadata.truncated) or dropped > 0


def rows_of(body: bytes, what: str, shape: type[_Row], convert: Callable[[_Row], _T]) -> Rows[tuple[_T, ...]]:
    """Return the rows of a reply, as `read_rows`."""
    return read_rows(decoded(body, RowsReply, what).data, what, shape, convert)


def read_rows(rows: Sequence[Raw], what: str, shape: type[_Row], convert: Callable[[_Row], _T]) -> Rows[tuple[_T, ...]]:
    """Return what can be read of the rows, and how many cannot. ServerError if none of them can."""
    read: list[_T] = []
    failure: ServerError | None = None
    for raw in rows:
        try:
            read.append(convert(decoded(bytes(raw), shape, what)))
        except ServerError as error:
            failure = error
    if failure is not None and not read:
        raise failure
    return Rows(tuple(read), len(rows) - len(read))


def instant_of(text: object) -> datetime | None:
    """Return an ISO instant in UTC; None for anything else, also for one in an impossible year."""
    at = aware_instant(text)
    return at.astimezone(UTC) if at is not None and at.year in POSSIBLE_YEARS else None


def aware_instant(text: object) -> datetime | None:
    """Return an ISO instant of any year, aware (UTC if it has no zone), only to be compared; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text[:40])
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def decoded(body: bytes, shape: type[_T], what: str) -> _T:
    """Return the reply as a `shape`. ServerError, which names `what` and quotes it briefly, for anything else."""
    if looks_like_html(body):
        raise ServerError(f"{what} answered with a web page instead of JSON")
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        if message := error_message(body):
            raise ServerError(f"{what} answered with an error: {message}") from error
        # msgspec's message names types and the path of the field, never the content.
        raise ServerError(f"{what} answered in an unknown form: {one_line(str(error), QUOTE_LIMIT)}") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        quote = one_line(body[: 4 * QUOTE_LIMIT].decode("utf-8", "replace"), QUOTE_LIMIT)
        raise ServerError(f"{what} answered with something that is not JSON: {quote or 'nothing'}") from error


def bounded(value: Decimal | None, field: str) -> Decimal:
    """Return the amount, finite and within the bounds; 0 for null (free and own-key models). ServerError for any other."""
    if value is None:
        return Decimal(0)
    context = Context(prec=_DIGITS, Emin=-_DIGITS, Emax=LARGEST_EXPONENT, traps=[Overflow])
    try:
        bounded = context.create_decimal(value)
    except DecimalException as error:
        raise ServerError(f"the reply has a number out of range in {field}") from error
    if not bounded.is_finite():
        raise ServerError(f"the reply has no usable number in {field}")
    return bounded


def optional_usd(text: Raw) -> Decimal | None:
    """Return an amount that its row can do without: 0 for null; None if it is missing or cannot be read."""
    if not bytes(text):
        return None
    try:
        return bounded(msgspec.json.decode(text, type=Decimal | None), "own-key inference")
    except (ServerError, msgspec.MsgspecError, ValueError, RecursionError):
        return None


def whole(value: Decimal | None, field: str) -> int:
    """Return the amount as an integer, rounded down; bounds as `bounded`."""
    return int(bounded(value, field))


def day_of(text: str) -> date:
    """Return the day in the first ten characters: documented as YYYY-MM-DD, really followed by a time. ServerError."""
    try:
        if not _DATE.fullmatch(text[:10]):
            raise ValueError(text[:10])
        day = date.fromisoformat(text[:10])
    except ValueError as error:
        raise ServerError(f"the reply has an unreadable date: {one_line(text, 20) or 'nothing'}") from error
    if not 2000 <= day.year < 3000:  # counting days back from an edge of the calendar would fail
        raise ServerError(f"the reply has an impossible date: {day}")
    return day


def name_of(text: str | None) -> str:
    """Return a printable name of at most `NAME_LIMIT` characters without keys in it; "unknown" if nothing is left."""
    shown = printable((text or "")[: 4 * NAME_LIMIT])  # cut first: it may be megabytes
    return mask_keys(shown)[:NAME_LIMIT].strip() or "unknown"


def _add(sums: dict[str, Spend], name: str, spend: Spend) -> None:
    sums[name] = sums[name] + spend if name in sums else spend
