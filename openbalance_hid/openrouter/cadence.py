"""When to ask next. Pure: time, the outcome and the randomness come in, seconds or a yes come out.

Not here: waiting (`poller`) and what an error means for the tiles.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import Enum
from random import Random

REFRESH_GAP_S = 10.0  # holds closer together than this join the poll that the first one started
REJECTION_GAP_S = 30.0  # two 401 at least this far apart are a rejected key; one alone has been an outage

_FIRST_WAIT_S = 15.0
_OFFLINE_CAP_S = 60.0  # the network may be back any moment, and a name that does not resolve costs nobody anything
_RATE_LIMIT_FLOOR_S = 60.0  # whatever the server asks, never sooner than this after a 429
_MOST_DOUBLINGS = 20
_CLOCK_STEP_S = 60.0  # the two clocks never drift apart by this much in one wait

# Yesterday's rows settle about half an hour after midnight UTC; the second look takes in what came late.
_ACTIVITY_LOOKS = (time(0, 35), time(6, 0))

# At 15 minutes a day has 96 polls of the credits and 2 of the activity. The rest must not double that: the counter says at
# every poll what was spent, and these only say on what, so a few answers a day will do. In intervals, and at most so long.
_TODAY_GAP = (20, timedelta(hours=5))
_KEYS_GAP = (24, timedelta(hours=6))
_WINDOW_GAP = (4, timedelta(hours=1))


class RequestOutcome(Enum):
    """How a turn went, as far as the next one depends on it."""

    OK = "ok"
    OFFLINE = "offline"
    SOON = "soon"  # the server's trouble: back off
    RATE_LIMITED = "rate_limited"
    REJECTED_ONCE = "rejected_once"  # the first 401
    OWNER = "owner"  # nothing changes until the owner acts


def next_poll(outcome: RequestOutcome, interval_s: float, failures: int, retry_after_s: float | None, rng: Random) -> float:
    """Seconds until the next poll.

    `failures`: turns in a row that ended OFFLINE, SOON or RATE_LIMITED, this one included. Back-off doubles from 15 s up to the
    interval, with equal jitter (half fixed, half random), so that many daemons do not come back at once after an outage.
    """
    match outcome:
        case RequestOutcome.OK | RequestOutcome.OWNER:
            return interval_s
        case RequestOutcome.REJECTED_ONCE:
            return REJECTION_GAP_S + 5 * rng.random()
        case RequestOutcome.RATE_LIMITED:
            wait_s = max(_back_off(failures, interval_s, rng), _RATE_LIMIT_FLOOR_S)
        case RequestOutcome.OFFLINE:
            wait_s = _back_off(failures, min(interval_s, _OFFLINE_CAP_S), rng)
        case RequestOutcome.SOON:
            wait_s = _back_off(failures, interval_s, rng)
    return max(wait_s, retry_after_s or 0.0)


def activity_due(now: datetime, answered_at: datetime | None, failed: bool) -> bool:
    """Whether `/activity` can say anything new. `now`: aware UTC, the server's where the clocks differ.

    `answered_at`: its last good answer, None for never; `failed`: the last try failed.
    """
    if answered_at is None or failed or answered_at > now:  # later than now: the clock was set back
        return True
    looks = (
        datetime.combine(now.date() - timedelta(days=back), look, now.tzinfo) for back in (0, 1) for look in _ACTIVITY_LOOKS
    )
    return answered_at < max(look for look in looks if look <= now)


def today_due(now: datetime, tried_at: datetime | None, has_spent: bool, interval_s: float, failed: bool) -> bool:
    """Whether to ask what today was spent on: when the counter has moved, the first time on a new day, else after a pause.

    `tried_at`: the last try, None for never; `has_spent`: the counter has moved since the last good answer.
    """
    if tried_at is None or tried_at > now:
        return True
    new_day = tried_at.date() != now.date() and not failed
    return has_spent and (new_day or now - tried_at >= _gap(_TODAY_GAP, interval_s))


def keys_due(now: datetime, tried_at: datetime | None, interval_s: float, pages: int, failed: bool) -> bool:
    """Whether to ask for the keys: after a pause, which is longer where the answer has several `pages`, and on a new day."""
    if tried_at is None or tried_at > now:
        return True
    new_day = tried_at.date() != now.date() and not failed
    return new_day or now - tried_at >= _gap(_KEYS_GAP, interval_s) * max(1, pages)


def key_days_due(now: datetime, answered_at: datetime | None) -> bool:
    """Whether to ask for the days of some keys: once a day, when yesterday has settled for good."""
    if answered_at is None or answered_at > now:
        return True
    look = datetime.combine(now.date(), _ACTIVITY_LOOKS[-1], now.tzinfo)
    return answered_at < (look if look <= now else look - timedelta(days=1))


def window_due(now: datetime, tried_at: datetime | None, interval_s: float) -> bool:
    """Whether to ask what the last 24 hours were spent on, while they are dear."""
    return tried_at is None or tried_at > now or now - tried_at >= _gap(_WINDOW_GAP, interval_s)


def time_left_s(delay_s: float, wall_passed_s: float, mono_passed_s: float) -> float:
    """Seconds left of a wait of `delay_s`, 0 when it is over: also after a sleep of the machine or a step of its clock.

    The monotonic clock stands still while a Linux machine sleeps and the wall clock does not, so they are told apart by it.
    """
    if abs(wall_passed_s - mono_passed_s) > _CLOCK_STEP_S:
        return 0.0
    return max(0.0, delay_s - max(wall_passed_s, mono_passed_s))


def refresh_allowed(now_s: float, last_s: float | None) -> bool:
    """Whether a refresh by hand may start a poll: one in 10 s. Monotonic seconds; `last_s`: the one before, None for never."""
    return last_s is None or now_s - last_s >= REFRESH_GAP_S


def _gap(pause: tuple[int, timedelta], interval_s: float) -> timedelta:
    intervals, longest = pause
    return min(timedelta(seconds=intervals * interval_s), longest)


def _back_off(failures: int, cap_s: float, rng: Random) -> float:
    whole_s = min(_FIRST_WAIT_S * 2.0 ** min(max(failures, 1) - 1, _MOST_DOUBLINGS), cap_s)
    return whole_s / 2 + whole_s / 2 * rng.random()
