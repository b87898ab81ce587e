"""What the main loop checks at each turn, in case something outside of the daemon has changed or a thread has ended."""

import logging
from collections.abc import Callable, Mapping

from openbalance_hid.errors import AlreadyRunningError

log = logging.getLogger(__name__)

GAP_S = 1.0  # between two rounds: a busy loop has hundreds of turns a second


class Maintenance:
    """Calls each of `checks`, by name, which are fast and idempotent. Used by the main thread only."""

    def __init__(self, checks: Mapping[str, Callable[[], object]]) -> None:
        self._checks = checks
        self._next_at_s = float("-inf")
        self._failing: set[str] = set()

    def run(self, now_s: float) -> None:
        """Check everything, unless that was done just before. Raises AlreadyRunningError only, which ends the daemon."""
        if now_s < self._next_at_s:
            return
        self._next_at_s = now_s + GAP_S
        for name, check in self._checks.items():
            try:
                check()
            except AlreadyRunningError:
                raise
            except Exception:
                if name not in self._failing:
                    log.exception("the check of %s failed; it is tried again", name)
                self._failing.add(name)
            else:
                self._failing.discard(name)
