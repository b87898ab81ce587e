"""The threads that a server has for its visitors, so that its stop can wait for them.

A thread that has said goodbye and taken itself off every list still needs a moment to end: who waits only for those that are
listed leaves it behind.
"""

from __future__ import annotations

import threading


class ClientThreads:
    """Threads that have begun and may not have ended. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def note(self, thread: threading.Thread) -> None:
        """One more, which runs."""
        with self._lock:
            self._threads = [*(each for each in self._threads if each.is_alive()), thread]

    def join(self, limit_s: float | None = None) -> None:
        """Waits for each that was noted by now, `limit_s` at most each."""
        with self._lock:
            threads = tuple(self._threads)
        for thread in threads:
            thread.join(limit_s)
