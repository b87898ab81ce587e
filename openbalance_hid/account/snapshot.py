"""Everything known about one account at one moment, as frozen values. Pure.

The poller makes a `Snapshot`; tiles, alerts and `status` read it. Nothing here computes: amounts and trends are in `spend`,
models in `leaders`, the spike rule in `spike`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Generic, TypeVar

from msgspec import Struct, field

from openbalance_hid.account.amount import NOTHING, UNKNOWN, Amount

_T = TypeVar("_T")


class Health(Enum):
    """The result of the last request to OpenRouter; `status --json` prints these values."""

    PREPARING = "preparing"
    NO_KEY = "no_key"
    NOT_MANAGEMENT_KEY = "not_management_key"
    KEY_REJECTED = "key_rejected"
    OFFLINE = "offline"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    OK = "ok"


KEY_TROUBLES = (Health.NO_KEY, Health.NOT_MANAGEMENT_KEY, Health.KEY_REJECTED)  # nothing changes until the user acts


class Reading(Struct, Generic[_T], frozen=True):
    """The last good answer of one endpoint, and the result of the last request. A failure never replaces a value."""

    value: _T | None = None
    measured_at: datetime | None = None  # aware UTC, of the last good answer
    health: Health = Health.PREPARING  # of the last request
    message: str | None = None  # of the last failure, from the server or the system
    dropped_rows: int = 0  # rows of the last good answer that could not be read and are in no sum


class Credits(Struct, frozen=True):
    """`GET /credits`. USD. The balance may be negative."""

    total_credits_usd: Decimal
    total_usage_usd: Decimal

    @property
    def balance_usd(self) -> Decimal:
        return self.total_credits_usd - self.total_usage_usd


class Sample(Struct, frozen=True):
    """One good answer of `GET /credits`, for the spend counter."""

    at: datetime  # aware UTC
    mono_s: float  # the monotonic clock at the same moment, seconds; only differences have a meaning
    total_credits_usd: Decimal
    total_usage_usd: Decimal


class Spend(Struct, frozen=True, gc=False):  # thousands of them, none in a cycle
    """The spend of one model, provider, key or day. `usd`: of credits, without own-key inference.

    `byok`: own-key (BYOK) inference, which the provider bills and which costs no credits. No other amount includes it.
    """

    usd: Decimal = Decimal(0)
    requests: int = 0
    tokens: int = 0  # prompt + completion; reasoning and cached tokens are parts of these

    byok: Amount = UNKNOWN

    def __add__(self, other: Spend) -> Spend:
        # Nearly all have none, and need no sum.
        byok = self.byok if other.byok is NOTHING else other.byok if self.byok is NOTHING else self.byok + other.byok
        return Spend(self.usd + other.usd, self.requests + other.requests, self.tokens + other.tokens, byok)


ZERO_SPEND = Spend(byok=NOTHING)  # to start a sum with


Days = Mapping[date, Mapping[str, Spend]]  # completed UTC day -> name of a model, provider or key -> spend


class Activity(Struct, frozen=True):
    """`GET /activity`, added up over endpoints: completed UTC days only, never today.

    A day that is missing from `by_model` had no spend if it lies between the oldest and `newest`; later days are unknown.
    """

    by_model: Days = field(default_factory=dict)  # models by their slug
    by_provider: Days = field(default_factory=dict)

    @property
    def newest(self) -> date | None:
        return max(self.by_model, default=None)


class Today(Struct, frozen=True):
    """Spend since UTC midnight by model, from the analytics query.

    Models are named by their slug; one that `GET /models` does not have keeps its display name.
    """

    day: date
    by_model: Mapping[str, Spend]
    truncated: bool = False  # rows are missing: sums are lower bounds
    by_provider: Mapping[str, Spend] = field(default_factory=dict)  # empty: not in the answer
    cached_at: datetime | None = None  # aware UTC: when the server computed the answer, where that was before the request

    @property
    def usd(self) -> Decimal:
        return sum((spend.usd for spend in self.by_model.values()), Decimal(0))


class Window(Struct, frozen=True):
    """Spend from `start` to `end` by model, from the analytics query: the source for the model that drives a spike."""

    start: datetime  # aware UTC
    end: datetime
    by_model: Mapping[str, Spend]  # named as in `Today`
    truncated: bool = False


class HourlySpend(Struct, frozen=True):
    """Spend of each UTC hour before `end`, from the analytics query, which may lag: for hours that no samples cover."""

    end: datetime  # aware UTC; the last hour is known up to here
    usd: Mapping[datetime, Decimal]  # start of the hour → USD of credits; consecutive


class ApiKey(Struct, frozen=True):
    """One row of `GET /keys`: an inference key at the time of the answer. USD of credits; None: not in the answer.

    Spend of deleted keys and of the chat room is in none of them.
    """

    hash: str
    name: str  # unique within one answer
    total_usd: Decimal
    today_usd: Decimal | None = None  # this UTC day
    week_usd: Decimal | None = None  # since Monday, UTC
    month_usd: Decimal | None = None  # since the first, UTC
    limit_usd: Decimal | None = None  # None: no limit
    limit_left_usd: Decimal | None = None
    limit_reset: str | None = None  # "daily", "weekly", "monthly"; None: never
    disabled: bool = False  # or expired
    expired: bool = False
    given_name: str = ""  # as the user wrote it: several keys may have the same one
    workspace: str = ""  # its name; empty: not known
    last_used_at: datetime | None = None  # aware UTC; None: never, or not since the end of 2025
    byok_usd: Decimal | None = None  # own-key inference, in none of the amounts above; ever, and of the same periods
    byok_today_usd: Decimal | None = None
    byok_week_usd: Decimal | None = None
    byok_month_usd: Decimal | None = None


class OriginProblem(Enum):
    """Why the latest message of a publisher cannot be used."""

    NEWER = "newer"  # its schema is newer than this program
    OLDER = "older"  # its schema is older than this program reads
    FOREIGN = "foreign"  # another program's message, or one that cannot be read


class Origin(Struct, frozen=True):
    """Where a snapshot comes from that this machine has no key for: another machine, through a broker.

    `prepaid` and `budget_usd`: of the account, as they are configured on that machine.
    """

    host: str | None = None  # None: not in the message, or masked
    started_at: datetime | None = None  # of the publisher
    masked: bool = False  # names of models, providers and keys are replaced
    problem: OriginProblem | None = None
    prepaid: bool | None = None
    budget_usd: Decimal | None = None


class FreeQuota(Struct, frozen=True):
    """Requests to free models in a UTC day, from `GET /key`. None: not in the answer."""

    limit: int | None = None
    used: int | None = None
    remaining: int | None = None

    @property
    def left(self) -> int | None:
        """What is left, never below 0."""
        if self.remaining is not None:
            return max(0, self.remaining)
        return None if self.limit is None or self.used is None else max(0, self.limit - self.used)

    @property
    def used_share(self) -> float | None:
        """The used part of the limit, 0 to 1; a limit of 0 is used up."""
        if self.limit is None or self.left is None:
            return None
        return 1.0 if self.limit <= 0 else min(1.0, max(0.0, 1 - self.left / self.limit))


class Snapshot(Struct, frozen=True):
    """One account at one moment."""

    account: str
    started_at: datetime  # aware UTC: the start of this account's polling; another start is another account
    interval_s: float  # the refresh interval
    health: Health = Health.PREPARING  # of the account as a whole: the key, the connection, `/credits`
    message: str | None = None
    key_hint: str | None = None  # the last four characters
    credits: Reading[Credits] = field(default_factory=Reading)
    activity: Reading[Activity] = field(default_factory=Reading)
    today: Reading[Today] = field(default_factory=Reading)
    yesterday: Reading[Today] = field(default_factory=Reading)  # the last answer about the UTC day before that of `today`
    keys: Reading[tuple[ApiKey, ...]] = field(default_factory=Reading)
    key_days: Reading[Days] = field(default_factory=Reading)
    window: Reading[Window] = field(default_factory=Reading)  # requested only during a spike
    hours: Reading[HourlySpend] = field(default_factory=Reading)  # requested where samples leave a gap
    free_quota: Reading[FreeQuota] = field(default_factory=Reading)  # requested only while a tile shows it
    models: Reading[Mapping[str, str]] = field(default_factory=Reading)  # display name or other spelling -> slug
    wrong_clock: bool = False  # offline, because a certificate is not valid at this machine's time
    prepaid: bool | None = None  # the user's `prepaid` of the account; None: found out from the credits
    budget_usd: Decimal | None = None  # the user's budget of a UTC month
    samples: tuple[Sample, ...] = ()  # oldest first
    next_poll_at: datetime | None = None
    refreshing: bool = False  # published during a poll, before its end
    polls: int = 0  # finished poll cycles since the start
    api_calls: int = 0
    server_skew_s: float | None = None  # server's Date minus the local clock, seconds; None: not known
    origin: Origin | None = None  # None: this machine has the key
    recalling: bool = False  # what is remembered of the account, its alerts too, is still being read


def is_apart(snapshot: Snapshot) -> bool:
    """Return whether the account comes from another machine that cannot be reached now."""
    return snapshot.origin is not None and snapshot.health is Health.OFFLINE
