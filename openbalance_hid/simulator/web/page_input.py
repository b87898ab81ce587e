"""Which keys and dials are held down, and by which page.

Several pages can show the same deck, and a real key is down as long as any finger is on it. So the deck is told only of the
first finger down and the last one up, in that order, and a page that disappears lifts all its fingers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum


class InputPart(Enum):
    """What can be held down."""

    KEY = "key"
    DIAL = "dial"


Held = tuple[InputPart, int]


class PageInput:
    """All fingers of all pages on one deck. `move(part, index, down)` tells the deck; it is called under a lock, in order."""

    def __init__(self, move: Callable[[InputPart, int, bool], None]) -> None:
        self._move = move
        self._lock = threading.Lock()
        self._holders: dict[Held, set[object]] = {}

    def down(self, holder: object, part: InputPart, index: int) -> None:
        """Puts a finger of `holder` down. A second one of the same holder changes nothing."""
        with self._lock:
            holders = self._holders.setdefault((part, index), set())
            first = not holders
            holders.add(holder)
            if first:
                self._move(part, index, True)

    def up(self, holder: object, part: InputPart, index: int) -> None:
        """Lifts the finger of `holder`. One that was not down changes nothing."""
        with self._lock:
            self._lift(holder, (part, index))

    def lift_all(self, holder: object) -> None:
        """Lifts every finger of `holder`."""
        with self._lock:
            for held in list(self._holders):
                self._lift(holder, held)

    def _lift(self, holder: object, held: Held) -> None:
        holders = self._holders.get(held, set())
        if holder not in holders:
            return
        holders.discard(holder)
        if not holders:
            del self._holders[held]
            self._move(*held, False)
