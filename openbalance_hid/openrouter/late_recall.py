"""The values that are remembered of an account, also when the disk that has them is slower than the network.

They are read on a thread of their own. A poll waits a moment for them, so that they are usually shown first; then it goes on
without, and what comes later is added to what was requested meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from openbalance_hid.account.days import joined
from openbalance_hid.account.snapshot import Activity, Reading, Snapshot

_T = TypeVar("_T")

logger = logging.getLogger(__name__)

BEFORE_THE_BALANCE_S = 0.5  # a healthy disk needs hundredths of a second
BEFORE_THE_OTHERS_S = 2.0  # their requests are fewer with what is remembered


class LateRecall:
    """Calls `recall` on a thread, and then `on_end`. `empty`: the result when it fails."""

    def __init__(self, recall: Callable[[], Snapshot], empty: Snapshot, on_end: Callable[[], object]) -> None:
        self._recall = recall
        self._empty = empty
        self._on_end = on_end
        self._found: Snapshot | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recall", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the system's limit of threads
            self._run()

    def result(self, wait_s: float) -> Snapshot | None:
        """Return the result, once; None while there is none, and after that."""
        self._ended.wait(wait_s)
        found, self._found = self._found, None
        return found

    def _run(self) -> None:
        try:
            self._found = self._recall()
        except Exception:  # one turn of a thread
            logger.exception("what is remembered of account %s cannot be read; going on without", self._empty.account)
            self._found = self._empty
        self._ended.set()
        self._on_end()


def merged(known: Snapshot, recalled: Snapshot) -> Snapshot:
    """Return what was requested since the start, with what is remembered from before."""
    first = known.samples[0] if known.samples else None
    older = recalled.samples
    if first is not None:  # spaced by the time of the server
        older = tuple(
            replace(each, mono_s=first.mono_s - (first.at - each.at).total_seconds()) for each in older if each.at < first.at
        )
    activity = _newer(known.activity, recalled.activity)
    if known.activity.value is not None and recalled.activity.value is not None:
        activity = replace(known.activity, value=joined(recalled.activity.value, known.activity.value))
    key_days = _newer(known.key_days, recalled.key_days)
    if known.key_days.value is not None and recalled.key_days.value is not None:
        both = joined(Activity(recalled.key_days.value), Activity(known.key_days.value))
        key_days = replace(known.key_days, value=both.by_model)
    return replace(
        known,
        credits=_newer(known.credits, recalled.credits),
        activity=activity,
        today=_newer(known.today, recalled.today),
        yesterday=_newer(known.yesterday, recalled.yesterday),
        key_days=key_days,
        models=_newer(known.models, recalled.models),
        samples=(*older, *known.samples),
        recalling=False,
    )


def _newer(known: Reading[_T], recalled: Reading[_T]) -> Reading[_T]:
    if known.value is not None or recalled.value is None:
        return known
    return replace(recalled, health=known.health, message=known.message)
