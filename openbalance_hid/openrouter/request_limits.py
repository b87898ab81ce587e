"""The limits of requests: the backoff of each endpoint, and how many requests beside `/credits` a day may have. Pure.

At the default interval 24 hours have at most 97 polls of the credits: one every 15 minutes, and the one just after midnight.
With these the day stays within `REQUESTS_A_DAY`. Not counted: what the user wants by hand, the first poll, requests that fail
(they have a backoff of their own), the models of a spike, and the spend by hour after a gap, in which polls were missing.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from openbalance_hid.openrouter.cadence import RATE_LIMIT_FLOOR_S, RequestOutcome
from openbalance_hid.openrouter.outcome import RequestResult

REQUESTS_A_DAY = 110
INTERVAL_S = 900.0  # the default one
DAY = timedelta(days=1)


class RequestAllowance:
    """The requests of the last 24 hours. For one thread."""

    def __init__(self, interval_s: float) -> None:
        polls = int(DAY.total_seconds() // INTERVAL_S) + 1
        # A user who polls more often wants fresh values, and a slower poll is no reason to know less of the models.
        self._most = int((REQUESTS_A_DAY - polls) * max(1.0, INTERVAL_S / interval_s))
        self._sent: deque[datetime] = deque()

    def has_room(self, now: datetime, count: int = 1) -> bool:
        """Return whether `count` more requests may be sent. `now`: in the server's time, as in `note`."""
        while self._sent and not timedelta(0) <= now - self._sent[0] < DAY:  # below zero: the clock was set back
            self._sent.popleft()
        return len(self._sent) + min(count, self._most // 2) <= self._most  # a list of a thousand keys is read all the same

    def note(self, now: datetime, count: int) -> None:
        """Count requests that were sent."""
        self._sent.extend([now] * count)


class Backoffs:
    """The time before which each endpoint gets no request. Monotonic seconds."""

    def __init__(self) -> None:
        self._not_before_s: dict[str, float] = {}

    def note(self, endpoint: str, result: RequestResult, now_s: float) -> None:
        """Start a backoff after a 429 (at least a minute) or after any error with a Retry-After."""
        if result.outcome is RequestOutcome.RATE_LIMITED:
            self._not_before_s[endpoint] = now_s + max(result.retry_after_s or 0.0, RATE_LIMIT_FLOOR_S)
        elif result.retry_after_s is not None:
            self._not_before_s[endpoint] = now_s + result.retry_after_s

    def until_s(self, endpoint: str) -> float:
        """Return the end of an endpoint's backoff; minus infinity if it never had one."""
        return self._not_before_s.get(endpoint, float("-inf"))

    def clear(self) -> None:
        """End every backoff: another key has limits of its own."""
        self._not_before_s.clear()
