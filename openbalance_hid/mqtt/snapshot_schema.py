"""The messages of a publisher as types: what may be in them, and the bounds of each value. Pure.

`docs/snapshot.schema.json` is rendered from here. A reader ignores fields that it does not know, so that a field may be added
without a new number; a field that changes its meaning or goes needs one. Amounts are decimal text, instants are ISO 8601 in
UTC, by OpenRouter's clock where that is known.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

FORMAT: Final = "openbalance-hid snapshot"
SCHEMA = 1  # what this program writes
OLDEST_SCHEMA = 1  # what it still reads
EXPIRES_S = 30 * 86400  # a month without a publisher: nothing is left to show
LARGEST_MESSAGE_BYTES = 2 * 1024 * 1024  # a year of 200 models is about half of it

_T = TypeVar("_T")

Usd = Annotated[str, Meta(pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,9})?$", max_length=26)]
Instant = Annotated[datetime, Meta(tz=True)]
Name = Annotated[str, Meta(max_length=300)]
Words = Annotated[str, Meta(max_length=300)]
Count = Annotated[int, Meta(ge=0, le=10**15)]
AnyCount = Annotated[int, Meta(ge=-(10**15), le=10**15)]
Seconds = Annotated[float, Meta(ge=-1e10, le=1e10)]
Identity = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$")]

SpendRow = tuple[Usd, Count, Count]  # USD, requests, tokens
SpendByName = Annotated[dict[Name, SpendRow], Meta(max_length=5000)]
SpendByDay = Annotated[dict[date, SpendByName], Meta(max_length=400)]
# Own-key inference: USD (null: unknown), and whether that is a lower bound. A name that is left out has none; null for a whole
# day or field: unknown of all names. It is beside the rows, which have a fixed length in every version.
ByokRow = tuple[Usd | None, bool]
ByokByName = Annotated[dict[Name, ByokRow], Meta(max_length=5000)]
ByokByDay = Annotated[dict[date, ByokByName | None], Meta(max_length=400)]
SampleRow = tuple[Seconds, Seconds, Usd, Usd]  # seconds since 1970, monotonic seconds, credits bought, credits used
HealthWord = Literal[
    "preparing", "no_key", "not_management_key", "key_rejected", "offline", "rate_limited", "server_error", "ok"
]

SummaryNames = Annotated[tuple[Annotated[str, Meta(max_length=40)], ...], Meta(max_length=20)]
SpikeWord = Literal["preparing", "gathering", "normal", "spike", "critical"]


class MessageHead(Struct, frozen=True):
    """The part that every schema has, and that is read first."""

    format: str = ""
    schema: int = 0


class PublisherIdentity(Struct, frozen=True):
    """This program, for readers and other publishers. `id`: 16 hex digits, random at each start."""

    id: str
    started_at: datetime  # aware UTC, by the local clock
    version: str
    host: str


class PublisherPart(Struct, frozen=True):
    """The program that publishes. `id`: random at each start; of two publishers, the one with the later start wins."""

    id: Identity
    started_at: Instant
    version: Annotated[str, Meta(max_length=40)] = ""
    host: Annotated[str, Meta(max_length=64)] | None = None


class PublisherHead(MessageHead, frozen=True):
    """The head with the publisher: enough for another publisher."""

    publisher: PublisherPart | None = None


class SummaryPart(Struct, frozen=True):
    """The present values for programs that compute nothing, as Home Assistant. Null: unknown."""

    balance_usd: Usd | None = None
    today_usd: Usd | None = None
    month_usd: Usd | None = None
    burn_usd_per_hour: Usd | None = None
    spike: SpikeWord = "preparing"
    problem: bool = False
    problem_text: Words | None = None
    byok_today_usd: Usd | None = None  # own-key (BYOK) cost, in no other amount
    lower_bounds: SummaryNames = ()  # amounts that may be larger
    approximate: SummaryNames = ()  # amounts that may be smaller or larger


class ReadingPart(Struct, Generic[_T], frozen=True):
    """The last good answer of an endpoint, and how its last request ended."""

    value: _T | None = None
    measured_at: Instant | None = None
    health: HealthWord = "preparing"
    message: Words | None = None
    dropped_rows: Count = 0


class CreditsPart(Struct, frozen=True):
    """USD bought and used."""

    total_credits_usd: Usd
    total_usage_usd: Usd


class ActivityPart(Struct, frozen=True):
    """Completed UTC days."""

    by_model: SpendByDay
    by_provider: SpendByDay
    byok_by_model: ByokByDay | None = None
    byok_by_provider: ByokByDay | None = None


class DayPart(Struct, frozen=True):
    """One UTC day so far."""

    day: date
    by_model: SpendByName
    by_provider: SpendByName
    truncated: bool = False
    cached_at: Instant | None = None
    byok_by_model: ByokByName | None = None
    byok_by_provider: ByokByName | None = None


class WindowPart(Struct, frozen=True):
    """Spend between two moments."""

    start: Instant
    end: Instant
    by_model: SpendByName
    truncated: bool = False


class HoursPart(Struct, frozen=True):
    """Spend of consecutive UTC hours from `first` on; the last one is known up to `end`."""

    first: Instant
    end: Instant
    usd: Annotated[list[Usd], Meta(max_length=100)]


class FreeQuotaPart(Struct, frozen=True):
    """Requests to free models in a UTC day. Null: not reported."""

    limit: AnyCount | None = None
    used: AnyCount | None = None
    remaining: AnyCount | None = None


class KeyPart(Struct, frozen=True):
    """One API key. `id`: of this publisher's life; neither the key nor its hash."""

    id: Annotated[str, Meta(pattern=r"^key-[0-9]{1,6}$")]
    name: Name
    total_usd: Usd
    today_usd: Usd | None = None
    week_usd: Usd | None = None
    month_usd: Usd | None = None
    limit_usd: Usd | None = None
    limit_left_usd: Usd | None = None
    limit_reset: Annotated[str, Meta(max_length=20)] | None = None
    disabled: bool = False
    expired: bool = False
    given_name: Name = ""
    workspace: Name = ""
    last_used_at: Instant | None = None
    byok_usd: Usd | None = None
    byok_today_usd: Usd | None = None
    byok_week_usd: Usd | None = None
    byok_month_usd: Usd | None = None


class SnapshotMessage(Struct, frozen=True):
    """One account at one moment. `sent_at` and `mono_s`: the publisher's two clocks when it was sent.

    `expires_s`: how long the broker keeps it. MQTT 5 reports what is left of that, so that a reader knows the age
    of the message by the broker's clock alone.
    """

    format: Literal["openbalance-hid snapshot"]
    schema: int
    publisher: PublisherPart
    sent_at: Instant
    mono_s: Seconds
    expires_s: Annotated[int, Meta(ge=60, le=31 * 86400)]
    interval_s: Annotated[float, Meta(ge=10, le=86400)]
    summary: SummaryPart
    credits: ReadingPart[CreditsPart]
    activity: ReadingPart[ActivityPart]
    today: ReadingPart[DayPart]
    yesterday: ReadingPart[DayPart]
    keys: ReadingPart[Annotated[list[KeyPart], Meta(max_length=5000)]]
    key_days: ReadingPart[SpendByDay]
    window: ReadingPart[WindowPart]
    samples: Annotated[list[SampleRow], Meta(max_length=20000)]
    health: HealthWord = "preparing"
    message: Words | None = None
    masked: bool = False
    wrong_clock: bool = False
    prepaid: bool | None = None
    budget_usd: Usd | None = None
    next_poll_at: Instant | None = None
    hours: ReadingPart[HoursPart] | None = None
    byok_key_days: ByokByDay | None = None  # of `key_days`
    free_quota: ReadingPart[FreeQuotaPart] | None = None  # null: no tile of the publisher shows it


class AvailabilityMessage(Struct, frozen=True):
    """Whether the publisher `id` is running."""

    state: Literal["online", "offline"]
    id: Identity


class RivalMessage(Struct, frozen=True):
    """A report to the other publishers of an account: the one that started earlier, `publisher`, gives way to `winner`."""

    publisher: PublisherPart
    winner: Identity


def decoded(payload: bytes, kind: type[_T]) -> _T | None:
    """Return a received message as its type; None for one that is not of this type."""
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # RecursionError: nested too deeply
        return None
