"""OpenRouter's JSON replies: bytes in, values of `account.snapshot` out. Pure.

Belongs here: the shape of each reply and its quirks. Not here: HTTP, status codes, and the consequence of a bad reply.

Money is decoded from the JSON text straight into Decimal and is never a float. Unknown fields are ignored, optional ones may be
missing or null, numbers may be text. An unreadable field that money depends on fails the whole reply: an old sum is better than
an incomplete one.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Context, Decimal, DecimalException, InvalidOperation, Overflow
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.snapshot import ApiKey, Credits, Spend, Today, Window
from openbalance_hid.errors import ServerError
from openbalance_hid.secret import mask_keys

NAME_LIMIT = 300  # characters of a model, provider or key name
QUOTE_LIMIT = 80  # characters of a reply that an error message may quote
KEYS_PAGE = 100  # rows of a full page of keys
MESSAGE_LIMIT = 200  # characters of the server's own error text that are shown

# A Decimal of 1e999999999 parses at once, and its first addition or formatting exhausts the memory.
# So amounts have bounds: 40 digits, below 1e15, and anything smaller than 1e-40 is zero.
_DIGITS = 40
_LARGEST_EXPONENT = 14
BEYOND = 10 ** (_LARGEST_EXPONENT + 1)
BOUNDED = Context(prec=_DIGITS, Emin=-_DIGITS, Emax=_LARGEST_EXPONENT, traps=[Overflow, InvalidOperation])
# Unicode categories: control, format (marks that reverse the text, joiners that make two names look equal), surrogate, private,
# unassigned, and the two line separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")  # date.fromisoformat alone also takes week dates of ten characters

_T = TypeVar("_T")


class KeyInfo(Struct, frozen=True):
    """`GET /key`: the kind of the key. Its usage counters are those of the key, not of the account, and are left out."""

    is_management_key: bool | None  # None: not in the reply
    label: str


class _CreditsData(msgspec.Struct):
    total_credits: Decimal
    total_usage: Decimal


class _CreditsReply(msgspec.Struct):
    data: _CreditsData


class _TodayRow(msgspec.Struct, frozen=True):
    credits_usage: Decimal | None
    model: str | None = None
    request_count: Decimal | None = None


class _TodayMetadata(msgspec.Struct):
    truncated: bool | None = None


class _TodayData(msgspec.Struct):
    data: list[_TodayRow]
    metadata: _TodayMetadata | None = None


class _TodayReply(msgspec.Struct):
    data: _TodayData


class _KeyData(msgspec.Struct):
    is_management_key: bool | None = None
    label: str | None = None


class _KeyReply(msgspec.Struct):
    data: _KeyData


class _KeyRow(msgspec.Struct):
    hash: str
    usage: Decimal
    name: str | None = None
    label: str | None = None
    usage_daily: Decimal | None = None
    usage_weekly: Decimal | None = None
    usage_monthly: Decimal | None = None
    limit: Decimal | None = None
    limit_remaining: Decimal | None = None
    limit_reset: str | None = None
    disabled: bool | None = None
    expires_at: object = None


class _KeysReply(msgspec.Struct):
    data: list[_KeyRow]


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


def to_today(body: bytes, day: date) -> Today:
    """Return the spend of a UTC day by model label, USD of credits, from `POST /analytics/query`. ServerError as above."""
    return Today(day, *_by_label(body))


def to_window(body: bytes, start: datetime, end: datetime) -> Window:
    """Return the spend from `start` to `end` by model label, as `to_today`."""
    return Window(start, end, *_by_label(body))


def to_keys(body: bytes, now: datetime) -> tuple[ApiKey, ...]:
    """Return one page of `GET /keys`, at most `KEYS_PAGE`. ServerError for a missing or unreadable amount or hash.

    Keys that expired before `now` (aware) are disabled.
    """
    return tuple(_key(row, now) for row in decoded(body, _KeysReply, "/keys").data)


def with_unique_names(keys: Sequence[ApiKey]) -> tuple[ApiKey, ...]:
    """Return each key once; keys of the same name get the first six digits of their hash appended."""
    once = {key.hash: key for key in keys}  # a key created between two pages moves one to the next page: it is in both
    names = Counter(key.name for key in once.values())
    return tuple(replace(key, name=f"{key.name} {key.hash[:6]}") if names[key.name] > 1 else key for key in once.values())


def to_key_info(body: bytes) -> KeyInfo:
    """Return the kind of key from `GET /key`. ServerError for a reply that does not parse."""
    data = decoded(body, _KeyReply, "/key").data
    return KeyInfo(data.is_management_key, _printable((data.label or "")[: 4 * NAME_LIMIT])[:NAME_LIMIT])


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
    masked = mask_keys(" ".join(_printable(text[: 8 * limit], gap=" ").split()))
    return masked if len(masked) <= limit else masked[: limit - 1] + "…"


def looks_like_html(body: bytes) -> bool:
    """Return whether a reply is a web page, as the CDN in front of OpenRouter sends."""
    return body[:512].lstrip().lower().startswith((b"<!doctype", b"<html", b"<head", b"<body"))


def _by_label(body: bytes) -> tuple[dict[str, Spend], bool]:
    data = decoded(body, _TodayReply, "/analytics/query").data
    by_model: dict[str, Spend] = {}
    for row in dict.fromkeys(data.data):  # a model has one row: an equal row is a repetition
        spend = Spend(bounded(row.credits_usage, "credits_usage"), whole(row.request_count, "request_count"))
        _add(by_model, name_of(row.model), spend)
    return by_model, bool(data.metadata and data.metadata.truncated)


def _key(row: _KeyRow, now: datetime) -> ApiKey:
    def optional(value: Decimal | None, field: str) -> Decimal | None:
        return None if value is None else bounded(value, field)

    return ApiKey(
        row.hash[:NAME_LIMIT],
        name_of(row.name or row.label),
        bounded(row.usage, "usage"),
        optional(row.usage_daily, "usage_daily"),
        optional(row.usage_weekly, "usage_weekly"),
        optional(row.usage_monthly, "usage_monthly"),
        optional(row.limit, "limit"),
        optional(row.limit_remaining, "limit_remaining"),
        _printable(row.limit_reset[:80])[:20] if row.limit_reset else None,
        bool(row.disabled) or _has_passed(row.expires_at, now),
    )


def _has_passed(instant: object, now: datetime) -> bool:
    """Return whether this is an ISO instant (UTC if it has no zone) in the past; False for anything else."""
    if not isinstance(instant, str):
        return False
    try:
        at = datetime.fromisoformat(instant)
        return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) <= now
    except (ValueError, OverflowError):
        return False


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
    context = Context(prec=_DIGITS, Emin=-_DIGITS, Emax=_LARGEST_EXPONENT, traps=[Overflow])
    try:
        bounded = context.create_decimal(value)
    except DecimalException as error:
        raise ServerError(f"the reply has a number out of range in {field}") from error
    if not bounded.is_finite():
        raise ServerError(f"the reply has no usable number in {field}")
    return bounded


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
    printable = _printable((text or "")[: 4 * NAME_LIMIT])  # cut first: it may be megabytes
    return mask_keys(printable)[:NAME_LIMIT].strip() or "unknown"


def _printable(text: str, gap: str = "") -> str:
    """Return `text` without characters that move a cursor, end a line, reverse the direction of text or are invisible."""
    return "".join(gap if unicodedata.category(char) in _INVISIBLE else char for char in text)


def _add(sums: dict[str, Spend], name: str, spend: Spend) -> None:
    sums[name] = sums[name] + spend if name in sums else spend
