"""When to send the next request. Pure: the time, the outcome and the randomness come in; seconds or a bool come out.

Not here: waiting (`poller`), and what an error means for the tiles (`outcome`).
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import Enum
from random import Random

from openbalance_hid.account.endpoints import ACTIVITY_TIMES, REQUESTED_WITHIN, keys_rounds

REFRESH_GAP_S = 10.0  # refreshes closer together than this join the poll of the first one
REJECTION_GAP_S = 30.0  # two 401 at least this far apart are a rejected key; a single one has been an outage
RATE_LIMIT_FLOOR_S = 60.0  # the shortest wait after a 429, even if the server names a shorter one

CROWD = 8  # accounts, from which on their polls are spread
SPREAD, JITTER = 0.9, 0.05  # parts of the interval

_FIRST_WAIT_S = 15.0
_OFFLINE_CAP_S = 60.0  # the network may be back at any moment, and a name that does not resolve costs the server nothing
_MAX_DOUBLINGS = 20
_CLOCK_STEP_S = 60.0  # the wall clock and the monotonic clock never drift apart by this much in one wait

# With an interval of 15 minutes a day has 96 requests of the credits and 2 of the activity. The other endpoints must not double
# that (`REQUESTED_WITHIN`, `request_limits`): every poll of the counter shows how much was spent, and these only on what.
_HOURS_GAP = timedelta(hours=6)
_WINDOW_GAP = (4, timedelta(hours=1))
_LEADER_GAP = (20, timedelta(hours=5))
_LOOK_AGAIN_INTERVALS = 2
_AFTER_MIDNIGHT_S = 5.0  # the clocks of both ends differ by less, mostly; up to twice as much


class RequestOutcome(Enum):
    """How a request or a poll cycle ended, as far as the next one depends on it."""

    OK = "ok"
    OFFLINE = "offline"
    SOON = "soon"  # a failure of the server: back off
    RATE_LIMITED = "rate_limited"
    REJECTED_ONCE = "rejected_once"  # the first 401
    USER = "user"  # nothing changes until the user acts


def next_poll(outcome: RequestOutcome, interval_s: float, failures: int, retry_after_s: float | None, rng: Random) -> float:
    """Return the seconds until the next poll.

    `failures`: cycles in a row that ended OFFLINE, SOON or RATE_LIMITED, this one included. The backoff doubles from 15 s up to
    the interval, with equal jitter (half fixed, half random), so that many daemons do not return at once after an outage.
    """
    match outcome:
        case RequestOutcome.OK | RequestOutcome.USER:
            return interval_s
        case RequestOutcome.REJECTED_ONCE:
            return REJECTION_GAP_S + 5 * rng.random()
        case RequestOutcome.RATE_LIMITED:
            wait_s = max(_backoff(failures, interval_s, rng), RATE_LIMIT_FLOOR_S)
        case RequestOutcome.OFFLINE:
            wait_s = _backoff(failures, min(interval_s, _OFFLINE_CAP_S), rng)
        case RequestOutcome.SOON:
            wait_s = _backoff(failures, interval_s, rng)
    return max(wait_s, retry_after_s or 0.0)


def spread(delay_s: float, accounts: int, at_once: bool, rng: Random) -> float:
    """Return the delay of one of many accounts, which must not all be polled at the same time.

    `at_once`: they just were. Then each gets a place of its own in the interval; afterwards it keeps it, a little shifted.
    """
    if accounts < CROWD:
        return delay_s
    return delay_s * (1 - rng.random() * (SPREAD if at_once else JITTER))


def until_midnight_s(now: datetime, rng: Random) -> float:
    """Return the seconds until just after the next UTC midnight. `now`: aware UTC, the server's where the clocks differ.

    A sample there separates the spend of two days exactly. A few seconds at random, so that many daemons do not come at once.
    """
    midnight = datetime.combine(now.date() + timedelta(days=1), time(0), now.tzinfo)
    return (midnight - now).total_seconds() + _AFTER_MIDNIGHT_S * (1 + rng.random())


def activity_due(
    now: datetime, answered_at: datetime | None, failed: bool, incomplete: bool = False, interval_s: float = 900.0
) -> bool:
    """Return whether `/activity` may have new days. `now`: aware UTC, the server's where the clocks differ.

    `answered_at`: its last good answer, None: never; `failed`: the last request failed. `incomplete`: yesterday was missing in
    that answer, or it still grows; then it is requested again after two intervals, and less often as the day goes on.
    """
    if answered_at is None or failed or answered_at > now:  # later than now: the clock was set back
        return True
    times = (
        datetime.combine(now.date() - timedelta(days=back), each, now.tzinfo) for back in (0, 1) for each in ACTIVITY_TIMES
    )
    if answered_at < max(each for each in times if each <= now):
        return True
    midnight = datetime.combine(now.date(), time(0), now.tzinfo)
    gap = max(timedelta(seconds=_LOOK_AGAIN_INTERVALS * interval_s), (answered_at - midnight) / 2)
    return incomplete and answered_at >= midnight and now - answered_at >= gap


def today_due(
    now: datetime,
    requested_at: datetime | None,
    has_spent: bool,
    interval_s: float,
    failed: bool,
    was_reset: bool = False,
    leader_is_known: bool = True,
) -> bool:
    """Return whether to request today's spend by model: only after spending, on a new day or after a gap.

    `requested_at`: the last request, None: never; `has_spent`: the counter has moved since the last good answer; `was_reset`:
    it lost today's spend since, so that only this endpoint has it. `leader_is_known`: what was spent since cannot change it.
    """
    if requested_at is None or requested_at > now or (was_reset and not failed):
        return True
    new_day = requested_at.date() != now.date() and not failed
    gap = _gap(REQUESTED_WITHIN["today"] if leader_is_known else _LEADER_GAP, interval_s)
    return has_spent and (new_day or now - requested_at >= gap)


def keys_due(now: datetime, requested_at: datetime | None, interval_s: float, requests: int, failed: bool) -> bool:
    """Return whether to request the keys: on a new day or after a gap, which grows with the `requests` that it takes."""
    if requested_at is None or requested_at > now:
        return True
    new_day = requested_at.date() != now.date() and not failed
    return new_day or now - requested_at >= _gap(REQUESTED_WITHIN["keys"], interval_s) * keys_rounds(max(1, requests))


def key_days_due(now: datetime, answered_at: datetime | None) -> bool:
    """Return whether to request the days of some keys: once a day, when yesterday has finally settled."""
    if answered_at is None or answered_at > now:
        return True
    today_at = datetime.combine(now.date(), ACTIVITY_TIMES[-1], now.tzinfo)
    return answered_at < (today_at if today_at <= now else today_at - timedelta(days=1))


def window_due(now: datetime, requested_at: datetime | None, interval_s: float) -> bool:
    """Return whether to request the last 24 hours by model; the caller does so only during a spike."""
    return requested_at is None or requested_at > now or now - requested_at >= _gap(_WINDOW_GAP, interval_s)


def hours_due(now: datetime, requested_at: datetime | None) -> bool:
    """Return whether to request the spend by hour; the caller does so only where samples leave a gap."""
    return requested_at is None or requested_at > now or now - requested_at >= _HOURS_GAP


def free_quota_due(now: datetime, requested_at: datetime | None, interval_s: float) -> bool:
    """Return whether to request the quota of free models: on a new day, or after two intervals, so that it is never old."""
    if requested_at is None or requested_at > now or requested_at.date() != now.date():
        return True
    return now - requested_at >= timedelta(seconds=_LOOK_AGAIN_INTERVALS * interval_s)


def time_left_s(delay_s: float, wall_passed_s: float, mono_passed_s: float) -> float:
    """Return the seconds left of a wait of `delay_s`; 0 at its end, after a sleep of the machine and after a clock step.

    On Linux the monotonic clock stops while the machine sleeps and the wall clock does not: a difference means a sleep.
    """
    if abs(wall_passed_s - mono_passed_s) > _CLOCK_STEP_S:
        return 0.0
    return max(0.0, delay_s - max(wall_passed_s, mono_passed_s))


def refresh_allowed(now_s: float, last_s: float | None) -> bool:
    """Return whether a refresh by hand may start a poll: one in 10 s. Monotonic seconds; `last_s` None: never."""
    return last_s is None or now_s - last_s >= REFRESH_GAP_S


def _gap(gap: tuple[int, timedelta], interval_s: float) -> timedelta:
    intervals, longest = gap
    return min(timedelta(seconds=intervals * interval_s), longest)


def _backoff(failures: int, cap_s: float, rng: Random) -> float:
    full_s = min(_FIRST_WAIT_S * 2.0 ** min(max(failures, 1) - 1, _MAX_DOUBLINGS), cap_s)
    return full_s / 2 + full_s / 2 * rng.random()
