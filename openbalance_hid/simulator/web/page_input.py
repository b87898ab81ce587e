"""The keys and dials that are down, and the pages that press them.

Several pages can show the same deck. A key is down while at least one page presses it: the deck gets the first press and the
last release. A page that disconnects releases all its keys.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum


class InputPart(Enum):
    """The controls that can be pressed."""

    KEY = "key"
    DIAL = "dial"


_Control = tuple[InputPart, int]


class PageInput:
    """Presses of all pages on one deck. `move(part, index, down)` changes the deck; it is called under a lock, in order."""

    def __init__(self, move: Callable[[InputPart, int, bool], None]) -> None:
        self._move = move
        self._lock = threading.Lock()
        self._pages_of: dict[_Control, set[object]] = {}

    def press(self, page: object, part: InputPart, index: int) -> None:
        """Press a control. A second press of the same page changes nothing."""
        with self._lock:
            pages = self._pages_of.setdefault((part, index), set())
            first = not pages
            pages.add(page)
            if first:
                self._move(part, index, True)

    def release(self, page: object, part: InputPart, index: int) -> None:
        """Release a control. Nothing changes when the page does not press it."""
        with self._lock:
            self._release(page, (part, index))

    def release_all(self, page: object) -> None:
        """Release every control that `page` presses."""
        with self._lock:
            for control in list(self._pages_of):
                self._release(page, control)

    def _release(self, page: object, control: _Control) -> None:
        pages = self._pages_of.get(control, set())
        if page not in pages:
            return
        pages.discard(page)
        if not pages:
            del self._pages_of[control]
            self._move(*control, False)
