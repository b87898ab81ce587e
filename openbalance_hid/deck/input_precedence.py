"""Whose turn it is to send to a deck: the picture that answers an input goes first, and few decks are written at once."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WRITTEN_AT_ONCE = 4  # decks
PLACE_LIMIT_S = 0.05
GIVES_WAY_S = 0.03  # the answer to an input takes a few milliseconds


class InputPrecedence:
    """Lets the picture that answers an input go before all others, on every deck. Thread-safe.

    Only some decks are written at the same time: more threads would wait for one another in the interpreter.
    """

    def __init__(self, mono: Callable[[], float] = time.monotonic) -> None:
        self._mono = mono
        self._until_s = float("-inf")  # until then, the picture of an input is expected
        self._changed = threading.Condition()
        self._places = WRITTEN_AT_ONCE  # guarded by `_changed`

    def begin(self) -> None:
        """Note an input: its picture follows soon, or never."""
        self._until_s = self._mono() + GIVES_WAY_S

    def queued(self) -> None:
        """Note that the picture was queued: its deck may be waiting for a turn to send another one."""
        with self._changed:
            self._changed.notify_all()

    def end(self) -> None:
        """Note that the picture was sent."""
        with self._changed:
            self._until_s = float("-inf")
            self._changed.notify_all()

    @contextmanager
    def turn(self, is_urgent: Callable[[], bool]) -> Iterator[None]:
        """Wait for a turn to send something: not while the picture of an input is expected, unless this deck has it."""
        has_place = self._take_place(is_urgent)
        try:
            yield
        finally:
            if has_place:
                with self._changed:
                    self._places += 1
                    self._changed.notify()

    def _take_place(self, is_urgent: Callable[[], bool]) -> bool:
        """Return True with a place. False without one: for what is urgent, and since a deck that hangs must not stop others."""
        with self._changed:
            limit_s = self._mono() + PLACE_LIMIT_S
            while not is_urgent():
                now_s = self._mono()
                if now_s < self._until_s:
                    limit_s = self._until_s + PLACE_LIMIT_S
                    self._changed.wait(self._until_s - now_s)
                elif self._places:
                    self._places -= 1
                    return True
                elif now_s >= limit_s:
                    return False
                else:
                    self._changed.wait(limit_s - now_s)
            return False
