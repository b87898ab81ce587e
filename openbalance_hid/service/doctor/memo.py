"""Something that several probes want to know and that is asked once: the first one asks, the others wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Memo(Generic[Answer]):
    """Called again it says the same, or raises the same. Any thread may call."""

    def __init__(self, ask: Callable[[], Answer]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._answers: list[Answer] = []
        self._error: Exception | None = None

    def __call__(self) -> Answer:
        with self._lock:
            if self._error is not None:
                raise self._error
            if not self._answers:
                try:
                    self._answers.append(self._ask())
                except Exception as error:  # kept for the next one who asks
                    self._error = error
                    raise
            return self._answers[0]
