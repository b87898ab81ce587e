"""Which deck is written next: the one with an input goes first, and few are written at the same time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WRITTEN_AT_ONCE = 4  # decks
PLACE_LIMIT_S = 0.05
GIVES_WAY_S = 0.03  # the answer to an input takes a few milliseconds


class InputPrecedence:
    """Lets the pictures that answer an input go before those of all other decks. Thread-safe. A deck is any object.

    Only some decks are written at the same time: more threads would wait for one another in the interpreter.
    """

    def __init__(self, mono: Callable[[], float] = time.monotonic) -> None:
        self._mono = mono
        self._expected: tuple[object, float] = None, float("-inf")  # the deck of an input, and how long the others wait for it
        self._changed = threading.Condition()
        self._places = WRITTEN_AT_ONCE  # guarded by `_changed`

    def begin(self, deck: object) -> None:
        """Note an input on a deck: its picture follows soon, or never."""
        self._expected = deck, self._mono() + GIVES_WAY_S

    def queued(self) -> None:
        """Note that the picture was queued: its deck may be waiting for a turn to send another one."""
        with self._changed:
            self._changed.notify_all()

    def end(self) -> None:
        """Note that the picture was sent."""
        with self._changed:
            self._expected = None, float("-inf")
            self._changed.notify_all()

    @contextmanager
    def turn(self, deck: object, is_urgent: Callable[[], bool]) -> Iterator[None]:
        """Wait for the turn of a deck: not while a picture is expected of another one. What is urgent does not wait."""
        has_place = self._take_place(deck, is_urgent)
        try:
            yield
        finally:
            if has_place:
                with self._changed:
                    self._places += 1
                    self._changed.notify()

    def _take_place(self, deck: object, is_urgent: Callable[[], bool]) -> bool:
        """Return True with a place. False without one: for what is urgent, and since a deck that hangs must not stop others."""
        with self._changed:
            patience_s = self._mono() + GIVES_WAY_S  # also if one deck has an input after the other, as with a broken key
            while not is_urgent():
                now_s, (expected, until_s) = self._mono(), self._expected
                wait_s = min(until_s, patience_s) - now_s if deck is not expected else 0.0
                if wait_s <= 0:
                    if self._places:
                        self._places -= 1
                        return True
                    wait_s = patience_s + PLACE_LIMIT_S - now_s
                    if wait_s <= 0:
                        return False
                self._changed.wait(wait_s)
            return False
