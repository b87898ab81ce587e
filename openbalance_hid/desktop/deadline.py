"""How long others may keep us waiting: another program, a thread that asks it.

On a slow machine our own work alone can take longer than any limit that suits a person. It is no sign that the other hangs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

_T = TypeVar("_T")

_AT_MOST = 6.0  # times the limit, whatever this process has to do
_SHORTEST_S = 0.05  # of one look; looking is work as well


class Deadline:
    """Ends when `limit_s` have been spent waiting: time in which this process is at work does not count, within reason.

    `clock`: seconds that pass; `work`: seconds of the processor that this process has had.
    """

    def __init__(
        self, limit_s: float, clock: Callable[[], float] = time.monotonic, work: Callable[[], float] = time.process_time
    ) -> None:
        self._clock, self._work = clock, work
        self._end_s = clock() + _AT_MOST * limit_s
        self._waited_s = clock() - work() + limit_s

    def left_s(self) -> float:
        """Never below 0; as much again when the work of others of this process goes on meanwhile."""
        now_s = self._clock()
        return max(0.0, min(self._waited_s - (now_s - self._work()), self._end_s - now_s))

    def get(self, answers: SimpleQueue[_T]) -> _T:
        """The next of them. Raises queue.Empty when none has come."""
        while True:
            left_s = self.left_s()
            try:
                return answers.get(timeout=max(left_s, _SHORTEST_S)) if left_s else answers.get_nowait()
            except Empty:
                if not left_s:
                    raise

    def wait_for(self, thread: Thread) -> bool:
        """Whether that thread, waited for, has come to its end."""
        while thread.is_alive():
            left_s = self.left_s()
            with suppress(RuntimeError):  # another caller's, which has only just been made
                thread.join(max(left_s, _SHORTEST_S) if left_s else 0.0)
            if not left_s:
                return not thread.is_alive()
        return True
