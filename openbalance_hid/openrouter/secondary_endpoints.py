"""The endpoints beside `/credits`: completed days, today, hours, keys, days by key, the last 24 hours, names of models.

Each has its own schedule, health and backoff, so that a failure of one never blanks another. They hold no Snapshot: one goes
in, and one with the new answers comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Protocol, TypeVar

from msgspec.structs import replace

from openbalance_hid.account.burn import lacks_hours
from openbalance_hid.account.byok import uses_own_keys
from openbalance_hid.account.counter import epoch
from openbalance_hid.account.days import joined, with_key
from openbalance_hid.account.leaders import is_leader_known
from openbalance_hid.account.snapshot import ApiKey, Days, Health, Reading, Snapshot, Today
from openbalance_hid.account.spend import is_incomplete
from openbalance_hid.account.spike import Level, SpikeRule, judge
from openbalance_hid.account.utc_days import server_shift, utc_now
from openbalance_hid.errors import ApiError, ServerError, TooLargeError
from openbalance_hid.openrouter import cadence
from openbalance_hid.openrouter.cadence import RequestOutcome
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.model_slugs import has_unknown_name, renamed, slugs_by_spelling
from openbalance_hid.openrouter.outcome import SUCCESS, RequestResult, reading_after, result_of
from openbalance_hid.openrouter.request_limits import INTERVAL_S, Backoffs, RequestAllowance
from openbalance_hid.openrouter.workspace_keys import WorkspaceKeys

WINDOW_HOURS = timedelta(hours=24)  # the default window of the spike rule, requested by model during a spike
MODELS_GAP = timedelta(days=1)
MODELS_RETRY = timedelta(hours=6)
TOO_LARGE_GAP_S = 86_400.0  # also by hand
BAD_REQUEST = 400  # HTTP
KEYS_FIRST_ROUND, KEYS_A_ROUND = 3, 2  # keys a day: an answer holds 30 days, so the others lose nothing while they wait
# The models of a spike are requested once an hour, whatever else was: they are what the user wants to know then. The spend by
# hour is requested for a gap of the samples: polls were not sent meanwhile.
_COUNTED = ("activity", "today", "keys", "key days", "models")
_SAME_ROWS = ("activity", "key days")  # of all keys, and of one, which may have all of them

_T = TypeVar("_T")


class PollClock(Protocol):
    """Both clocks: aware UTC for people and days, monotonic seconds for decisions."""

    def utc(self) -> datetime: ...
    def mono(self) -> float: ...


class SecondaryEndpoints:
    """Decides which endpoints are due, and requests them. For one thread."""

    def __init__(self, clock: PollClock, backoffs: Backoffs) -> None:
        self._clock = clock
        self._backoffs = backoffs
        self._requested_at: dict[str, datetime] = {}  # by endpoint, in the server's time (`_server_now`)
        self._usage_at_answer: dict[str, Decimal] = {}  # by endpoint: `total_usage` at its last good answer
        self._key_totals: dict[str, Decimal] = {}  # by key hash: its total when its days were requested
        self._is_by_hand = False  # the poll that runs now
        self._epoch_at_request: datetime | None = None  # of the spend counter, at the last request of today
        self._shift = timedelta()  # from the local clock to the server's, in the same poll
        self._keys = WorkspaceKeys()
        self._keys_calls = 1  # requests for the last list of keys
        self._allowance = RequestAllowance(INTERVAL_S)
        self._is_first = True  # no poll of this account has ended
        self.wants_free_quota = False  # a tile shows it; set by any thread
        self._refused_providers_on: date | None = None  # the day on which the analytics query refused them
        # In the order of the requests. Each has its own question of whether it is due.
        self._endpoints: dict[str, tuple[_IsDue, _Request]] = {
            "activity": (self._activity_due, self._request_activity),
            "today": (self._today_due, self._request_today),
            "hours": (self._hours_due, self._request_hours),
            "keys": (self._keys_due, self._request_keys),
            "key days": (self._key_days_due, self._request_key_days),
            "window": (self._window_due, self._request_window),
            "free quota": (self._free_quota_due, self._request_free_quota),
            "models": (self._models_due, self._request_models),  # last: the names are in the answers before
        }

    def use_account(self, known: Snapshot) -> None:
        """Start with another account; `known` holds what is remembered of it."""
        self._requested_at.clear()
        self._usage_at_answer.clear()
        self._key_totals.clear()
        self._keys = WorkspaceKeys()
        self._allowance, self._is_first = RequestAllowance(known.interval_s), True
        self._refused_providers_on = None
        self._epoch_at_request = epoch(known)
        self.remember(known)

    def remember(self, known: Snapshot) -> None:
        """Note when the remembered answers were requested; endpoints that were requested since stay as they are."""
        remembered: tuple[tuple[str, Reading[Any]], ...] = (
            ("activity", known.activity),
            ("today", known.today),
            ("key days", known.key_days),
            ("models", known.models),
        )
        for endpoint, reading in remembered:
            if reading.value is not None and reading.measured_at is not None:
                self._requested_at.setdefault(endpoint, reading.measured_at)

    def make_all_due(self) -> None:
        """Forget when each was requested: the clock that measured it was set back."""
        self._requested_at.clear()

    def any_due(self, known: Snapshot, by_hand: bool) -> bool:
        """Return whether `request_due` would send a request."""
        return any(self._is_due(endpoint, known, by_hand) for endpoint in self._endpoints)

    def request_due(
        self, client: Client, known: Snapshot, by_hand: bool, keep_going: Callable[[], bool]
    ) -> tuple[Snapshot, RequestResult]:
        """Return the snapshot with new answers of the endpoints that are due, and the result of `/activity`.

        Stops at the first one that finds the network gone. `by_hand`: the user wants fresh values now.
        """
        activity = SUCCESS
        self._is_by_hand = by_hand
        self._shift = server_shift(known)
        for endpoint, (_, request) in self._endpoints.items():
            if not keep_going():
                break
            if not self._is_due(endpoint, known, by_hand):
                continue
            calls_before = client.calls
            known, result = request(client, known)
            if self._is_counted(endpoint, by_hand) and result.outcome is RequestOutcome.OK:
                self._allowance.note(self._server_now(known), client.calls - calls_before)
            if endpoint == "activity":
                activity = result
            if result.outcome is RequestOutcome.OFFLINE:
                break
        self._is_first = False
        return known, activity

    def _is_due(self, endpoint: str, known: Snapshot, by_hand: bool) -> bool:
        is_due, _ = self._endpoints[endpoint]
        cost = self._cost(endpoint, known)
        if self._is_counted(endpoint, by_hand) and not self._allowance.has_room(self._server_now(known), cost):
            return False
        return self._clock.mono() >= self._backoffs.until_s(endpoint) and is_due(known, by_hand)

    def _is_counted(self, endpoint: str, by_hand: bool) -> bool:
        """Return whether a request now is one of the requests that a day may have."""
        return endpoint in _COUNTED and not (by_hand or self._is_first)

    def _cost(self, endpoint: str, known: Snapshot) -> int:
        """Return how many requests must be left of the day. One is kept for today after a reset."""
        if endpoint == "today" and epoch(known) != self._epoch_at_request:
            return 1
        return 1 + {"keys": self._keys_calls, "key days": KEYS_A_ROUND}.get(endpoint, 1)

    # --- one endpoint each -------------------------------------------------------------------------------------------

    def _activity_due(self, known: Snapshot, by_hand: bool) -> bool:
        answered_at = self._requested_at.get("activity")
        now = self._server_now(known)
        incomplete = is_incomplete(known, now.date() - timedelta(days=1))
        return by_hand or cadence.activity_due(now, answered_at, _failed(known.activity), incomplete, known.interval_s)

    def _request_activity(self, client: Client, known: Snapshot) -> tuple[Snapshot, RequestResult]:
        now, reading = self._server_now(known), known.activity
        reading, result = self._read(client, "activity", reading, lambda: joined(reading.value, client.activity()))
        if result.outcome is RequestOutcome.OK:
            self._requested_at["activity"] = now
        return replace(known, activity=reading), result

    def _today_due(self, known: Snapshot, by_hand: bool) -> bool:
        now, requested_at, credits_ = self._server_now(known), self._requested_at.get("today"), known.credits.value
        has_spent = credits_ is None or _failed(known.credits) or credits_.total_usage_usd != self._usage_at_answer.get("today")
        has_spent = has_spent or uses_own_keys(known, self._clock.utc())  # which the counter does not show
        was_reset = epoch(known) != self._epoch_at_request
        leader_is_known = is_leader_known(known, self._clock.utc())
        return by_hand or cadence.today_due(
            now, requested_at, has_spent, known.interval_s, _failed(known.today), was_reset, leader_is_known
        )

    def _request_today(self, client: Client, known: Snapshot) -> tuple[Snapshot, RequestResult]:
        now = self._requested_at["today"] = self._server_now(known)
        self._epoch_at_request = epoch(known)
        slugs = known.models.value or {}
        reading, result = self._read(client, "today", known.today, lambda: _with_slugs(self._today(client, now), slugs))
        if result.outcome is RequestOutcome.OK and known.credits.value is not None:
            self._usage_at_answer["today"] = known.credits.value.total_usage_usd
        is_new_day = reading.value is not None and known.today.value is not None and known.today.value.day < reading.value.day
        return replace(known, today=reading, yesterday=known.today if is_new_day else known.yesterday), result

    def _today(self, client: Client, now: datetime) -> Today:
        """Return today's spend. The query language is young: a refusal of providers and tokens must not cost the models."""
        if self._refused_providers_on != now.date():
            try:
                return client.today(now)
            except ServerError as error:
                if error.status != BAD_REQUEST:
                    raise
                self._refused_providers_on = now.date()
        return client.today(now, with_providers=False)

    def _hours_due(self, known: Snapshot, by_hand: bool) -> bool:  # noqa: ARG002
        now = self._server_now(known)
        is_due = cadence.hours_due(now, self._requested_at.get("hours")) and not _failed(known.today)  # the same path
        return is_due and lacks_hours(known, now)

    def _request_hours(self, client: Client, known: Snapshot) -> tuple[Snapshot, RequestResult]:
        now = self._requested_at["hours"] = self._server_now(known)
        reading, result = self._read(client, "hours", known.hours, lambda: client.hours(now))
        return replace(known, hours=reading), result

    def _keys_due(self, known: Snapshot, by_hand: bool) -> bool:
        now, requested_at, failed = self._server_now(known), self._requested_at.get("keys"), _failed(known.keys)
        requests = 1 if failed else self._keys_calls
        return by_hand or cadence.keys_due(now, requested_at, known.interval_s, requests, failed)

    def _request_keys(self, client: Client, known: Snapshot) -> tuple[Snapshot, RequestResult]:
        now = self._requested_at["keys"] = self._server_now(known)
        of_all = self._is_by_hand or self._is_first
        self._keys.list_workspaces(client, now, self._is_by_hand)
        calls_before = client.calls
        reading, result = self._read(
            client, "keys", known.keys, lambda: self._keys.request_keys(client, known.keys.value or (), now, of_all)
        )
        self._keys_calls = client.calls - calls_before
        if self._keys.missing and result.outcome is RequestOutcome.OK:
            reading = replace(reading, message=self._keys.missing)
        return replace(known, keys=reading), result

    def _key_days_due(self, known: Snapshot, by_hand: bool) -> bool:  # noqa: ARG002  once a day, also by hand
        return bool(known.keys.value) and cadence.key_days_due(self._server_now(known), self._requested_at.get("key days"))

    def _request_key_days(self, client: Client, known: Snapshot) -> tuple[Snapshot, RequestResult]:
        now, result, keys, days = self._server_now(known), SUCCESS, known.keys.value or (), known.key_days.value or {}
        names = frozenset(key.name for key in keys)
        for key in self._next_keys(keys, days):
            reading, result = self._read(
                client, "key days", known.key_days, partial(_days_with, client, days, key, now.date(), names)
            )
            known = replace(known, key_days=reading)
            if result.outcome is not RequestOutcome.OK:
                return known, result  # the next poll starts the round again
            days = reading.value or {}
            self._key_totals[key.hash] = key.total_usd
        self._requested_at["key days"] = now
        return known, result

    def _window_due(self, known: Snapshot, by_hand: bool) -> bool:  # noqa: ARG002
        spike = judge(known, self._clock.utc(), SpikeRule()).level >= Level.SPIKE
        return spike and cadence.window_due(self._server_now(known), self._requested_at.get("window"), known.interval_s)

    def _request_window(self, client: Client, known: Snapshot) -> tuple[Snapshot, RequestResult]:
        end = self._server_now(known)
        self._requested_at["window"] = end
        reading, result = self._read(client, "window", known.window, lambda: client.window(end - WINDOW_HOURS, end))
        if reading.value is not None:
            by_model = renamed(reading.value.by_model, known.models.value or {})
            reading = replace(reading, value=replace(reading.value, by_model=by_model))
        return replace(known, window=reading), result

    def _free_quota_due(self, known: Snapshot, by_hand: bool) -> bool:
        now, requested_at = self._server_now(known), self._requested_at.get("free quota")
        return self.wants_free_quota and (by_hand or cadence.free_quota_due(now, requested_at, known.interval_s))

    def _request_free_quota(self, client: Client, known: Snapshot) -> tuple[Snapshot, RequestResult]:
        self._requested_at["free quota"] = self._server_now(known)
        reading, result = self._read(client, "free quota", known.free_quota, lambda: client.key_info().free_quota)
        return replace(known, free_quota=reading), result

    def _models_due(self, known: Snapshot, by_hand: bool) -> bool:  # noqa: ARG002  once a day, also by hand
        gap = MODELS_RETRY if _failed(known.models) else MODELS_GAP
        requested_at, now = self._requested_at.get("models"), self._server_now(known)
        is_due = requested_at is None or not timedelta(0) <= now - requested_at < gap
        return is_due and has_unknown_name(known)

    def _request_models(self, client: Client, known: Snapshot) -> tuple[Snapshot, RequestResult]:
        self._requested_at["models"] = self._server_now(known)
        reading, result = self._read(client, "models", known.models, lambda: slugs_by_spelling(client.model_names()))
        known, slugs = replace(known, models=reading), reading.value or {}
        if known.today.value is not None:
            known = replace(known, today=replace(known.today, value=_with_slugs(known.today.value, slugs)))
        if known.window.value is not None:
            window = replace(known.window.value, by_model=renamed(known.window.value.by_model, slugs))
            known = replace(known, window=replace(known.window, value=window))
        return known, result

    # --- shared ------------------------------------------------------------------------------------------------------

    def _read(
        self, client: Client, endpoint: str, before: Reading[_T], request: Callable[[], _T]
    ) -> tuple[Reading[_T], RequestResult]:
        dropped_before = client.dropped_rows
        try:
            value, result = request(), SUCCESS
        except ApiError as error:
            value, result = None, result_of(error)
            if isinstance(error, TooLargeError):  # downloading it again and again would cost gigabytes a day
                result = replace(result, outcome=RequestOutcome.USER, retry_after_s=TOO_LARGE_GAP_S)
                for other in _SAME_ROWS if endpoint in _SAME_ROWS else ():
                    self._backoffs.note(other, result, self._clock.mono())
        self._backoffs.note(endpoint, result, self._clock.mono())
        return reading_after(
            before, result, value, self._clock.utc() + self._shift, client.dropped_rows - dropped_before
        ), result

    def _next_keys(self, keys: tuple[ApiKey, ...], days: Days) -> list[ApiKey]:
        """Return keys that have spent since their days were requested, those with the oldest known days first."""
        spent = [key for key in keys if key.total_usd > 0 and self._key_totals.get(key.hash) != key.total_usd]
        newest = {name: day for day in sorted(days) for name in days[day]}
        return sorted(spent, key=lambda key: (newest.get(key.name, date.min), -key.total_usd))[
            : KEYS_A_ROUND if days or self._key_totals else KEYS_FIRST_ROUND
        ]

    def _server_now(self, known: Snapshot) -> datetime:
        """Return the time that UTC days follow."""
        return utc_now(known, self._clock.utc())


_IsDue = Callable[[Snapshot, bool], bool]
_Request = Callable[[Client, Snapshot], tuple[Snapshot, RequestResult]]


def _failed(reading: Reading[_T]) -> bool:
    return reading.health not in (Health.OK, Health.PREPARING)


def _with_slugs(today: Today, slugs: Mapping[str, str]) -> Today:
    return replace(today, by_model=renamed(today.by_model, slugs))


def _days_with(client: Client, days: Days, key: ApiKey, today: date, names: frozenset[str]) -> Days:
    return with_key(days, key.name, client.activity(key.hash), today, names)
