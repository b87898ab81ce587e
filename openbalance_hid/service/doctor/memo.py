"""A value that several checks need and that is computed once, on the thread that needs it first; the others wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Memo(Generic[_T]):
    """Every call returns the same value, or raises the same exception. Thread-safe."""

    def __init__(self, compute: Callable[[], _T]) -> None:
        self._compute = compute
        self._lock = threading.Lock()
        self._values: list[_T] = []
        self._error: Exception | None = None

    def __call__(self) -> _T:
        with self._lock:
            if self._error is not None:
                raise self._error
            if not self._values:
                try:
                    self._values.append(self._compute())
                except Exception as error:  # raised again at the next call
                    self._error = error
                    raise
            return self._values[0]
