"""Detects by the clocks that the machine was asleep: for macOS, and for a Linux without logind, where nothing reports it.

A file of its own, because it has no other subject in common with the scan that calls it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

# The monotonic clock stops in a sleep on macOS (mach_absolute_time) and on Linux (CLOCK_MONOTONIC); the wall clock goes on.
JUMP_S = 10.0  # a correction of the wall clock is smaller, and one that is larger costs a repaint and a poll


class WakeDetector:
    """Compares the two clocks at each call of `woke`. `wall` and `mono`: seconds."""

    def __init__(self, wall: Callable[[], float] = time.time, mono: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._mono = mono
        self._ahead_s = wall() - mono()

    def woke(self) -> bool:
        """Return whether the wall clock has gained more than `JUMP_S` on the monotonic clock since the last call."""
        before_s, self._ahead_s = self._ahead_s, self._wall() - self._mono()
        return self._ahead_s - before_s > JUMP_S
