"""How long the tests wait for what happens on another thread or in another process, and the waiting."""

import threading
import time
from collections.abc import Callable

PATIENCE_S = 30.0  # for a slow machine: reached only when it never comes; what is promised in milliseconds is measured in bench


def until(
    reached: Callable[[], object], words: Callable[[], object] | str = "it never came true", limit_s: float = PATIENCE_S
) -> None:
    """Asks again and again. AssertionError with `words` when it does not come true in time."""
    end_s = time.monotonic() + limit_s
    while not reached():
        assert time.monotonic() < end_s, words() if callable(words) else words
        time.sleep(0.002)


def until_no_thread(name: str) -> None:
    """Until no thread has a name that begins so: one that has done its work needs a moment to end."""
    until(lambda: not threads_named(name), lambda: threads_named(name))


def threads_named(name: str) -> list[str]:
    """The names of the threads whose names begin so."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(name)]
