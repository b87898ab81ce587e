"""A time limit for waiting for another program, or for a thread that waits for one.

On a slow machine the work of this process alone can take longer than any limit that suits a user, and is no sign that the other
program hangs: it does not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

_T = TypeVar("_T")

_MAX_FACTOR = 6.0  # of the limit: it ends then, however busy this process is
_SHORTEST_WAIT_S = 0.05  # waking up costs time as well


class Deadline:
    """Is over when `limit_s` were spent waiting. Time in which this process works does not count, up to `_MAX_FACTOR`.

    `clock`: monotonic seconds; `work`: processor seconds of this process.
    """

    def __init__(
        self, limit_s: float, clock: Callable[[], float] = time.monotonic, work: Callable[[], float] = time.process_time
    ) -> None:
        self._clock, self._work = clock, work
        self._end_s = clock() + _MAX_FACTOR * limit_s
        self._idle_end_s = clock() - work() + limit_s

    def left_s(self) -> float:
        """Return the seconds left, at least 0. They get more while this process works."""
        now_s = self._clock()
        return max(0.0, min(self._idle_end_s - (now_s - self._work()), self._end_s - now_s))

    def get(self, queue: SimpleQueue[_T]) -> _T:
        """Return the next item of the queue. Raises queue.Empty when the deadline is over."""
        while True:
            left_s = self.left_s()
            try:
                return queue.get(timeout=max(left_s, _SHORTEST_WAIT_S)) if left_s else queue.get_nowait()
            except Empty:
                if not left_s:
                    raise

    def wait_for(self, thread: Thread) -> bool:
        """Wait for the thread. Return whether it has ended."""
        while thread.is_alive():
            left_s = self.left_s()
            with suppress(RuntimeError):  # another caller's thread, which is not started yet
                thread.join(max(left_s, _SHORTEST_WAIT_S) if left_s else 0.0)
            if not left_s:
                return not thread.is_alive()
        return True
