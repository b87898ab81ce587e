"""Spreads the requests of all accounts over time: at most 50 in a second, balances before everything else.

A hundred accounts start at the same moment, and again just after midnight UTC. Their balances are requested one after the other
within seconds; the other endpoints follow over about a minute. Of a few accounts no request waits.
"""

from __future__ import annotations

import threading
import time
from bisect import insort
from collections.abc import Callable

from openbalance_hid.errors import OfflineError

BALANCES_A_SECOND = 42.0
OTHERS_A_SECOND = 28.0
MOST_A_SECOND = 48
BURST = 6  # requests that one account sends at once without waiting
AHEAD_S = 0.2  # how far ahead others get their time: those that follow give way to balances
LONGEST_WAIT_S = 2.0
BALANCE = "/credits"


class RequestPacer:
    """Shared by all pollers. Thread-safe."""

    def __init__(self, mono: Callable[[], float] = time.monotonic) -> None:
        self._mono = mono
        self._stopped = threading.Event()
        self._lock = threading.Lock()  # guards everything below
        self._next_balance_s = float("-inf")
        self._next_other_s = float("-inf")
        self._booked: list[float] = []  # the last times, in order

    def wait(self, path: str) -> None:
        """Return when a request of this path may be sent. OfflineError when the program is stopping."""
        again_s = AHEAD_S
        while True:
            at_s = self.book(path)
            wait_s = again_s if at_s is None else at_s - self._mono()
            again_s = min(2 * again_s, LONGEST_WAIT_S)  # of two hundred threads few wake at a time
            if wait_s > 0 and self._stopped.wait(wait_s):
                raise OfflineError("the program is stopping")
            if at_s is not None:
                return

    def stop(self) -> None:
        """End every wait. Idempotent."""
        self._stopped.set()

    def book(self, path: str) -> float | None:
        """Return the monotonic seconds at which a request of this path may be sent; None: call again later.

        Balances are booked far ahead; other requests only shortly before, so that balances that come meanwhile precede them.
        """
        with self._lock:
            now_s = self._mono()
            full_until_s = self._booked[0] + 1.0 if len(self._booked) == MOST_A_SECOND else now_s
            if path == BALANCE:
                at_s = max(now_s, self._next_balance_s, full_until_s)
                self._next_balance_s = at_s + 1 / BALANCES_A_SECOND
            else:
                at_s = max(now_s, self._next_other_s, full_until_s)
                if max(at_s, self._next_balance_s) > now_s + AHEAD_S:
                    return None
                # What was not used before may be used at once, by the few requests of one account.
                self._next_other_s = max(self._next_other_s, now_s - BURST / OTHERS_A_SECOND) + 1 / OTHERS_A_SECOND
            insort(self._booked, at_s)
            del self._booked[:-MOST_A_SECOND]
            return at_s
