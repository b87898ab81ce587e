"""The client threads of a server: one thread per connection, joined when the server stops.

A thread that has closed its connection and left the server's own lists still runs for a moment, so those lists cannot be used
to join it. This file is short because the three servers of the simulator (page, USB/IP, sample account) share it, and none of
them may import another.
"""

from __future__ import annotations

import threading


class ClientThreads:
    """Threads that were started and may still run. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def add(self, thread: threading.Thread) -> None:
        """Add a thread that runs, and forget the threads that have ended."""
        with self._lock:
            self._threads = [*(each for each in self._threads if each.is_alive()), thread]

    def join(self, limit_s: float | None = None) -> None:
        """Join every thread added so far, waiting at most `limit_s` seconds for each."""
        with self._lock:
            threads = tuple(self._threads)
        for thread in threads:
            thread.join(limit_s)
