"""The time that all parts of the daemon together have to stop, and a line in the log about threads that did not end in it.

A request that waits for its answer, or a write to a disk that hangs, cannot be cut short. Its thread is a daemon: it ends with
the process.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

STOP_WITHIN_S = 0.5  # the decks are dark long before; the interpreter itself needs a tenth
MOST_NAMES = 8  # in the log
FORCED_S = 10.0  # a service manager kills after 15 s or more; in a terminal nothing would
LEAST_S = 0.02  # for each part, also when the time is over: most threads end at once


class StopDeadline:
    """One deadline, from `begin` on. Used by the main thread only."""

    def __init__(self, limit_s: float = STOP_WITHIN_S, mono: Callable[[], float] = time.monotonic) -> None:
        self._limit_s = limit_s
        self._mono = mono
        self._end_s: float | None = None
        self._before = frozenset(threading.enumerate())

    def begin(self, forced: bool = False) -> None:
        """Start the time. `forced`: the kernel ends the process after `FORCED_S`, even if a thread or lock holds it up."""
        self._end_s = self._mono() + self._limit_s
        if forced:
            signal.setitimer(signal.ITIMER_REAL, FORCED_S)  # SIGALRM, which has no handler

    def left_s(self) -> float:
        """Return the seconds that the next part has to stop."""
        if self._end_s is None:
            return self._limit_s
        return max(LEAST_S, self._end_s - self._mono())

    def report(self) -> None:
        """Log the names of the threads that were started since this object was created, and are still running."""
        names = sorted(each.name for each in threading.enumerate() if each not in self._before)
        if names:
            more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
            log.warning("stopped without waiting for %s%s", ", ".join(names[:MOST_NAMES]), more)
