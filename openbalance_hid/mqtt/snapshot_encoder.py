"""A snapshot as the message that is published: without the key, its last characters and the hashes of API keys. Pure.

With `masks_names`, models, providers, keys and workspaces have numbers in place of their names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

import msgspec

from openbalance_hid.account.amount import amount_text
from openbalance_hid.account.snapshot import (
    Activity,
    ApiKey,
    Credits,
    Days,
    FreeQuota,
    HourlySpend,
    Reading,
    Snapshot,
    Spend,
    Today,
    Window,
)
from openbalance_hid.account.utc_days import server_shift, utc_now
from openbalance_hid.mqtt.snapshot_schema import (
    EXPIRES_S,
    FORMAT,
    SCHEMA,
    ActivityPart,
    ByokByDay,
    ByokByName,
    CreditsPart,
    DayPart,
    FreeQuotaPart,
    HoursPart,
    KeyPart,
    PublisherPart,
    ReadingPart,
    SampleRow,
    SnapshotMessage,
    SpendByDay,
    SpendByName,
    SummaryPart,
    WindowPart,
)
from openbalance_hid.secret import mask_keys

MOST_WORDS = 300  # characters of a message or name

_T = TypeVar("_T")
_V = TypeVar("_V")


class NameNumbers:
    """Numbers for names, the same during the life of a publisher: "model 1" is one model in each of its messages."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._counts: dict[str, int] = {}

    def number(self, kind: str, name: str) -> int:
        """Return the number of a name among those of its kind, from 1."""
        known = self._numbers.get((kind, name))
        if known is None:
            known = self._counts[kind] = self._counts.get(kind, 0) + 1
            self._numbers[(kind, name)] = known
        return known


class SnapshotEncoder:
    """Encodes the snapshots of one account. `started_at` of the publisher is turned into OpenRouter's time."""

    def __init__(self, identity: str, started_at: datetime, version: str, host: str) -> None:
        self._identity = identity
        self._started_at = started_at
        self._version = version
        self._host = host
        self._numbers = NameNumbers()

    def publisher(self, snapshot: Snapshot, masks_names: bool) -> PublisherPart:
        """Return what identifies this publisher."""
        host = None if masks_names else self._host[:64]
        return PublisherPart(self._identity, self._started_at + server_shift(snapshot), self._version[:40], host)

    def encode(self, snapshot: Snapshot, summary: SummaryPart, masks_names: bool, now: datetime, mono_s: float) -> bytes:
        """Return the message of a snapshot that is sent now, `mono_s` by the monotonic clock."""
        parts = _Parts(self._numbers, masks_names, snapshot)
        next_poll_at = snapshot.next_poll_at
        message = SnapshotMessage(
            format=FORMAT,
            schema=SCHEMA,
            publisher=self.publisher(snapshot, masks_names),
            sent_at=utc_now(snapshot, now),
            mono_s=round(mono_s, 3),
            expires_s=EXPIRES_S,
            interval_s=snapshot.interval_s,
            summary=summary,
            credits=parts.reading(snapshot.credits, _credits),
            activity=parts.reading(snapshot.activity, parts.activity),
            today=parts.reading(snapshot.today, parts.day),
            yesterday=parts.reading(snapshot.yesterday, parts.day),
            keys=parts.reading(snapshot.keys, parts.keys),
            key_days=parts.reading(snapshot.key_days, parts.key_days),
            window=parts.reading(snapshot.window, parts.window),
            samples=_samples(snapshot),
            health=snapshot.health.value,
            message=_words(snapshot.message),
            masked=masks_names,
            wrong_clock=snapshot.wrong_clock,
            prepaid=snapshot.prepaid,
            budget_usd=amount_text(snapshot.budget_usd),
            next_poll_at=None if next_poll_at is None else next_poll_at + server_shift(snapshot),
            hours=parts.reading(snapshot.hours, _hours),
            byok_key_days=parts.byok_key_days(snapshot.key_days.value),
            free_quota=parts.free_quota(snapshot.free_quota),
        )
        return msgspec.json.encode(message)


class _Parts:
    """The parts of one message, with its names."""

    def __init__(self, numbers: NameNumbers, masks: bool, snapshot: Snapshot) -> None:
        self._numbers = numbers
        self._masks = masks
        self._key_names: Mapping[str, str] = {}
        self._key_names = {key.name: self._key_name(key) for key in snapshot.keys.value or ()}

    def reading(self, reading: Reading[_T], convert: Callable[[_T], _V]) -> ReadingPart[_V]:
        """Return the part of one endpoint. Its message may quote names, so it is left out with them."""
        value = None if reading.value is None else convert(reading.value)
        message = None if self._masks else _words(reading.message)
        return ReadingPart(value, reading.measured_at, reading.health.value, message, reading.dropped_rows)

    def activity(self, value: Activity) -> ActivityPart:
        return ActivityPart(
            self._days("model", value.by_model),
            self._days("provider", value.by_provider),
            self._byok_days("model", value.by_model),
            self._byok_days("provider", value.by_provider),
        )

    def day(self, value: Today) -> DayPart:
        by_model, by_provider = self._names("model", value.by_model), self._names("provider", value.by_provider)
        byok = self._byok("model", value.by_model), self._byok("provider", value.by_provider)
        return DayPart(value.day, by_model, by_provider, value.truncated, value.cached_at, *byok)

    def window(self, value: Window) -> WindowPart:
        return WindowPart(value.start, value.end, self._names("model", value.by_model), value.truncated)

    def keys(self, value: tuple[ApiKey, ...]) -> list[KeyPart]:
        return [self._key(key) for key in value]

    def key_days(self, value: Days) -> SpendByDay:
        return self._days("key", value)

    def byok_key_days(self, value: Days | None) -> ByokByDay | None:
        return None if value is None else self._byok_days("key", value)

    def free_quota(self, reading: Reading[FreeQuota]) -> ReadingPart[FreeQuotaPart] | None:
        return None if reading == Reading() else self.reading(reading, _free_quota)

    def _key(self, key: ApiKey) -> KeyPart:
        return KeyPart(
            f"key-{self._numbers.number('key hash', key.hash)}",
            self._key_names[key.name],
            amount_text(key.total_usd),
            amount_text(key.today_usd),
            amount_text(key.week_usd),
            amount_text(key.month_usd),
            amount_text(key.limit_usd),
            amount_text(key.limit_left_usd),
            key.limit_reset,
            key.disabled,
            key.expired,
            "" if self._masks else key.given_name[:MOST_WORDS],
            self._name("workspace", key.workspace) if key.workspace else "",
            key.last_used_at,
            amount_text(key.byok_usd),
            amount_text(key.byok_today_usd),
            amount_text(key.byok_week_usd),
            amount_text(key.byok_month_usd),
        )

    def _key_name(self, key: ApiKey) -> str:
        """Return the name of a key, with a number in place of the part of the hash that distinguishes keys of one name."""
        if self._masks:
            return self._name("key", key.name)
        if key.given_name and key.name != key.given_name:
            return f"{key.given_name[: MOST_WORDS - 12]} {self._numbers.number('key hash', key.hash)}"
        return key.name[:MOST_WORDS]

    def _days(self, kind: str, days: Days) -> SpendByDay:
        return {day: self._names(kind, names) for day, names in days.items()}

    def _byok_days(self, kind: str, days: Days) -> ByokByDay:
        return {day: rows for day, names in days.items() if (rows := self._byok(kind, names)) != {}}

    def _byok(self, kind: str, spent: Mapping[str, Spend]) -> ByokByName | None:
        """Return the own-key inference of the names that have some, or of which it is unknown; None: it is of all of them."""
        if spent and not any(spend.byok.is_known for spend in spent.values()):
            return None
        parts = {
            self._name(kind, name): spend.byok for name, spend in spent.items() if spend.byok.usd != 0 or spend.byok.lower_bound
        }
        return {name: (amount_text(byok.usd), byok.lower_bound) for name, byok in parts.items()}

    def _names(self, kind: str, spent: Mapping[str, Spend]) -> SpendByName:
        return {self._name(kind, name): _spend(spend) for name, spend in spent.items()}

    def _name(self, kind: str, name: str) -> str:
        if kind == "key" and name in self._key_names:
            return self._key_names[name]
        return f"{kind} {self._numbers.number(kind, name)}" if self._masks else name[:MOST_WORDS]


def _credits(value: Credits) -> CreditsPart:
    return CreditsPart(amount_text(value.total_credits_usd), amount_text(value.total_usage_usd))


def _free_quota(value: FreeQuota) -> FreeQuotaPart:
    return FreeQuotaPart(value.limit, value.used, value.remaining)


def _hours(value: HourlySpend) -> HoursPart:
    hours = sorted(value.usd)
    return HoursPart(hours[0] if hours else value.end, value.end, [amount_text(value.usd[hour]) for hour in hours])


def _samples(snapshot: Snapshot) -> list[SampleRow]:
    return [
        (
            round(each.at.timestamp(), 3),
            round(each.mono_s, 3),
            amount_text(each.total_credits_usd),
            amount_text(each.total_usage_usd),
        )
        for each in snapshot.samples
    ]


def _spend(spend: Spend) -> tuple[str, int, int]:
    return amount_text(spend.usd), spend.requests, spend.tokens


def _words(text: str | None) -> str | None:
    return None if text is None else mask_keys(text)[:MOST_WORDS]
