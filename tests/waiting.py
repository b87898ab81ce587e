"""Waiting for another thread or process, and how long a test waits."""

import threading
import time
from collections.abc import Callable

PATIENCE_S = 120.0  # for a slow machine: reached only when the event never happens; durations are measured in bench


def until(
    reached: Callable[[], object], words: Callable[[], object] | str = "it never came true", limit_s: float = PATIENCE_S
) -> None:
    """Wait until `reached` returns true. Raises AssertionError with `words` when that takes too long."""
    end_s = time.monotonic() + limit_s
    while not reached():
        assert time.monotonic() < end_s, words() if callable(words) else words
        time.sleep(0.002)


def until_no_thread(name: str) -> None:
    """Wait until no thread has a name with this start: a thread that has done its work needs a moment to end."""
    until(lambda: not threads_named(name), lambda: threads_named(name))


def threads_named(name: str) -> list[str]:
    """Return the names of the threads that start with `name`."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(name)]
