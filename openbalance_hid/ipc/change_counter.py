"""Tells those who watch that something may have changed, so that nobody has to ask again and again."""

import threading


class ChangeCounter:
    """A number that grows. Any thread may tell, any thread may wait."""

    def __init__(self) -> None:
        self._grown = threading.Condition()
        self._number = 0
        self._over = False

    @property
    def number(self) -> int:
        return self._number

    @property
    def is_over(self) -> bool:
        """Nothing will be told any more."""
        return self._over

    def tell(self) -> None:
        """Something may have changed."""
        with self._grown:
            self._number += 1
            self._grown.notify_all()

    def end(self) -> None:
        """Wake everybody for the last time; may be called twice."""
        with self._grown:
            self._over = True
            self._grown.notify_all()

    def wait(self, after: int, limit_s: float) -> bool:
        """Whether there is news since the number was `after`; waits for it up to `limit_s`."""
        with self._grown:
            self._grown.wait_for(lambda: self._over or self._number > after, limit_s)
            return self._number > after
