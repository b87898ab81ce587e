"""The age of each endpoint's answer: until when it was current, and whether it is old now. Pure.

Endpoints are requested at different times: `/credits` at every poll, `/activity` when a completed day can have changed, the
others a few times a day. An answer is current until the next one was due; its age is counted from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from math import inf
from typing import Any

from msgspec import Struct

from openbalance_hid.account.counter import ticks
from openbalance_hid.account.snapshot import Health, Reading, Snapshot
from openbalance_hid.account.utc_days import CLOCKS_APART_S, last_contact, utc_now

STALE_INTERVALS = 4  # refresh intervals: from here on a number is shown grey, and is no basis for a verdict
# UTC. Yesterday's rows settle about half an hour after midnight (OpenRouter's documentation); the second includes late ones.
ACTIVITY_TIMES = (time(0, 35), time(6, 0))
# The longest time between two requests while spend goes on: (refresh intervals, limit).
REQUESTED_WITHIN: Mapping[str, tuple[int, timedelta]] = {
    "today": (24, timedelta(hours=6)),
    "keys": (24, timedelta(hours=6)),
}
WORKSPACES_A_ROUND = 4  # a request for each: of more, the keys of some are requested, the others another day


class EndpointState(Struct, frozen=True):
    """One endpoint in `status`. `current_until`: when its answer was last known to be right; `dropped_rows`: see `Reading`."""

    health: Health
    measured_at: datetime | None  # of the last good answer
    current_until: datetime | None
    stale: bool
    message: str | None = None
    dropped_rows: int = 0


def endpoints(snapshot: Snapshot, now: datetime) -> dict[str, EndpointState]:
    """Return the state of each endpoint that amounts rest on: credits, activity, today, keys."""
    readings: dict[str, Reading[Any]] = {
        "credits": snapshot.credits,
        "activity": snapshot.activity,
        "today": snapshot.today,
        "keys": snapshot.keys,
    }
    states = {}
    for name, reading in readings.items():
        until = current_until(snapshot, name)
        # An endpoint that has never answered has no old numbers; without `/credits` nothing is known.
        stale = name == "credits" if until is None else is_stale(snapshot, until, now)
        states[name] = EndpointState(reading.health, reading.measured_at, until, stale, reading.message, reading.dropped_rows)
    return states


def is_account_stale(snapshot: Snapshot, now: datetime) -> bool:
    """Return whether the worst endpoint of the account is stale."""
    return any(state.stale for state in endpoints(snapshot, now).values())


def current_until(snapshot: Snapshot, endpoint: str) -> datetime | None:
    """Return when the answer of `endpoint` was last known to be right; None without an answer."""
    if endpoint == "activity":
        return _until_due(snapshot, snapshot.activity, next_activity_time)
    if endpoint == "credits":
        return snapshot.credits.measured_at
    reading: Reading[Any] = snapshot.today if endpoint == "today" else snapshot.keys
    if reading.measured_at is not None and not _has_spent_since(snapshot, reading.measured_at):
        return last_contact(snapshot)
    return next_due(snapshot, endpoint)


def next_due(snapshot: Snapshot, endpoint: str) -> datetime | None:
    """Return when the next answer of "today" or "keys" is due while spend goes on, at most the last contact; None without one.

    Until then the last one counts as current. Own-key inference moves no counter, so that nothing shows whether it went on.
    """
    reading: Reading[Any] = snapshot.today if endpoint == "today" else snapshot.keys
    intervals, longest = REQUESTED_WITHIN[endpoint]
    gap = min(timedelta(seconds=intervals * snapshot.interval_s), longest)
    if endpoint == "keys":
        gap *= keys_rounds(len({key.workspace for key in snapshot.keys.value or ()}))
    return _until_due(snapshot, reading, lambda at: at + gap)


def keys_rounds(requests: int) -> int:
    """Return how many times as long as usual is between two requests of the keys: a round of many workspaces is once a day."""
    return requests if requests <= 2 else WORKSPACES_A_ROUND


def next_activity_time(at: datetime) -> datetime:
    """Return the first time after `at` at which `/activity` can have changed."""
    day = at.date()
    times = (datetime.combine(day + timedelta(days=ahead), each, at.tzinfo) for ahead in (0, 1) for each in ACTIVITY_TIMES)
    return min(each for each in times if each > at)


def is_stale(snapshot: Snapshot, measured_at: datetime, now: datetime) -> bool:
    """Return whether what was measured then is too old for a verdict now."""
    return intervals_old(snapshot, measured_at, now) >= STALE_INTERVALS


def intervals_old(snapshot: Snapshot, measured_at: datetime, now: datetime) -> float:
    """Return the age of a reading in refresh intervals; infinite when the clock was set back, which makes the age unknown."""
    seconds = (utc_now(snapshot, now) - measured_at).total_seconds()
    return seconds / snapshot.interval_s if seconds >= -CLOCKS_APART_S else inf


def _until_due(snapshot: Snapshot, reading: Reading[Any], due: Callable[[datetime], datetime]) -> datetime | None:
    contact = last_contact(snapshot)
    if reading.measured_at is None or contact is None:
        return None
    return min(contact, max(reading.measured_at, due(reading.measured_at)))


def _has_spent_since(snapshot: Snapshot, at: datetime) -> bool:
    """Return whether the counter has moved since `at`, as far as the samples reach."""
    series = ticks(snapshot.samples)
    before = next((tick for tick in reversed(series) if tick.at <= at), None)
    if before is None:
        before = series[0] if series else None
    return before is not None and (series[-1].counter_usd, series[-1].epoch) != (before.counter_usd, before.epoch)
