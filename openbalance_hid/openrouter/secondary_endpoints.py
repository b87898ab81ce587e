"""The questions that the balance does without: completed days, today by model, keys, the window of a spike.

Each has its own cadence, its own health and its own pause, so that none can blank another. Owns no snapshot: one goes in, one
with the answers in it comes out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Protocol, TypeVar

from msgspec.structs import replace

from openbalance_hid.account.days import joined, with_key
from openbalance_hid.account.snapshot import Activity, ApiKey, Days, Health, Reading, Snapshot
from openbalance_hid.account.spike import Level, SpikeRule, judge
from openbalance_hid.errors import ApiError, ServerError
from openbalance_hid.openrouter import cadence
from openbalance_hid.openrouter.cadence import RequestOutcome
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.outcome import GOOD, Backoffs, PollOutcome, reading_after, verdict_on

SKEW_TRUSTED_S = 120.0  # beyond it, days are the server's and not the local clock's
WATCHED = timedelta(hours=24)  # the window of a spike that is asked by model
KEYS_A_ROUND = 3  # whose days are asked: an answer holds 30 of them, so that nothing is lost while the others wait

Value = TypeVar("Value")


class Clock(Protocol):
    """Both clocks: aware UTC for people and days, monotonic seconds for decisions."""

    def utc(self) -> datetime: ...
    def mono(self) -> float: ...


class SecondaryEndpoints:
    """When each was answered last; for one thread."""

    def __init__(self, clock: Clock, pauses: Backoffs) -> None:
        self._clock = clock
        self._pauses = pauses
        self._tried_at: dict[str, datetime] = {}  # by endpoint, by the clock that days are told by
        self._asked_usage: dict[str, Decimal] = {}  # by endpoint: `total_usage` at its last good answer
        self._key_totals: dict[str, Decimal] = {}  # hash -> its total when its days were asked

    def begin(self, known: Snapshot) -> None:
        """Another key, or the first one: `known` is what is remembered of its account."""
        self._tried_at.clear()
        self._asked_usage.clear()
        self._key_totals.clear()
        for endpoint, reading in (("activity", known.activity), ("today", known.today), ("key days", known.key_days)):
            if reading.value is not None and reading.measured_at is not None:
                self._tried_at[endpoint] = reading.measured_at

    def doubt(self) -> None:
        """The clock was set back over what it had timed: everything is due."""
        self._tried_at.clear()

    def ask(self, client: Client, known: Snapshot, by_hand: bool, going: Callable[[], bool]) -> tuple[Snapshot, PollOutcome]:
        """The snapshot with what is due asked, and how `/activity` went. Once the way there is lost, nothing more is tried."""
        known, verdict = self._activity(client, known, by_hand)
        last = verdict
        for question in (self._today, self._keys, self._days_by_key, self._window):
            if last.outcome is RequestOutcome.OFFLINE or not going():
                break
            known, last = question(client, known, by_hand)
        return known, verdict

    # --- one question each ---------------------------------------------------------------------------------------------

    def _activity(self, client: Client, known: Snapshot, by_hand: bool) -> tuple[Snapshot, PollOutcome]:
        now, reading = self._days_now(known), known.activity
        due = by_hand or cadence.activity_due(now, self._tried_at.get("activity"), _failed(reading))
        if self._held("activity") or not due:
            return known, GOOD if reading.health is Health.OK else PollOutcome(RequestOutcome.OK, reading.health)
        reading, verdict = self._read("activity", reading, lambda: joined(known.activity.value, _come(client.activity(), now)))
        if verdict.outcome is RequestOutcome.OK:
            self._tried_at["activity"] = now
        return replace(known, activity=reading), verdict

    def _today(self, client: Client, known: Snapshot, by_hand: bool) -> tuple[Snapshot, PollOutcome]:
        now = self._days_now(known)
        spent = self._has_spent("today", known)
        if self._held("today") or not (
            by_hand or cadence.today_due(now, self._tried_at.get("today"), spent, known.interval_s, _failed(known.today))
        ):
            return known, GOOD
        reading, verdict = self._read("today", known.today, lambda: client.today(now))
        self._note("today", known, now, verdict)
        return replace(known, today=reading), verdict

    def _keys(self, client: Client, known: Snapshot, by_hand: bool) -> tuple[Snapshot, PollOutcome]:
        now, reading = self._days_now(known), known.keys
        pages = -(-len(reading.value or ()) // 100)
        due = by_hand or cadence.keys_due(now, self._tried_at.get("keys"), known.interval_s, pages, _failed(reading))
        if self._held("keys") or not due:
            return known, GOOD
        reading, verdict = self._read("keys", reading, client.keys)
        self._note("keys", known, now, verdict)
        return replace(known, keys=reading), verdict

    def _days_by_key(self, client: Client, known: Snapshot, by_hand: bool) -> tuple[Snapshot, PollOutcome]:  # noqa: ARG002
        now = self._days_now(known)
        if self._held("key days") or not cadence.key_days_due(now, self._tried_at.get("key days")) or not known.keys.value:
            return known, GOOD
        last, days = GOOD, known.key_days.value or {}
        names = frozenset(key.name for key in known.keys.value)
        for key in self._next_keys(known.keys.value, days):
            reading, last = self._read("key days", known.key_days, partial(_days_with, client, days, key, now.date(), names))
            known = replace(known, key_days=reading)
            if last.outcome is not RequestOutcome.OK:
                break  # the next poll begins the round again
            days = reading.value or {}
            self._key_totals[key.hash] = key.total_usd
        else:
            self._tried_at["key days"] = now
        return known, last

    def _window(self, client: Client, known: Snapshot, by_hand: bool) -> tuple[Snapshot, PollOutcome]:  # noqa: ARG002
        now = self._clock.utc()
        high = judge(known, now, SpikeRule()).level >= Level.SPIKE
        if self._held("window") or not (high and cadence.window_due(now, self._tried_at.get("window"), known.interval_s)):
            return known, GOOD
        end = self._days_now(known)
        reading, verdict = self._read("window", known.window, lambda: client.window(end - WATCHED, end))
        self._tried_at["window"] = now
        return replace(known, window=reading), verdict

    # --- what they share -----------------------------------------------------------------------------------------------

    def _read(self, endpoint: str, reading: Reading[Value], ask: Callable[[], Value]) -> tuple[Reading[Value], PollOutcome]:
        try:
            value, verdict = ask(), GOOD
        except ApiError as error:
            value, verdict = None, verdict_on(error)
        self._pauses.note(endpoint, verdict, self._clock.mono())
        return reading_after(reading, verdict, value, self._clock.utc()), verdict

    def _note(self, endpoint: str, known: Snapshot, now: datetime, verdict: PollOutcome) -> None:
        self._tried_at[endpoint] = now
        if verdict.outcome is RequestOutcome.OK and known.credits.value is not None:
            self._asked_usage[endpoint] = known.credits.value.total_usage_usd

    def _has_spent(self, endpoint: str, known: Snapshot) -> bool:
        """Whether the counter has moved since the last good answer."""
        credits_ = known.credits.value
        return credits_ is None or credits_.total_usage_usd != self._asked_usage.get(endpoint)

    def _next_keys(self, keys: tuple[ApiKey, ...], days: Days) -> list[ApiKey]:
        """Those that have spent since their days were asked, the ones that are known least far first."""
        spent = [key for key in keys if key.total_usd > 0 and self._key_totals.get(key.hash) != key.total_usd]
        newest = {name: day for day in sorted(days) for name in days[day]}
        return sorted(spent, key=lambda key: (newest.get(key.name, date.min), -key.total_usd))[:KEYS_A_ROUND]

    def _held(self, endpoint: str) -> bool:
        return self._clock.mono() < self._pauses.until_s(endpoint)

    def _days_now(self, known: Snapshot) -> datetime:
        """The time by which days are told: the server's, where the local clock is clearly wrong."""
        skew_s = known.server_skew_s or 0.0
        return self._clock.utc() + timedelta(seconds=skew_s if abs(skew_s) > SKEW_TRUSTED_S else 0.0)


def _failed(reading: Reading[Value]) -> bool:
    return reading.health not in (Health.OK, Health.PREPARING)


def _come(activity: Activity, now: datetime) -> Activity:
    """The answer. ServerError when it has a day that has begun nowhere yet: the days to keep would be counted back from it."""
    if activity.newest is not None and activity.newest > now.date() + timedelta(days=1):
        raise ServerError(f"/activity answered with the day {activity.newest}, which has not come yet")
    return activity


def _days_with(client: Client, days: Days, key: ApiKey, today: date, names: frozenset[str]) -> Days:
    return with_key(days, key.name, client.activity(key.hash), today, names)
