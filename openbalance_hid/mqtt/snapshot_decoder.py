"""A received message as a snapshot, or why it cannot be used. Pure.

A publisher may be broken or malicious: everything has bounds, names are made printable, and a message is used as a whole or
not at all. The result may have wrong numbers, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import msgspec
from msgspec import Struct

from openbalance_hid.account.amount import NOTHING, UNKNOWN, Amount
from openbalance_hid.account.snapshot import (
    Activity,
    ApiKey,
    Credits,
    FreeQuota,
    Health,
    HourlySpend,
    Origin,
    OriginProblem,
    Reading,
    Sample,
    Snapshot,
    Spend,
    Today,
    Window,
)
from openbalance_hid.mqtt.snapshot_schema import (
    FORMAT,
    LARGEST_MESSAGE_BYTES,
    OLDEST_SCHEMA,
    SCHEMA,
    ActivityPart,
    ByokByDay,
    ByokByName,
    CreditsPart,
    DayPart,
    FreeQuotaPart,
    HoursPart,
    KeyPart,
    MessageHead,
    ReadingPart,
    SnapshotMessage,
    SpendByDay,
    SpendByName,
    WindowPart,
    decoded,
)
from openbalance_hid.secret import mask_keys
from openbalance_hid.text import printable

FIRST_DAY = datetime(2015, 1, 1, tzinfo=UTC)
LAST_DAY = datetime(2200, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)  # of the time of sending: the clocks of server and publisher may differ within one answer

_T = TypeVar("_T")
_V = TypeVar("_V")


class RefusedMessage(Struct, frozen=True):
    """A message that cannot be used. `words`: why, and what helps."""

    problem: OriginProblem
    words: str


class Receipt(Struct, frozen=True):
    """When and how a message was received. `age_s`: how long the broker has kept it; `polls`: messages so far."""

    account: str
    started_at: datetime
    now: datetime
    mono_s: float
    age_s: float = 0.0
    polls: int = 1


def decode_message(payload: bytes) -> SnapshotMessage | RefusedMessage:
    """Return the message, checked, or why it cannot be used."""
    if len(payload) > LARGEST_MESSAGE_BYTES:
        return _foreign(f"the message is larger than {LARGEST_MESSAGE_BYTES // 1024**2} MiB")
    head = decoded(payload, MessageHead)
    if head is None or head.format != FORMAT:
        return _foreign("another program has published to this topic: its message is not a snapshot")
    if head.schema > SCHEMA:
        words = f"the publisher is newer (schema {head.schema}, read here: up to {SCHEMA}): update openbalance-hid here"
        return RefusedMessage(OriginProblem.NEWER, words)
    if head.schema < OLDEST_SCHEMA:
        words = f"the publisher is older (schema {head.schema}, read here: from {OLDEST_SCHEMA}): update openbalance-hid there"
        return RefusedMessage(OriginProblem.OLDER, words)
    try:
        message = msgspec.json.decode(payload, type=SnapshotMessage)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        return _foreign(f"the snapshot cannot be read: {printable(str(error))[:160]}")
    return message if _has_possible_times(message) else _foreign("the snapshot has an impossible time")


def to_snapshot(message: SnapshotMessage, receipt: Receipt) -> Snapshot:
    """Return the snapshot of a checked message, as the tiles of this machine take it.

    Its instants are by the publisher's clock, corrected by OpenRouter's. How much this machine's clock differs from that
    follows from the time of sending, and from how long the broker has kept the message.
    """
    sent = message.sent_at.astimezone(UTC) + timedelta(seconds=receipt.age_s)
    mono_shift_s = receipt.mono_s - receipt.age_s - message.mono_s
    skew = sent - receipt.now
    return Snapshot(
        account=receipt.account,
        started_at=receipt.started_at,
        interval_s=message.interval_s,
        health=Health(message.health),
        message=_words(message.message),
        credits=_reading(message.credits, _credits),
        activity=_reading(message.activity, _activity),
        today=_reading(message.today, _day),
        yesterday=_reading(message.yesterday, _day),
        keys=_reading(message.keys, _keys),
        key_days=_reading(message.key_days, lambda part: _days(part, message.byok_key_days)),
        window=_reading(message.window, _window),
        hours=Reading() if message.hours is None else _reading(message.hours, _hours),
        free_quota=Reading() if message.free_quota is None else _reading(message.free_quota, _free_quota),
        wrong_clock=message.wrong_clock,
        samples=tuple(
            Sample(datetime.fromtimestamp(at, UTC), mono_s + mono_shift_s, Decimal(bought), Decimal(used))
            for at, mono_s, bought, used in message.samples
        ),
        next_poll_at=None if message.next_poll_at is None else message.next_poll_at.astimezone(UTC) - skew,
        polls=receipt.polls,
        server_skew_s=skew.total_seconds(),
        origin=Origin(
            _words(message.publisher.host),
            message.publisher.started_at,
            message.masked,
            prepaid=message.prepaid,
            budget_usd=_optional(message.budget_usd),
        ),
    )


def _foreign(words: str) -> RefusedMessage:
    return RefusedMessage(OriginProblem.FOREIGN, words)


# --- times: arithmetic with those near the edges of the calendar would fail ---


def _has_possible_times(message: SnapshotMessage) -> bool:
    if not FIRST_DAY <= message.sent_at <= LAST_DAY:
        return False
    last = message.sent_at + AHEAD
    if not all(FIRST_DAY <= each <= last for each in _instants(message)):
        return False
    if message.next_poll_at is not None and not FIRST_DAY <= message.next_poll_at <= message.sent_at + 2 * AHEAD:
        return False
    first_s, last_s = FIRST_DAY.timestamp(), last.timestamp()
    in_order = all(before[0] <= after[0] for before, after in zip(message.samples, message.samples[1:], strict=False))
    if not in_order or not all(first_s <= row[0] <= last_s for row in message.samples):
        return False
    return all(FIRST_DAY.date() <= day <= last.date() for day in _dates(message))


def _instants(message: SnapshotMessage) -> Iterator[datetime]:
    readings = (message.credits, message.activity, message.today, message.yesterday, message.keys, message.key_days)
    yield message.publisher.started_at
    yield from (each.measured_at for each in (*readings, message.window) if each.measured_at is not None)
    for day in (message.today.value, message.yesterday.value):
        yield from () if day is None or day.cached_at is None else (day.cached_at,)
    window, hours = message.window.value, message.hours
    yield from () if window is None else (window.start, window.end)
    if hours is not None:
        yield from () if hours.measured_at is None else (hours.measured_at,)
        yield from () if hours.value is None else (hours.value.first, hours.value.end)
    if message.free_quota is not None:
        yield from () if message.free_quota.measured_at is None else (message.free_quota.measured_at,)
    yield from (key.last_used_at for key in message.keys.value or () if key.last_used_at is not None)


def _dates(message: SnapshotMessage) -> Iterator[date]:
    if message.activity.value is not None:
        yield from message.activity.value.by_model
        yield from message.activity.value.by_provider
    yield from message.key_days.value or ()
    yield from (each.day for each in (message.today.value, message.yesterday.value) if each is not None)


# --- parts -----------------------------------------------------------------------------------


def _reading(part: ReadingPart[_T], convert: Callable[[_T], _V]) -> Reading[_V]:
    value = None if part.value is None or part.measured_at is None else convert(part.value)
    measured_at = None if value is None or part.measured_at is None else part.measured_at.astimezone(UTC)
    return Reading(value, measured_at, Health(part.health), _words(part.message), part.dropped_rows)


def _credits(part: CreditsPart) -> Credits:
    return Credits(Decimal(part.total_credits_usd), Decimal(part.total_usage_usd))


def _activity(part: ActivityPart) -> Activity:
    return Activity(_days(part.by_model, part.byok_by_model), _days(part.by_provider, part.byok_by_provider))


def _day(part: DayPart) -> Today:
    by_model, by_provider = _names(part.by_model, part.byok_by_model), _names(part.by_provider, part.byok_by_provider)
    return Today(part.day, by_model, part.truncated, by_provider, part.cached_at)


def _window(part: WindowPart) -> Window:
    return Window(part.start, part.end, _names(part.by_model), part.truncated)


def _free_quota(part: FreeQuotaPart) -> FreeQuota:
    return FreeQuota(part.limit, part.used, part.remaining)


def _hours(part: HoursPart) -> HourlySpend:
    usd = {part.first.astimezone(UTC) + timedelta(hours=number): Decimal(text) for number, text in enumerate(part.usd)}
    return HourlySpend(part.end.astimezone(UTC), usd)


def _keys(parts: list[KeyPart]) -> tuple[ApiKey, ...]:
    """Return the keys with names and identities that are unique, as everything else expects."""
    taken: set[str] = set()
    keys: list[ApiKey] = []
    for number, part in enumerate(parts):
        name, identity = _name(part.name), part.id
        if name in taken:
            name = f"{name} ({number})"
        if identity in taken:
            identity = f"{identity}.{number}"
        taken |= {name, identity}
        keys.append(
            ApiKey(
                identity,
                name,
                Decimal(part.total_usd),
                _optional(part.today_usd),
                _optional(part.week_usd),
                _optional(part.month_usd),
                _optional(part.limit_usd),
                _optional(part.limit_left_usd),
                part.limit_reset,
                part.disabled,
                part.expired,
                printable(part.given_name),
                printable(part.workspace),
                part.last_used_at,
                _optional(part.byok_usd),
                _optional(part.byok_today_usd),
                _optional(part.byok_week_usd),
                _optional(part.byok_month_usd),
            )
        )
    return tuple(keys)


def _days(part: SpendByDay, byok: ByokByDay | None = None) -> Mapping[date, Mapping[str, Spend]]:
    return {day: _names(names, None if byok is None else byok.get(day, {})) for day, names in part.items()}


def _names(part: SpendByName, byok: ByokByName | None = None) -> dict[str, Spend]:
    spent: dict[str, Spend] = {}
    for name, (usd, requests, tokens) in part.items():
        shown, spend = _name(name), Spend(Decimal(usd), requests, tokens, _byok(name, byok))
        spent[shown] = spent[shown] + spend if shown in spent else spend
    return spent


def _byok(name: str, rows: ByokByName | None) -> Amount:
    """Return the own-key inference of a name; that of a message without it is unknown."""
    if rows is None:
        return UNKNOWN
    usd, lower_bound = rows.get(name, ("0", False))
    return UNKNOWN if usd is None else Amount(Decimal(usd), lower_bound) if lower_bound or Decimal(usd) else NOTHING


def _name(text: str) -> str:
    return mask_keys(printable(text)).strip() or "unknown"


def _words(text: str | None) -> str | None:
    return None if text is None else mask_keys(printable(text, " ")).strip() or None


def _optional(usd: str | None) -> Decimal | None:
    return None if usd is None else Decimal(usd)
